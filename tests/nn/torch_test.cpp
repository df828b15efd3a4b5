#include "nn/torch.hpp"

#include "tests/folder.hpp"
#include "tests/nn/common.hpp"
#include "tests/nn/golden_case.hpp"
#include "tests/python.hpp"

namespace {

using rw::Indices;
using rw::Parameter;
using rw::Random;
using rw::nn::Bidirectional;
using rw::nn::Embedding;
using rw::nn::export_torch;
using rw::nn::Forget;
using rw::nn::import_torch;
using rw::nn::Keep;
using rw::nn::Linear;
using rw::nn::Parameters;
using rw::nn::read_safetensors;
using rw::nn::Reset;
using rw::nn::Safetensors;
using rw::nn::Stack;
using rw::nn::TorchNames;
using rw::nn::write_safetensors;
using V = rw::Variable<double>;
using Rnn = rw::nn::Rnn<double>;
using Gru = rw::nn::Gru<double>;
using Lstm = rw::nn::Lstm<double>;

/// The model of tests/golden/torch_state.py.
template <class C>
struct Tagger {
  explicit Tagger(typename C::Options options, std::size_t width = 4) : layers(stack(options, width, random)) {}

  TorchNames<double> names() {
    TorchNames<double> names;
    return names.add("embedding", embedding)
        .add("rnn", layers)
        .add("norm", {{"weight", gain}, {"bias", shift}})
        .add("head", head);
  }

  Parameters<double> parameters() {
    Parameters<double> all{gain, shift};
    all.add("embedding", embedding.parameters());
    all.add("rnn", layers.parameters());
    all.add("head", head.parameters());
    return all;
  }

  V operator()(const Indices& ids, const std::vector<std::size_t>& lengths) const {
    return head(layer_norm(unroll(layers, embedding(ids), {.lengths = lengths}).outputs, gain, shift));
  }

  static Stack<Bidirectional<C>> stack(typename C::Options options, std::size_t width, Random& random) {
    Stack<Bidirectional<C>> all;
    for (const std::size_t input : {std::size_t{3}, 2 * width}) {
      options.input = input;
      options.hidden = 4;
      all.layers.push_back({C(options, random), C(options, random)});
    }
    return all;
  }

  Random random{1};
  Embedding<double> embedding{{.vocabulary = 7, .dimension = 3}, random};
  Stack<Bidirectional<C>> layers;
  std::size_t features = 2 * layers.layers[1].forward.weight_hh.shape()[0];
  Parameter<double> gain{"gain", rw::full<double>({features}, 1)}, shift{"shift", rw::zeros<double>({features})};
  Linear<double> head{{.input = features, .output = 5}, random};
};

/// f(tagger) of that kind.
template <class F>
void with_tagger(const std::string& kind, const F& f) {
  if (kind == "rnn") {
    f(Tagger<Rnn>({.input = 0, .hidden = 0, .activation = rw::relu<V>}));
  } else if (kind == "gru") {
    f(Tagger<Gru>({.input = 0, .hidden = 0}));
  } else if (kind == "lstm") {
    f(Tagger<Lstm>({.input = 0, .hidden = 0, .projection = 2}, 2));
  } else {
    throw golden::Unknown{"state " + kind};
  }
}

using common::says;

}  // namespace

void golden::check_state(Case& c) {
  const std::string kind = c.option("kind");
  c.refuse_other_options();
  Safetensors state;
  for (const auto& [name, tensor] : c.file().tensors) {
    if (name.starts_with("model.")) state.tensors[name.substr(6)] = tensor;
  }
  const std::vector<std::size_t> lengths(c.indices("lengths").begin(), c.indices("lengths").end());
  with_tagger(kind, [&](auto tagger) {
    tagger.names().unpack(state, "state");
    c.compare("y", tagger(c.indices("ids"), lengths));
  });
  c.finish({"y"});
}

BOOST_FIXTURE_TEST_SUITE(torch, Folder)

BOOST_AUTO_TEST_CASE(pytorch_takes_it_and_puts_out_the_same, *needs_python("numpy torch")) {
  const Indices ids = rw::tensor<std::int64_t>({4, 3}, {1, 2, 3, 4, 5, 6, 0, 6, 5, 4, 3, 2});
  std::string arguments;
  for (const std::string kind : {"rnn", "gru", "lstm"}) {
    with_tagger(kind, [&](auto tagger) {
      common::scatter(tagger.parameters(), 30);
      Safetensors state;
      for (const auto& [name, tensor] : tagger.names().pack().tensors) state.tensors["model." + name] = tensor;
      state.tensors["ids"] = ids;
      state.tensors["lengths"] = rw::tensor<std::int64_t>({3}, {2, 4, 1});
      state.tensors["y"] = tagger(ids, {2, 4, 1}).value();
      state.metadata["kind"] = kind;
      write_safetensors(file(kind), state);
      arguments += ", \"" + file(kind) + "\"";
    });
  }
  python("numpy torch", "import runpy, sys; sys.argv = [\"judge\", \"check\"" + arguments + "]; runpy.run_path(\"" +
                            TESTS_DIR + "/golden/torch_state.py\", run_name=\"__main__\")");
}

BOOST_AUTO_TEST_CASE(there_and_back_is_exact) {
  for (const std::string kind : {"rnn", "gru", "lstm"}) {
    with_tagger(kind, [&](auto tagger) {
      common::scatter(tagger.parameters(), 30);
      const Safetensors before = pack(tagger.parameters());
      export_torch(file(kind), tagger.names());
      common::scatter(tagger.parameters(), 90);
      import_torch(file(kind), tagger.names());
      BOOST_TEST((pack(tagger.parameters()).tensors == before.tensors), kind);
      BOOST_TEST(read_safetensors(file(kind)).metadata.at("format") == "pt");
    });
  }
}

BOOST_AUTO_TEST_CASE(one_module_of_a_file) {
  Tagger<Gru> tagger({.input = 0, .hidden = 0});
  common::scatter(tagger.parameters(), 30);
  export_torch(file("all"), tagger.names());
  export_torch(file("rnn"), "rnn", tagger.layers);
  export_torch(file("head"), "", tagger.head);
  const Safetensors all = read_safetensors(file("all")), rnn = read_safetensors(file("rnn"));
  BOOST_TEST(rnn.tensors.size() == 16u);
  for (const auto& [name, tensor] : rnn.tensors) BOOST_TEST((all.tensors.at(name) == tensor), name);
  BOOST_TEST((read_safetensors(file("head")).tensors.at("weight") == all.tensors.at("head.weight")));

  Random random(3);
  auto layers = Tagger<Gru>::stack({.input = 0, .hidden = 0}, 4, random);
  import_torch(file("all"), "rnn", layers);
  BOOST_TEST((pack(layers.parameters()).tensors == pack(tagger.layers.parameters()).tensors));
  Linear<float> head({.input = 8, .output = 5}, random);
  import_torch(file("head"), "", head);
  BOOST_TEST(head.weight.value()(7, 4) == static_cast<float>(tagger.head.weight.value()(7, 4)));

  Stack<Gru> single;
  single.layers.push_back(Gru({.input = 3, .hidden = 4}, random));
  export_torch(file("single"), "rnn", single);
  const Safetensors before = pack(single.parameters());
  common::scatter(single.parameters(), 5);
  import_torch(file("single"), "rnn", single);
  BOOST_TEST((pack(single.parameters()).tensors == before.tensors));
}

BOOST_AUTO_TEST_CASE(every_name_that_does_not_fit_is_told) {
  Random random(1);
  Linear<double> head({.input = 3, .output = 2}, random);
  Rnn rnn({.input = 3, .hidden = 4}, random);
  TorchNames<double> names;
  names.add("rnn", rnn).add("head", head);
  Safetensors state = names.pack();
  const auto before = pack(rnn.parameters()).tensors;
  for (const char* name : {"rnn.bias_hh_l0", "rnn.bias_ih_l0", "rnn.weight_hh_l0"}) state.tensors.erase(name);
  state.tensors["rnn.weight_ih_l0"] = rw::zeros<double>({4, 2});
  state.tensors["head.bias"] = rw::zeros<std::int64_t>({2});
  state.tensors["rnn.weight_ih_l0_reverse"] = rw::zeros<double>({4, 3});
  state.tensors["norm.steps"] = rw::zeros<std::int64_t>({});
  const std::string text = "import_torch: F: expected the names and shapes of the model; got ",
                    rnn_faults =
                        "no \"rnn.bias_hh_l0\", no \"rnn.bias_ih_l0\", no \"rnn.weight_hh_l0\", "
                        "\"rnn.weight_ih_l0\" [4, 2] for [4, 3], ";
  BOOST_CHECK_EXCEPTION(names.unpack(state, "F"), std::runtime_error,
                        says(text + "\"head.bias\" of dtype I64, " + rnn_faults +
                             "an unknown \"norm.steps\", an unknown \"rnn.weight_ih_l0_reverse\""));
  TorchNames<double> part;
  part.add("rnn", rnn);
  BOOST_CHECK_EXCEPTION(part.unpack(state, "F", "rnn."), std::runtime_error,
                        says(text + rnn_faults + "an unknown \"rnn.weight_ih_l0_reverse\""));
  BOOST_TEST((pack(rnn.parameters()).tensors == before));
  names.add("head", head);
  BOOST_CHECK_EXCEPTION(names.pack(), std::invalid_argument,
                        says("torch: expected distinct names; got head.bias twice"));
}

BOOST_AUTO_TEST_CASE(what_pytorch_has_not_is_refused) {
  Random random(1);
  const auto refused = [](auto layer, const std::string& text) {
    TorchNames<double> names;
    BOOST_CHECK_EXCEPTION(names.add("rnn", layer), std::invalid_argument, says("torch: expected " + text));
  };
  refused(Lstm({.input = 3, .hidden = 4, .forget = Forget::coupled}, random),
          "an Lstm with a forget gate; got one without");
  refused(Lstm({.input = 3, .hidden = 4, .peepholes = true}, random), "an Lstm without peepholes; got one with them");
  refused(Lstm({.input = 3, .hidden = 4, .layer_norm = true}, random), "an Lstm without layer_norm; got one with it");
  refused(Gru({.input = 3, .hidden = 4, .reset = Reset::before}, random), "a Gru with Reset::after; got Reset::before");
  refused(Bidirectional<Gru>{Gru({.input = 3, .hidden = 4}, random),
                             Gru({.input = 3, .hidden = 4, .keep = Keep::fresh}, random)},
          "a Gru with Keep::old; got Keep::fresh");
  auto residual = Tagger<Gru>::stack({.input = 0, .hidden = 0}, 4, random);
  residual.options.residual = true;
  refused(std::move(residual), "a Stack without residual connections; got one with them");
  Stack<Gru> none;
  BOOST_CHECK_EXCEPTION(TorchNames<double>().add("rnn", none), std::invalid_argument,
                        says("stack: expected at least one layer; got none"));
}

BOOST_AUTO_TEST_SUITE_END()
