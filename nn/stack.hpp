#pragma once

#include "nn/bidirectional.hpp"
#include "nn/dropout.hpp"

namespace rw::nn {

struct StackOptions {
  bool residual = false;     // every layer but the first adds its input to its output (He et al. 2016; Wu et al. 2016)
  double dropout = 0;        // rate between layers, not within (Zaremba, Sutskever & Vinyals 2014)
  bool variational = false;  // one mask for all steps of a sequence (Gal & Ghahramani 2016)
};

/// Layers of one kind over one another (Schmidhuber 1992; Graves, Mohamed & Hinton 2013): cells, a user's too, or
/// Bidirectional ones; each reads what the one below puts out. Of cells it is a cell itself, for streaming.
template <class L>
struct Stack {
  struct State {
    List<typename L::State> layers;
  };

  std::vector<L> layers;
  StackOptions options = {};

  State initial_state(std::size_t batch, Random* random = nullptr) const {
    State all;
    for (const L& layer : layers) all.layers.push_back(nn::initial_state(layer, batch, random));
    return all;
  }

  /// One step through all layers. Throws std::invalid_argument where the dropout between them is variational, which is
  /// drawn for sequences, as unroll() does.
  template <class T>
  requires Cell<L, T> Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr)
  const {
    check_layers(s.layers.size());
    if (options.variational && options.dropout > 0 && random != nullptr) {
      fail("stack", "whole sequences for variational dropout", "a step");
    }
    Step<T, State> all{x, {}};
    all.state.layers.reserve(layers.size());
    for (std::size_t k = 0; k < layers.size(); ++k) {
      const Variable<T> input = between(k, all.output, random);
      auto next = nn::step(layers[k], input, s.layers[k], random);
      all.output = with_residual(k, next.output, input);
      all.state.layers.push_back(std::move(next.state));
    }
    return all;
  }

  /// Named by the layer's number: 0.weight_ih.
  auto parameters() {
    auto all = decltype(layers[0].parameters())();
    for (std::size_t k = 0; k < layers.size(); ++k) all.add(std::to_string(k), layers[k].parameters());
    return all;
  }

  // The rest is for unroll().

  /// What layer k reads of the output below, a step's or a sequence's.
  template <class T>
  Variable<T> between(std::size_t k, const Variable<T>& below, Random* random) const {
    if (k == 0) return below;
    const auto& drop = options.variational && below.rank() == 3 ? variational_dropout<T> : dropout<T>;
    return drop(below, options.dropout, random);
  }

  template <class T>
  Variable<T> with_residual(std::size_t k, const Variable<T>& output, const Variable<T>& input) const {
    if (!options.residual || k == 0) return output;
    check_same_shape("stack", input.shape(), output.shape());
    return input + output;
  }

  void check_layers(std::size_t states) const {
    if (layers.empty()) fail("stack", "at least one layer", "none");
    if (states != layers.size()) {
      fail("stack", "a state for each of " + std::to_string(layers.size()) + " layers", states);
    }
  }
};

/// xs [T, B, I] -> outputs of the last layer [T, B, O] and the states of all.
/// Throws std::invalid_argument as a single layer, or where a layer with a residual changes the width.
template <class T, class L>
Unrolled<T, typename Stack<L>::State> unroll(const Stack<L>& stack, const Variable<T>& xs,
                                             const UnrollOptions<typename Stack<L>::State>& options = {}) {
  stack.check_layers(options.initial ? options.initial->layers.size() : stack.layers.size());
  Unrolled<T, typename Stack<L>::State> all{xs, {}};
  for (std::size_t k = 0; k < stack.layers.size(); ++k) {
    using Inner = std::optional<typename L::State>;
    auto within = options.within(options.initial ? Inner(options.initial->layers[k]) : Inner());
    const bool last = k + 1 == stack.layers.size();
    within.outputs = options.outputs || !last;
    const Variable<T> inputs = stack.between(k, all.outputs, options.random);
    auto run = unroll(stack.layers[k], inputs, within);
    all.outputs = within.outputs ? stack.with_residual(k, run.outputs, inputs) : Variable<T>();
    all.state.layers.push_back(std::move(run.state));
  }
  return all;
}

}  // namespace rw::nn
