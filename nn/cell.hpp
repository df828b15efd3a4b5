#pragma once

#include <concepts>

#include "autograd/random.hpp"
#include "nn/parameters.hpp"
#include "nn/state.hpp"

namespace rw::nn {

/// What a step returns.
template <class T, class State>
struct Step {
  Variable<T> output;  // [B, O]
  State state;
};

/// A recurrent system: a State (a plain struct of Variables), the state to begin with, and the equations of one step.
///     initial_state(B) -> State          step(x, state) -> {output, state}
/// State is an argument and a result: a cell hides none, so one cell serves many sequences at once.
template <class C, class T>
concept Cell = requires(const C& cell, const Variable<T>& x, const typename C::State& state, std::size_t batch) {
  { cell.initial_state(batch) } -> std::convertible_to<typename C::State>;
  { cell.step(x, state).output } -> std::convertible_to<Variable<T>>;
  { cell.step(x, state).state } -> std::convertible_to<typename C::State>;
};

/// A cell that says what does not depend on the state: project(xs) is done for a whole sequence [T, B, I] at once, and
/// step() is given its rows.
template <class C, class T>
concept ProjectsInput = Cell<C, T> && requires(const C& cell, const Variable<T>& xs) {
  { cell.project(xs) } -> std::convertible_to<Variable<T>>;
};

/// What step() is to be given for inputs x [..., I].
template <class T, class C>
Variable<T> projected(const C& cell, const Variable<T>& x) {
  if constexpr (ProjectsInput<C, T>) {
    return cell.project(x);
  } else {
    return x;
  }
}

// A cell that draws random numbers, as dropout does, takes where from as a further argument of initial_state() or
// step(), nullptr by default: that is evaluation. The two below pass it to those that take it.

/// The state to begin with.
template <class C>
typename C::State initial_state(const C& cell, std::size_t batch, Random* random = nullptr) {
  if constexpr (requires { cell.initial_state(batch, random); }) {
    return cell.initial_state(batch, random);
  } else {
    return cell.initial_state(batch);
  }
}

/// One step from what projected() returned for its input.
template <class T, class C>
Step<T, typename C::State> step_projected(const C& cell, const Variable<T>& x, const typename C::State& state,
                                          Random* random = nullptr) {
  if constexpr (requires { cell.step(x, state, random); }) {
    return cell.step(x, state, random);
  } else {
    return cell.step(x, state);
  }
}

/// One time step from a raw input x [B, I]; for streaming.
template <class T, class C>
requires Cell<C, T> Step<T, typename C::State> step(const C& cell, const Variable<T>& x, const typename C::State& state,
                                                    Random* random = nullptr) {
  return step_projected(cell, projected(cell, x), state, random);
}

/// float or double, as a cell's parameters are.
template <class C>
using ElementOf = typename decltype(std::declval<C&>().parameters())::Element;

/// A cell around another; what it does not say itself is the inner one's.
template <class C>
struct CellAround {
  using State = typename C::State;

  explicit CellAround(C c) : cell(std::move(c)) {}

  State initial_state(std::size_t batch, Random* random = nullptr) const {
    return nn::initial_state(cell, batch, random);
  }
  template <class T>
  requires ProjectsInput<C, T> Variable<T> project(const Variable<T>& xs)
  const { return cell.project(xs); }

  auto parameters() { return cell.parameters(); }

  C cell;
};

}  // namespace rw::nn
