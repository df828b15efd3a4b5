#pragma once

#include <optional>

#include "autograd/ops/join.hpp"
#include "nn/cell.hpp"
#include "nn/valid.hpp"

namespace rw::nn {

template <class State>
struct UnrollOptions {
  std::optional<State> initial = {};      // the layer's own initial state where it is not given
  std::vector<std::size_t> lengths = {};  // valid steps of each row, in any order, zero allowed; empty: all T
  std::optional<Indices> mask = {};       // [T, B], instead of lengths: 0 where a row has no step, 1 where it has one
  bool reverse = false;                   // read each row from its last valid step to its first
  bool outputs = true;                    // false: only the state is wanted; outputs may stay undefined
  Random* random = nullptr;               // where dropout and its like draw from; nullptr: evaluation

  /// The same for a layer within, which begins with a state of its own.
  template <class Inner>
  UnrollOptions<Inner> within(std::optional<Inner> state) const {
    return {std::move(state), lengths, mask, reverse, outputs, random};
  }
};

template <class T, class State>
struct Unrolled {
  Variable<T> outputs;  // [T, B, O], zero where a row has no step
  State state;          // of each row after its own last step; its initial state where it has none
};

namespace detail {

/// The state to begin with, whose rows are those of the batch.
template <class T, class C>
typename C::State first_state(const C& cell, const UnrollOptions<typename C::State>& options, std::size_t batch) {
  if (!options.initial) return initial_state(cell, batch, options.random);
  const Pause<T> pause;  // the cell's own is asked for its shapes only
  map_state(
      [&](const Variable<T>& given, const Variable<T>& own) {
        const bool rows = own.rank() > 0 && own.shape()[0] == batch;
        if (rows && (given.rank() == 0 || given.shape()[0] != batch)) {
          fail("unroll", "an initial state of " + std::to_string(batch) + " rows, as " + to_string(own.shape()),
               given.shape());
        }
        return given;
      },
      *options.initial, initial_state(cell, batch));
  return *options.initial;
}

}  // namespace detail

/// Runs a cell over the sequences xs [T, B, I], time outermost. Where a row has no step, because it is shorter or the
/// mask says so, its output is zero and its state stays; what xs holds there does not matter.
/// Throws std::invalid_argument where xs has no steps or rows, a valid step is not finite, the lengths or the mask do
/// not fit or both are given, or the initial state has another number of rows.
template <class T, class C>
requires Cell<C, T> Unrolled<T, typename C::State> unroll(const C& cell, const Variable<T>& xs,
                                                          const UnrollOptions<typename C::State>& options = {}) {
  check_rank("unroll", xs.shape(), 3);
  const std::size_t steps = xs.shape()[0], batch = xs.shape()[1];
  if (steps == 0 || batch == 0) fail("unroll", "at least one step and one row", "xs ", xs.shape());
  const detail::ValidSteps valid(steps, batch, options.lengths, options.mask);

  typename C::State state = detail::first_state<T>(cell, options, batch);
  const Slices<T> inputs(projected(cell, detail::finite_inputs(xs, valid)));
  List<Variable<T>> outputs(options.outputs ? steps : 0);
  Variable<T> silence;  // the output of a step that no row has
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t t = options.reverse ? steps - 1 - i : i;
    if (valid.none(t)) {
      if (options.outputs && !silence.defined()) {  // a step tells its shape
        const Pause<T> pause;
        silence = zeros<T>(step_projected(cell, inputs[t].detached(), state).output.shape());
      }
      if (options.outputs) outputs[t] = silence;
      continue;
    }
    auto next = step_projected(cell, inputs[t], state, options.random);
    if (valid.all(t)) {
      if (options.outputs) outputs[t] = std::move(next.output);
      state = std::move(next.state);
    } else {
      const auto choose = [&, rows = valid.template rows<T>(t)](const Variable<T>& a, const Variable<T>& b) {
        return detail::choose_rows(rows, a, b);
      };
      if (options.outputs) outputs[t] = choose(next.output, Variable<T>(scalar<T>(0)));
      state = map_state(choose, next.state, state);
    }
  }
  return {options.outputs ? stack(outputs) : Variable<T>(), std::move(state)};
}

/// The output of each row's last valid step [B, O] of outputs [T, B, O]; zero where a row has none. (outputs[T − 1] is
/// that of the longest rows alone.) Throws std::invalid_argument where there is not one length of at most T a row.
template <class T>
Variable<T> last_valid(const Variable<T>& outputs, const std::vector<std::size_t>& lengths) {
  check_rank("last_valid", outputs.shape(), 3);
  const std::size_t steps = outputs.shape()[0], batch = outputs.shape()[1], width = outputs.shape()[2];
  const detail::ValidSteps valid(steps, batch, lengths, {}, "last_valid");
  Indices ids = Indices::from_shape({batch});
  Tensor<T> some = rw::empty<T>({batch, 1});
  for (std::size_t b = 0; b < batch; ++b) {
    const std::size_t length = lengths.empty() ? steps : lengths[b];
    ids.data()[b] = static_cast<std::int64_t>((length == 0 ? 0 : length - 1) * batch + b);
    some.data()[b] = length == 0 ? T(0) : T(1);
  }
  return gather_rows(reshape(outputs, {steps * batch, width}), ids) * Variable<T>(std::move(some));
}

}  // namespace rw::nn
