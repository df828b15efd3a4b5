#pragma once

#include <concepts>

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

/// One time step from a raw input x [B, I]; for streaming.
template <class T, class C>
requires Cell<C, T>
auto step(const C& cell, const Variable<T>& x, const typename C::State& state) {
  return cell.step(projected(cell, x), state);
}

}  // namespace rw::nn
