#pragma once

#include "autograd/ops/compare.hpp"
#include "nn/cell.hpp"
#include "nn/dropout.hpp"

namespace rw::nn {

/// A cell whose state's elements each keep their old value with probability `rate` (Krueger et al. 2017):
///     s' = d ⊙ s + (1 − d) ⊙ step(x, s),   d ~ Bernoulli(rate), drawn at every step
/// Evaluation takes d = rate, its expectation. `rates` are those of the state's Variables in order, as {h, c} of an
/// LSTM; one holds for all. An output that is part of the state, as h is, is the one that zoneout left.
template <class C>
struct Zoneout : CellAround<C> {
  using State = typename C::State;

  /// Throws std::invalid_argument where a rate is not in [0, 1), or their number is neither 1 nor the state's.
  Zoneout(C c, std::vector<double> r) : CellAround<C>(std::move(c)), rates(std::move(r)) {
    std::size_t variables = 0;
    map_state([&](const auto& v) { return ++variables, v; }, nn::initial_state(this->cell, 1));
    if (rates.size() == 1) rates.resize(variables, rates[0]);
    if (rates.size() != variables) {
      fail("zoneout", "a rate, or one for each of " + std::to_string(variables) + " variables", rates.size(), " rates");
    }
    for (const double rate : rates) detail::check_rate("zoneout", rate);
  }

  template <class T>
  Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr) const {
    const Step<T, State> next = step_projected(this->cell, x, s, random);
    Variable<T> output = next.output;
    std::size_t k = 0;
    State state = map_state(
        [&](const Variable<T>& now, const Variable<T>& old) {
          const Variable<T> zoned = zone(now, old, rates[k++], random);
          if (now.same_value(next.output)) output = zoned;
          return zoned;
        },
        next.state, s);
    return {std::move(output), std::move(state)};
  }

  std::vector<double> rates;

 private:
  template <class T>
  static Variable<T> zone(const Variable<T>& now, const Variable<T>& old, double rate, Random* random) {
    if (rate == 0) return now;
    if (random == nullptr) return static_cast<T>(rate) * old + static_cast<T>(1 - rate) * now;
    Tensor<T> keeps = rw::empty<T>(now.shape());
    for (T& element : keeps) element = random->uniform() < rate ? T(1) : T(0);
    return where(Variable<T>(std::move(keeps)), old, now);
  }
};

}  // namespace rw::nn
