#include "nn/onnx.hpp"

#include <fstream>
#include <iostream>

#include "autograd/ops/softmax.hpp"
#include "nn/cells/ind_rnn.hpp"
#include "nn/npz.hpp"
#include "nn/recurrent_dropout.hpp"
#include "tests/errors.hpp"
#include "tests/folder.hpp"
#include "tests/python.hpp"

namespace {

using rw::Indices;
using rw::Random;
using rw::Shape;
using rw::Tensor;
using rw::nn::AnyTensor;
using rw::nn::Bidirectional;
using rw::nn::Cell;
using rw::nn::Embedding;
using rw::nn::Forget;
using rw::nn::Keep;
using rw::nn::Linear;
using rw::nn::OnnxModel;
using rw::nn::Reset;
using rw::nn::Stack;
using V = rw::Variable<float>;
using Rnn = rw::nn::Rnn<float>;
using Gru = rw::nn::Gru<float>;
using Lstm = rw::nn::Lstm<float>;

Tensor<float> numbers(const Shape& shape, Random& random) {
  Tensor<float> x = rw::empty<float>(shape);
  for (float& element : x) element = static_cast<float>(random.uniform(-1, 1));
  return x;
}

/// Gives every parameter, biases and peepholes included, values that differ.
template <class M>
void scatter(M& module, Random& random) {
  for (const auto& entry : module.parameters()) entry.parameter->assign(numbers(entry.parameter->shape(), random));
}

/// Models, and what they put out, for the judge. A run of `steps` steps and `batch` rows is name-steps.npz.
struct Cases : Folder {
  using Run = std::map<std::string, AnyTensor>;
  Random random{7};

  std::vector<std::size_t> lengths(std::size_t steps, std::size_t batch) {
    std::vector<std::size_t> list;
    for (std::size_t b = 0; b < batch; ++b) list.push_back(steps - b % steps);
    return list;
  }

  void add_run(const std::string& name, std::size_t steps, const Run& run) {
    rw::nn::write_npz(file(name + "-" + std::to_string(steps) + ".npz"), run);
  }

  /// Layers alone: two runs, so that the axes must be free.
  template <class L>
  void add_layers(const std::string& name, L layers, std::size_t input, bool reverse = false) {
    scatter(layers, random);
    OnnxModel onnx;
    if constexpr (Cell<L, float> && !requires { layers.layers; }) {
      reverse ? onnx.add_reversed(layers) : onnx.add(layers);
    } else {
      onnx.add(layers);
    }
    onnx.write(file(name + ".onnx"));
    for (const auto& [steps, batch] : {std::pair<std::size_t, std::size_t>{5, 3}, {2, 1}}) {
      const Tensor<float> x = numbers({steps, batch, input}, random);
      const auto valid = lengths(steps, batch);
      add_run(name, steps,
              {{"in.x", x},
               {"in.lengths", column(valid)},
               {"out.y", unroll(layers, V(x), {.lengths = valid, .reverse = reverse}).outputs.value()}});
    }
  }

  static Indices column(const std::vector<std::size_t>& list) {
    Indices column = Indices::from_shape({list.size()});
    std::copy(list.begin(), list.end(), column.begin());
    return column;
  }

  template <class C>
  Bidirectional<C> both(const typename C::Options& options) {
    return {C(options, random), C(options, random)};
  }

  template <class C>
  Stack<Bidirectional<C>> deep(typename C::Options options) {
    Stack<Bidirectional<C>> stack;
    stack.layers.push_back(both<C>(options));
    options.input = 2 * options.hidden;
    stack.layers.push_back(both<C>(options));
    return stack;
  }
};

template <class L>
concept Exported = requires(OnnxModel onnx, L& layer) {
  onnx.add(layer);
};
static_assert(Exported<Lstm> && Exported<Stack<Bidirectional<Gru>>> && Exported<Linear<float>>);
static_assert(!Exported<rw::nn::IndRnn<float>> && !Exported<rw::nn::RecurrentDropout<Lstm>>);

}  // namespace

BOOST_FIXTURE_TEST_SUITE(onnx_files, Cases)

BOOST_AUTO_TEST_CASE(others_put_out_the_same, *needs_python("numpy onnx")) {
  add_layers("rnn", Rnn({.input = 3, .hidden = 4}, random), 3);
  add_layers("rnn_nobias", Rnn({.input = 3, .hidden = 4, .bias = false}, random), 3);
  add_layers("rnn_relu_deep", deep<Rnn>({.input = 3, .hidden = 4, .activation = rw::relu<V>}), 3);
  add_layers("rnn_sigmoid_reverse", Rnn({.input = 3, .hidden = 4, .activation = rw::sigmoid<V>}, random), 3, true);
  add_layers("gru_deep", deep<Gru>({.input = 3, .hidden = 4}), 3);
  add_layers("gru_reset_before", both<Gru>({.input = 3, .hidden = 4, .reset = Reset::before}), 3);
  add_layers("gru_fresh", both<Gru>({.input = 3, .hidden = 4, .keep = Keep::fresh}), 3);
  add_layers("gru_fresh_before_reverse",
             Gru({.input = 3, .hidden = 4, .reset = Reset::before, .keep = Keep::fresh}, random), 3, true);
  add_layers("lstm", Lstm({.input = 3, .hidden = 4}, random), 3);
  add_layers("lstm_reverse", Lstm({.input = 3, .hidden = 4, .bias = false}, random), 3, true);
  add_layers("lstm_peepholes_deep", deep<Lstm>({.input = 3, .hidden = 4, .peepholes = true}), 3);
  Stack<Gru> residual;
  for (int k = 0; k < 3; ++k) residual.layers.push_back(Gru({.input = 4, .hidden = 4}, random));
  residual.options = {.residual = true, .dropout = 0.5};
  add_layers("residual", std::move(residual), 4);

  {  // a tagger: embedding, layers and head
    Embedding<float> embedding({.vocabulary = 7, .dimension = 3, .padding = 0}, random);
    auto layers = deep<Lstm>({.input = 3, .hidden = 4});
    Linear<float> head({.input = 8, .output = 5}, random);
    scatter(layers, random);
    scatter(head, random);
    OnnxModel onnx;
    onnx.add(embedding).add(layers).add(head).softmax().write(file("tagger.onnx"));
    const Indices ids = rw::tensor<std::int64_t>({4, 2}, {1, 2, 3, 4, 5, 0, 6, 0});
    const V y = softmax(head(unroll(layers, embedding(ids), {.lengths = {4, 2}}).outputs), -1);
    add_run("tagger", 4, {{"in.ids", ids}, {"in.lengths", column({4, 2})}, {"out.y", y.value()}});
  }
  {  // a classifier of whole sequences
    auto layers = deep<Gru>({.input = 3, .hidden = 4});
    rw::Parameter<float> gain("gain", numbers({8}, random)), shift("shift", numbers({8}, random));
    Linear<float> head({.input = 8, .output = 2, .bias = false}, random);
    scatter(layers, random);
    OnnxModel onnx;
    onnx.add(layers).last_state().layer_norm(gain, shift, 1e-3).add(head).write(file("classifier.onnx"));
    const Tensor<float> x = numbers({5, 3, 3}, random);
    const auto state = unroll(layers, V(x), {.lengths = {5, 0, 3}}).state.layers[1];
    const V last = rw::concatenate({state.forward.h, state.backward.h}, -1);
    add_run(
        "classifier", 5,
        {{"in.x", x}, {"in.lengths", column({5, 0, 3})}, {"out.y", head(layer_norm(last, gain, shift, 1e-3)).value()}});
  }
  {  // for streaming: states in and out, no lengths
    Stack<Lstm> layers;
    layers.layers.push_back(Lstm({.input = 3, .hidden = 4}, random));
    layers.layers.push_back(Lstm({.input = 4, .hidden = 2}, random));
    scatter(layers, random);
    OnnxModel onnx({.lengths = false, .states = true});
    onnx.add(layers).write(file("streaming.onnx"));
    const Tensor<float> x = numbers({2, 3, 3}, random);
    auto state = layers.initial_state(3);
    Run run{{"in.x", x}};
    const auto keep = [&](const std::string& in, const std::string& of) {
      for (std::size_t k = 0; k < 2; ++k) {
        const std::string number = of + "." + std::to_string(k);
        run[in + "h" + number] = rw::expand_dims(state.layers[k].h, 0).value();
        run[in + "c" + number] = rw::expand_dims(state.layers[k].c, 0).value();
      }
    };
    for (auto& layer : state.layers) layer = {V(numbers(layer.h.shape(), random)), V(numbers(layer.c.shape(), random))};
    keep("in.", "0");
    const auto read = unroll(layers, V(x), {.initial = state});
    state = read.state;
    keep("out.", "");
    run["out.y"] = read.outputs.value();
    add_run("streaming", 2, run);
  }

  const std::string judge = std::string(TESTS_DIR) + "/nn/onnx_judge.py";
  std::cout << python("numpy onnx", "import runpy, sys; sys.argv = [\"judge\", \"" + path.string() +
                                        "\"]; runpy.run_path(\"" + judge + "\", run_name=\"__main__\")")
            << std::flush;
}

BOOST_AUTO_TEST_CASE(what_onnx_has_not_is_refused) {
  using Error = std::invalid_argument;
  const auto refused = [](auto layer, const std::string& text) {
    OnnxModel onnx;
    BOOST_CHECK_EXCEPTION(onnx.add(layer), Error, says("onnx: expected " + text));
  };
  const std::string can = "an Lstm with a forget gate, without projection or layer_norm; got ";
  refused(Lstm({.input = 3, .hidden = 4, .forget = Forget::coupled}, random), can + "Forget::coupled");
  refused(Lstm({.input = 3, .hidden = 4, .forget = Forget::none}, random), can + "Forget::none");
  refused(Lstm({.input = 3, .hidden = 4, .projection = 2}, random), can + "a projection");
  refused(Lstm({.input = 3, .hidden = 4, .layer_norm = true}, random), can + "layer_norm");
  for (const auto& other :
       {+[](const V& a) { return a; }, +[](const V& a) { return minimum(relu(a), V(rw::scalar<float>(6))); }}) {
    refused(Rnn({.input = 3, .hidden = 4, .activation = other}, random),
            "an Rnn with tanh, relu or sigmoid; got another activation");
  }
  refused(Bidirectional<Gru>{Gru({.input = 3, .hidden = 4}, random),
                             Gru({.input = 3, .hidden = 4, .reset = Reset::before}, random)},
          "both directions with one Reset; got two");

  OnnxModel onnx;
  Stack<Lstm> none;
  BOOST_CHECK_EXCEPTION(onnx.add(none), Error, says("stack: expected at least one layer; got none"));
  BOOST_CHECK_EXCEPTION(onnx.write(file("none")), Error, says("onnx: expected at least one layer; got none"));
  BOOST_CHECK_EXCEPTION(onnx.softmax(), Error, says("onnx: expected a layer before the softmax; got none"));
  BOOST_CHECK_EXCEPTION(onnx.last_state(), Error, says("onnx: expected a recurrent layer before last_state; got none"));
  Gru gru({.input = 3, .hidden = 4}, random);
  Linear<float> head({.input = 5, .output = 2}, random);
  Embedding<float> embedding({.vocabulary = 7, .dimension = 3}, random);
  onnx.add(gru);
  BOOST_CHECK_EXCEPTION(onnx.add(head), Error,
                        says("onnx: expected a layer that reads 4 features; got one that reads 5"));
  BOOST_CHECK_EXCEPTION(onnx.add(embedding), Error, mentions("onnx: expected an Embedding at the beginning; got it"));
  onnx.last_state();
  Gru next({.input = 4, .hidden = 4}, random);
  BOOST_CHECK_EXCEPTION(onnx.add(next), Error,
                        says("onnx: expected a recurrent layer before last_state; got one after it"));
  Stack<Gru> residual;
  residual.layers.push_back(Gru({.input = 3, .hidden = 4}, random));
  residual.layers.push_back(Gru({.input = 4, .hidden = 2}, random));
  residual.options.residual = true;
  refused(std::move(residual), "residual layers of one width; got 4 and 2");
  BOOST_CHECK_EXCEPTION(
      onnx.write(file("no/model.onnx")), std::runtime_error,
      says("onnx: " + file("no/model.onnx") + ": expected a file to write; got No such file or directory"));
  BOOST_TEST(files() == 0u);
}

BOOST_AUTO_TEST_CASE(may_be_written_twice) {
  Gru gru({.input = 3, .hidden = 4}, random);
  OnnxModel onnx;
  onnx.add(gru).write(file("a"));
  onnx.write(file("b"));
  const auto contents = [&](const char* name) {
    std::ifstream in(file(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  BOOST_TEST(contents("a").size() > 500u);
  BOOST_TEST((contents("a") == contents("b")));
}

BOOST_AUTO_TEST_SUITE_END()
