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

  auto parameters() {
    auto all = decltype(forward.parameters())();
    all.add("forward", forward.parameters());
    all.add("backward", backward.parameters());
    return all;
  }
};

/// xs [T, B, I] -> outputs [T, B, 2·O] and the state of both directions, each after its own last step. `initial` is the
/// state of both to begin with, the cells' own where it is not given.
/// Throws std::invalid_argument as for a single cell.
template <class T, class C>
requires Cell<C, T> Unrolled<T, typename Bidirectional<C>::State> unroll(
    const Bidirectional<C>& layer, const Variable<T>& xs, const std::vector<std::size_t>& lengths = {},
    const std::optional<typename Bidirectional<C>::State>& initial = {}) {
  UnrollOptions<typename C::State> first{.lengths = lengths}, second{.lengths = lengths, .reverse = true};
  if (initial) {
    first.initial = initial->forward;
    second.initial = initial->backward;
  }
  auto forward = unroll(layer.forward, xs, first);
  auto backward = unroll(layer.backward, xs, second);
  return {concatenate({forward.outputs, backward.outputs}, -1), {std::move(forward.state), std::move(backward.state)}};
}

}  // namespace rw::nn
