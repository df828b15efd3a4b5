#pragma once

#include <algorithm>
#include <optional>

#include "autograd/ops/join.hpp"
#include "nn/cell.hpp"

namespace rw::nn {

template <class State>
struct UnrollOptions {
  std::optional<State> initial = {};      // the cell's own initial state where it is not given
  std::vector<std::size_t> lengths = {};  // valid steps of each row, in any order, zero allowed; empty: all T
  bool reverse = false;                   // read each row from its last valid step to its first
  bool outputs = true;                    // false: only the state is wanted; outputs stays undefined
};

template <class T, class State>
struct Unrolled {
  Variable<T> outputs;  // [T, B, O], zero after a row's end
  State state;          // of each row after its own last step; its initial state where its length is 0
};

namespace detail {

/// 1 for rows longer than t, else 0, [B].
template <class T>
Tensor<T> valid_rows(const std::vector<std::size_t>& lengths, std::size_t t) {
  Tensor<T> valid = rw::empty<T>({lengths.size()});
  for (std::size_t b = 0; b < lengths.size(); ++b) valid.data()[b] = lengths[b] > t ? T(1) : T(0);
  return valid;
}

/// a in the rows that are valid, else b; a and b are [B, ...].
template <class T>
Variable<T> choose_rows(const Tensor<T>& valid, const Variable<T>& a, const Variable<T>& b) {
  if (a.rank() == 0 || a.shape()[0] != valid.size()) {
    fail("unroll", "outputs and states [" + std::to_string(valid.size()) + ", ...] where rows have lengths", a.shape());
  }
  Shape column(a.rank(), 1);
  column[0] = valid.size();
  return where(Variable<T>(reshaped(valid, column)), a, b);
}

inline void check_lengths(const std::vector<std::size_t>& lengths, const Shape& xs) {
  if (lengths.empty()) return;
  if (lengths.size() != xs[1])
    fail("unroll", "a length for each of the " + std::to_string(xs[1]) + " rows", lengths.size(), " lengths");
  for (const std::size_t length : lengths) {
    if (length > xs[0]) fail("unroll", "lengths of at most " + std::to_string(xs[0]) + " steps", length);
  }
}

}  // namespace detail

/// Runs a cell over the sequences xs [T, B, I], time outermost. A row ends at its own length: from there on its outputs
/// are zero and its state stays. Throws std::invalid_argument where xs has no steps or rows, or the lengths do not fit.
template <class T, class C>
requires Cell<C, T> Unrolled<T, typename C::State> unroll(const C& cell, const Variable<T>& xs,
                                                          const UnrollOptions<typename C::State>& options = {}) {
  check_rank("unroll", xs.shape(), 3);
  const std::size_t steps = xs.shape()[0], batch = xs.shape()[1];
  if (steps == 0 || batch == 0) fail("unroll", "at least one step and one row", "xs ", xs.shape());
  detail::check_lengths(options.lengths, xs.shape());
  const std::size_t shortest =
      options.lengths.empty() ? steps : *std::min_element(options.lengths.begin(), options.lengths.end());

  typename C::State state = options.initial ? *options.initial : cell.initial_state(batch);
  const Slices<T> inputs(projected(cell, xs));
  List<Variable<T>> outputs(options.outputs ? steps : 0);
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t t = options.reverse ? steps - 1 - i : i;
    auto next = cell.step(inputs[t], state);
    if (t < shortest) {
      if (options.outputs) outputs[t] = std::move(next.output);
      state = std::move(next.state);
    } else {
      const Tensor<T> valid = detail::valid_rows<T>(options.lengths, t);
      const auto choose = [&](const Variable<T>& a, const Variable<T>& b) { return detail::choose_rows(valid, a, b); };
      if (options.outputs) outputs[t] = choose(next.output, Variable<T>(scalar<T>(0)));
      state = map_state(choose, next.state, state);
    }
  }
  return {options.outputs ? stack(outputs) : Variable<T>(), std::move(state)};
}

}  // namespace rw::nn
