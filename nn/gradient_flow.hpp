#pragma once

#include <cmath>
#include <vector>

#include "nn/unroll.hpp"

namespace rw::nn {
namespace detail {

/// A cell that keeps what each step reads of the state, apart from what else is made of it.
template <class T, class C>
struct Observed {
  using State = typename C::State;

  State initial_state(std::size_t batch) const { return cell.initial_state(batch); }
  Variable<T> project(const Variable<T>& xs) const { return projected(cell, xs); }
  Step<T, State> step(const Variable<T>& x, const State& s) const {
    read.emplace_back();
    return step_projected(cell, x, map_state([&](const Variable<T>& v) { return read.back().emplace_back(v + 0); }, s));
  }

  const C& cell;
  std::vector<std::vector<Variable<T>>>& read;  // by every step
};

}  // namespace detail

template <class T, class State>
struct GradientFlowOptions {
  std::optional<State> initial = {};  // the cell's own initial state where it is not given
  Variable<T> seed = {};  // ∂L_T/∂y_T [B, O] of the last output; all equal and of norm 1 where not given
};

/// How far a loss at the last step reaches back: ‖∂L_T/∂s_t‖ over T − t, for the state s_t of any cell after t of the
/// steps xs [T, B, I]. Element k of the T + 1 numbers belongs to t = T − k; the norm is over all Variables of a state
/// and all rows. Where it falls the gradient vanishes, where it grows it explodes (Hochreiter 1991; Bengio, Simard &
/// Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
/// Throws std::invalid_argument as unroll(), or where the seed has another shape than the last output.
template <class T, class C>
requires Cell<C, T> std::vector<double> gradient_flow(const C& cell, const Variable<T>& xs,
                                                      const GradientFlowOptions<T, typename C::State>& options = {}) {
  check_rank("gradient_flow", xs.shape(), 3);
  Tape<T> tape;
  std::vector<std::vector<Variable<T>>> states;
  UnrollOptions<typename C::State> start;
  start.initial = map_state([&](const Variable<T>& v) { return tape.watch(v); },
                            options.initial ? *options.initial : cell.initial_state(xs.shape()[1]));
  const auto run = unroll(detail::Observed<T, C>{cell, states}, xs, start);
  states.emplace_back();
  map_state([&](const Variable<T>& v) { return states.back().emplace_back(v); }, run.state);

  const std::size_t steps = xs.shape()[0];
  const Variable<T> y = unstack(run.outputs)[steps - 1];
  BackwardOptions<T> backward;
  const double even = 1 / std::sqrt(static_cast<double>(y.size()));
  backward.seed = options.seed.defined() ? options.seed : Variable<T>(full<T>(y.shape(), static_cast<T>(even)));
  check_same_shape("gradient_flow", y.shape(), backward.seed.shape());
  for (const auto& state : states) {
    for (const Variable<T>& v : state) {
      if (tape.holds(v)) backward.keep.push_back(v);
    }
  }
  const auto gradients = tape.backward(y, backward);

  std::vector<double> norms;
  for (std::size_t k = 0; k <= steps; ++k) {
    double squares = 0;
    for (const Variable<T>& v : states[steps - k]) {
      if (!tape.holds(v)) continue;
      const Tensor<T> gradient = gradients[v].value();
      for (const T g : gradient) squares += static_cast<double>(g) * static_cast<double>(g);
    }
    norms.push_back(std::sqrt(squares));
  }
  return norms;
}

}  // namespace rw::nn
