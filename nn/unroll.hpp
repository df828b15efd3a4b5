#pragma once

#include <algorithm>
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

/// The steps whose inputs are projected in one product: all of them where a tape records, which keeps them anyhow, else
/// as many as make a fast one, so that a long sequence takes no memory for the gates of all its steps.
template <class T>
std::size_t steps_at_once(std::size_t steps, std::size_t batch) {
  constexpr std::size_t fast_rows = 256;
  const std::size_t products = Tape<T>::current() != nullptr ? 1 : std::max<std::size_t>(1, steps * batch / fast_rows);
  return (steps + products - 1) / products;
}

/// Steps `first`, first + 1, ... of xs [T, B, I], a constant unless it is all of them.
template <class T>
Variable<T> some_steps(const Variable<T>& xs, std::size_t first, std::size_t count) {
  Shape shape = xs.shape();
  if (count == shape[0]) return xs;
  shape[0] = count;
  return xs.part(first * shape[1] * shape[2], shape);
}

/// The outputs of all steps, written side by side as they come: stacking them copies nothing, and what a step computed
/// them in is not kept.
template <class T>
class Outputs {
 public:
  /// Of no steps where they are not wanted.
  explicit Outputs(std::size_t steps) : ys_(steps) {}

  void put(std::size_t t, const Variable<T>& y) {
    if (ys_.empty()) return;
    if (!whole_.defined()) whole_ = Variable<T>::uninitialised(rw::detail::with_axis(y.shape(), 0, ys_.size()));
    ys_[t] = y;
    if (whole_.size() != ys_.size() * y.size()) return;  // stack() will say so
    Variable<T> room = whole_.room(t * y.size(), y.shape());
    std::copy_n(y.view().data(), y.size(), room.fresh());
    ys_[t] = Variable<T>(std::move(room), y.place());
  }

  /// The state with output t in place of the same value, for records to keep the one and not the other.
  template <class State>
  State reading(std::size_t t, const Variable<T>& y, State state) const {
    if (ys_.empty() || Tape<T>::current() == nullptr) return state;
    return map_state([&](const Variable<T>& s) { return s.same_value(y) ? ys_[t] : s; }, state);
  }

  Variable<T> stacked() const { return ys_.empty() ? Variable<T>() : stack(ys_); }

 private:
  List<Variable<T>> ys_;
  Variable<T> whole_;
};

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

  const Variable<T> finite = detail::finite_inputs(xs, valid);
  const std::size_t at_once = detail::steps_at_once<T>(steps, batch);

  typename C::State state = detail::first_state<T>(cell, options, batch);
  detail::Outputs<T> outputs(options.outputs ? steps : 0);
  Variable<T> silence;  // the output of a step that no row has
  for (std::size_t done = 0; done < steps; done += at_once) {
    const std::size_t count = std::min(at_once, steps - done), first = options.reverse ? steps - done - count : done;
    const Slices<T> inputs(projected(cell, detail::some_steps(finite, first, count)));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t k = options.reverse ? count - 1 - i : i, t = first + k;
      if (valid.none(t)) {
        if (options.outputs && !silence.defined()) {  // a step tells its shape
          const Pause<T> pause;
          silence = zeros<T>(step_projected(cell, inputs[k].detached(), state).output.shape());
        }
        outputs.put(t, silence);
        continue;
      }
      auto next = step_projected(cell, inputs[k], state, options.random);
      if (!valid.all(t)) {
        const auto choose = [&, rows = valid.template rows<T>(t)](const Variable<T>& a, const Variable<T>& b) {
          return detail::choose_rows(rows, a, b);
        };
        if (options.outputs) next.output = choose(next.output, Variable<T>(scalar<T>(0)));
        next.state = map_state(choose, next.state, state);
      }
      outputs.put(t, next.output);
      const bool last = done + i + 1 == steps;  // what is returned does not keep all outputs alive
      state = last ? std::move(next.state) : outputs.reading(t, next.output, std::move(next.state));
    }
  }
  return {outputs.stacked(), std::move(state)};
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
