#include "examples/digits/model.hpp"

#include <map>
#include <memory>

#include "examples/app/files.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/ind_rnn.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/linear.hpp"
#include "nn/stack.hpp"

namespace digits {
namespace {

using namespace rw;
using nn::Gru, nn::IndRnn, nn::Lstm, nn::Rnn;

template <class Cell>
struct Network {
  nn::Stack<Cell> stack;
  nn::Linear<float> readout;
};

/// `layer(input, last)` makes one.
template <class Cell, class Layer>
Classifier classifier(const ModelSettings& s, const Layer& layer, Random& random) {
  nn::Stack<Cell> stack;
  for (std::size_t k = 0; k < s.layers; ++k) {
    stack.layers.push_back(layer(k == 0 ? s.input : s.hidden, k + 1 == s.layers));
  }
  const auto net = std::make_shared<Network<Cell>>(
      Network<Cell>{std::move(stack), nn::Linear<float>({.input = s.hidden, .output = s.classes}, random)});
  Classifier all;
  all.parameters.add("layers", net->stack.parameters());
  all.parameters.add("readout", net->readout.parameters());
  all.logits = [net](const Variable<float>& xs) {
    return net->readout(nn::unroll(net->stack, xs, {.outputs = false}).state.layers.back().h);
  };
  all.after_step = [net] {
    if constexpr (requires(Cell & cell) { cell.clamp(); }) {
      for (Cell& cell : net->stack.layers) cell.clamp();
    }
  };
  return all;
}

}  // namespace

Classifier make_classifier(const ModelSettings& s, Random& random) {
  const double longest = std::max(static_cast<double>(s.steps), 3.0);
  if (s.cell == "irnn") {
    const auto layer = [&](std::size_t input, bool) {
      Rnn<float> rnn({.input = input, .hidden = s.hidden, .activation = relu<Variable<float>>}, random);
      rnn.weight_hh.assign(nn::identity<float>(rnn.weight_hh.shape()));
      return rnn;
    };
    return classifier<Rnn<float>>(s, layer, random);
  }
  if (s.cell == "indrnn") {
    const auto layer = [&](std::size_t input, bool last) {
      return IndRnn<float>({.input = input,
                            .hidden = s.hidden,
                            .bound = nn::ind_rnn_bound(s.steps),
                            .least = last ? nn::ind_rnn_bound(s.steps, 1e-3) : 0},
                           random);
    };
    return classifier<IndRnn<float>>(s, layer, random);
  }
  if (s.cell == "gru") {
    const auto layer = [&](std::size_t input, bool) {
      Gru<float> gru({.input = input, .hidden = s.hidden}, random);
      gru.bias->assign(nn::chrono<float>(s.hidden, longest, {0, 1, 0}, random));
      return gru;
    };
    return classifier<Gru<float>>(s, layer, random);
  }
  if (s.cell == "lstm") {
    const auto layer = [&](std::size_t input, bool) {
      Lstm<float> lstm({.input = input, .hidden = s.hidden}, random);
      lstm.bias->assign(nn::chrono<float>(s.hidden, longest, {-1, 1, 0, 0}, random));
      return lstm;
    };
    return classifier<Lstm<float>>(s, layer, random);
  }
  fail("make_classifier", "irnn, indrnn, gru or lstm", s.cell);
}

// The sizes are those of the tensors, so that a file makes us take no more memory than it has.
ModelSettings settings_of(const nn::Safetensors& file, const std::string& path) {
  static const std::map<std::string, std::size_t> gates{{"irnn", 1}, {"indrnn", 1}, {"gru", 3}, {"lstm", 4}};
  const auto told = file.metadata.find("cell");
  const auto cell = gates.find(told == file.metadata.end() ? "" : told->second);
  if (cell == gates.end()) app::bad_file(path, "the cell irnn, indrnn, gru or lstm", "none of them");
  const auto name = [](std::size_t layer, const char* tensor) {
    return "layers." + std::to_string(layer) + "." + tensor;
  };
  const Shape& first = file.get<float>(name(0, "weight_ih")).shape();
  const std::size_t input = first.size() == 2 ? first[0] : 0, width = first.size() == 2 ? first[1] : 0;
  ModelSettings s{.cell = cell->first, .input = input, .hidden = width / cell->second, .layers = 0};
  bool good = s.hidden > 0 && s.hidden <= most_hidden;
  const Shape recurrent = s.cell == "indrnn" ? Shape{s.hidden} : Shape{s.hidden, width};
  for (; file.tensors.contains(name(s.layers, "weight_ih")); ++s.layers) {
    const Shape above{s.layers == 0 ? input : s.hidden, width};
    good = good && file.get<float>(name(s.layers, "weight_ih")).shape() == above &&
           file.get<float>(name(s.layers, "weight_hh")).shape() == recurrent;
  }
  if (!good) app::bad_file(path, "tensors that go together", "others");
  return s;
}

}  // namespace digits
