#pragma once

#include "autograd/ops/broadcast.hpp"
#include "nn/cell.hpp"

namespace rw::nn {

/// A cell whose initial state is trained: a row of parameters for each Variable of the state, the same for all rows of
/// a batch. They begin as the cell's own initial state, and their names are start.0, start.1, ... Wrappers that draw
/// their part of the state, as RecurrentDropout its mask, go around this one, not within.
template <class C>
struct LearnedStart : CellAround<C> {
  using State = typename C::State;
  using T = ElementOf<C>;

  explicit LearnedStart(C c) : CellAround<C>(std::move(c)) {
    map_state(
        [&](const Variable<T>& v) {
          return start.emplace_back("start." + std::to_string(start.size()), Tensor<T>(v.value())), v;
        },
        this->cell.initial_state(1));
  }

  State initial_state(std::size_t batch, Random* random = nullptr) const {
    std::size_t k = 0;
    return map_state([&](const Variable<T>& v) { return broadcast_to(Variable<T>(start[k++]), v.shape()); },
                     nn::initial_state(this->cell, batch, random));
  }

  Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr) const {
    return step_projected(this->cell, x, s, random);
  }

  auto parameters() {
    auto all = this->cell.parameters();
    for (Parameter<T>& p : start) all.add(p);
    return all;
  }

  std::vector<Parameter<T>> start;
};

}  // namespace rw::nn
