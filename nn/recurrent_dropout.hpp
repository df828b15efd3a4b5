#pragma once

#include "nn/cell.hpp"
#include "nn/dropout.hpp"

namespace rw::nn {

/// A cell whose step sees the first Variable of its state, the h of an LSTM or a GRU, through one dropout mask for all
/// steps of a sequence (Gal & Ghahramani 2016). The mask is part of the state: carried with it, it stays the same from
/// window to window. A state that began without a random source, for evaluation, has a mask of ones.
template <class C>
struct RecurrentDropout : CellAround<C> {
  using T = ElementOf<C>;
  struct State {
    typename C::State inner;
    Variable<T> mask;
  };

  /// Throws std::invalid_argument where the rate is not in [0, 1).
  RecurrentDropout(C c, double r) : CellAround<C>(std::move(c)), rate(r) { detail::check_rate("recurrent_dropout", r); }

  State initial_state(std::size_t batch, Random* random = nullptr) const {
    typename C::State inner = nn::initial_state(this->cell, batch, random);
    Variable<T> mask;
    on_first(inner, [&](const Variable<T>& h) {
      mask = random == nullptr ? Variable<T>(full<T>(h.shape(), 1)) : detail::dropout_mask<T>(h.shape(), rate, *random);
      return h;
    });
    return {std::move(inner), std::move(mask)};
  }

  Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr) const {
    const auto seen = on_first(s.inner, [&](const Variable<T>& h) { return h * s.mask; });
    auto next = step_projected(this->cell, x, seen, random);
    return {std::move(next.output), {std::move(next.state), s.mask}};
  }

  double rate;

 private:
  template <class F>
  static typename C::State on_first(const typename C::State& state, const F& f) {
    bool first = true;
    return map_state([&](const Variable<T>& v) { return std::exchange(first, false) ? f(v) : v; }, state);
  }
};

}  // namespace rw::nn
