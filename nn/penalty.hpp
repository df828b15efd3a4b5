#pragma once

#include <vector>

#include "autograd/ops/reduce.hpp"
#include "nn/unroll.hpp"

// Penalties on gradients: parts of a loss that read the gradients of another part. Each records its way back through
// the tape, so that the sum is differentiated as any other loss.

namespace rw::nn {
namespace detail {

/// The tape that records. Throws std::invalid_argument where there is none or y is not on it.
template <class T>
Tape<T>& tape_of(const char* op, const Variable<T>& y) {
  Tape<T>* tape = Tape<T>::current();
  if (tape == nullptr) fail(op, "a tape that records", "none");
  if (!y.defined() || !tape->holds(y)) fail(op, "a result on the tape that records", "a constant");
  return *tape;
}

}  // namespace detail

struct GradientPenaltyOptions {
  double norm = 1;           // wanted of the gradients: 1 in Gulrajani et al. (2017), 0 in Drucker & LeCun (1992)
  std::ptrdiff_t batch = 0;  // the axis of x that counts the rows: 0 of [B, I], 1 of [T, B, I]
};

/// The mean over the rows b of (‖∂y_b/∂x_b‖ − norm)², to be weighed and added to a loss (Drucker & LeCun 1992;
/// Gulrajani et al. 2017).
///     const auto x = tape.watch(batch);
///     const auto loss = error + 10 * gradient_penalty(critic(x), x);
/// y [B] or [B, 1] holds a number a row, that depends on this row of x alone. A gradient that is zero stays so.
/// Throws std::invalid_argument where no tape records, y or x is not on it, or y has not a number for each row.
template <class T>
Variable<T> gradient_penalty(const Variable<T>& y, const Variable<T>& x, const GradientPenaltyOptions& options = {}) {
  Tape<T>& tape = detail::tape_of("gradient_penalty", y);
  if (!tape.holds(x)) fail("gradient_penalty", "x watched or made on the tape", "a constant");
  const std::size_t batch = check_axis("gradient_penalty", options.batch, x.shape());
  if (y.size() != x.shape()[batch]) {
    fail("gradient_penalty", "y with a number for each of " + std::to_string(x.shape()[batch]) + " rows", "y ",
         y.shape());
  }
  const auto gradients = tape.backward(y, {.seed = full<T>(y.shape(), 1), .record = true, .keep = {x}});
  Reduce all_but_rows{{-1}};  // an axis more, for there may be no other
  for (std::size_t a = 0; a < x.rank(); ++a) {
    if (a != batch) all_but_rows.axes.push_back(static_cast<std::ptrdiff_t>(a));
  }
  const Variable<T> norms = norm(expand_dims(gradients[x], -1), all_but_rows);
  return mean(square(norms - static_cast<T>(options.norm)));
}

/// A cell that keeps the states it reads and makes, for omega().
template <class C>
class KeepStates {
 public:
  using T = ElementOf<C>;
  using State = typename C::State;
  struct Kept {
    List<Variable<T>> read, made;
  };

  explicit KeepStates(C& cell) : cell_(cell) {}

  State initial_state(std::size_t batch, Random* random = nullptr) const {
    return nn::initial_state(cell_, batch, random);
  }
  Variable<T> project(const Variable<T>& xs) const { return projected(cell_, xs); }

  Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr) const {
    Kept kept;
    // What is read here is told apart from what else becomes of the state, by a copy; so is what is handed on as it is.
    const State seen = map_state([&](const Variable<T>& v) { return kept.read.emplace_back(v + 0); }, s);
    auto next = step_projected(cell_, x, seen, random);
    const auto keep = [&](const Variable<T>& now, const Variable<T>& old) {
      return kept.made.emplace_back(now.place() == old.place() ? now + 0 : now);
    };
    next.state = map_state(keep, next.state, seen);
    if (Tape<T>::current() != nullptr) steps_.push_back(std::move(kept));
    return next;
  }

  /// Of each step that a tape recorded.
  const std::vector<Kept>& steps() const { return steps_; }

 private:
  C& cell_;
  mutable std::vector<Kept> steps_;
};

namespace detail {

/// The norms of the gradients of all variables on the tape together, row by row [B]; undefined where there is none.
template <class T>
Variable<T> norms_of_rows(const Tape<T>& tape, const Gradients<T>& gradients, const List<Variable<T>>& variables) {
  std::vector<Variable<T>> rows;
  for (const Variable<T>& v : variables) {
    if (!tape.holds(v) || v.size() == 0) continue;
    if (v.rank() == 0 || v.shape()[0] != variables[0].shape()[0]) {
      fail("omega", "states of as many rows", "[" + std::to_string(variables[0].shape()[0]) + ", ...] and ", v.shape());
    }
    rows.push_back(reshape(gradients[v], {v.shape()[0], v.size() / v.shape()[0]}));
  }
  return rows.empty() ? Variable<T>() : norm(concatenate(rows, 1), {.axes = {1}});
}

}  // namespace detail

/// Pascanu, Mikolov & Bengio's (2013) penalty on gradients that vanish or explode on their way through time, the mean
/// over the rows of
///     Ω = Σ_t (‖∂E/∂s_{t+1} · ∂s_{t+1}/∂s_t‖ / ‖∂E/∂s_{t+1}‖ − 1)²
/// for a loss E and all Variables of a state s together:
///     KeepStates kept(cell);
///     const auto error = mse(unroll(kept, xs).outputs, targets);
///     const auto loss = error + 0.1 * omega(error, kept);
/// Its gradient is the whole one, where the paper's holds ∂E/∂s, s and x constant. Steps and rows that the loss does
/// not reach count as 0, and so does the step from an initial state that is a constant. What an output reads of s_t
/// beside s_{t+1} counts as part of the way.
/// Throws std::invalid_argument where no tape records, E is not on it or is no scalar, no steps were kept, or a
/// Variable of the state has other rows.
template <class T, class C>
Variable<T> omega(const Variable<T>& loss, const KeepStates<C>& kept) {
  Tape<T>& tape = detail::tape_of("omega", loss);
  BackwardOptions<T> options{.seed = {}, .record = true, .keep = {}};
  for (const auto& step : kept.steps()) {
    for (const auto* variables : {&step.read, &step.made}) {
      for (const Variable<T>& v : *variables) {
        if (tape.holds(v)) options.keep.push_back(v);
      }
    }
  }
  if (options.keep.empty()) fail("omega", "steps that the tape recorded", "none");
  const auto gradients = tape.backward(loss, options);
  Variable<T> sum = scalar<T>(0);
  for (const auto& step : kept.steps()) {
    const Variable<T> read = detail::norms_of_rows(tape, gradients, step.read);
    const Variable<T> made = detail::norms_of_rows(tape, gradients, step.made);
    if (!read.defined() || !made.defined()) continue;
    const Variable<T> unreached = equal(made, 0);
    sum = sum + mean(square(where(unreached, 1, read / where(unreached, 1, made)) - 1));
  }
  return sum;
}

}  // namespace rw::nn
