#pragma once

#include "nn/unroll.hpp"

namespace rw::nn {

/// Two cells over the same sequence, one in each direction (Schuster & Paliwal 1997). Output t is [forward; backward].
template <class C>
struct Bidirectional {
  struct State {
    typename C::State forward, backward;
  };

  C forward, backward;

  State initial_state(std::size_t batch, Random* random = nullptr) const {
    return {nn::initial_state(forward, batch, random), nn::initial_state(backward, batch, random)};
  }

  auto parameters() {
    auto all = decltype(forward.parameters())();
    all.add("forward", forward.parameters());
    all.add("backward", backward.parameters());
    return all;
  }
};

/// xs [T, B, I] -> outputs [T, B, 2·O] and the state of both directions, each after its own last step.
/// Throws std::invalid_argument as for a single cell.
template <class T, class C>
Unrolled<T, typename Bidirectional<C>::State> unroll(
    const Bidirectional<C>& layer, const Variable<T>& xs,
    const UnrollOptions<typename Bidirectional<C>::State>& options = {}) {
  using State = std::optional<typename C::State>;
  const auto first = options.within(options.initial ? State(options.initial->forward) : State());
  auto second = options.within(options.initial ? State(options.initial->backward) : State());
  second.reverse = !options.reverse;
  auto forward = unroll(layer.forward, xs, first);
  auto backward = unroll(layer.backward, xs, second);
  return {options.outputs ? concatenate({forward.outputs, backward.outputs}, -1) : Variable<T>(),
          {std::move(forward.state), std::move(backward.state)}};
}

}  // namespace rw::nn
