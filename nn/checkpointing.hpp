#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "autograd/checkpoint.hpp"
#include "nn/unroll.hpp"

namespace rw::nn {

/// How a sequence is cut into segments of which one at a time keeps its records.
struct Checkpointing {
  std::size_t segment = 0;  // steps of a segment; 0: √T, rounded up
  std::size_t bytes = 0;    // instead: what the records may take, beside the inputs and outputs, about; 0: no limit
};

namespace detail {

/// The options for the steps begin, ..., end − 1 of a sequence.
template <class State>
UnrollOptions<State> between(UnrollOptions<State> options, std::size_t begin, std::size_t end) {
  for (std::size_t& length : options.lengths) length = std::clamp(length, begin, end) - begin;
  if (options.mask) {
    const Indices all = *options.mask;
    const std::size_t batch = all.shape()[1];
    options.mask = Indices::from_shape({end - begin, batch});
    std::copy(all.data() + begin * batch, all.data() + end * batch, options.mask->data());
  }
  return options;
}

template <class T, class State>
std::vector<Variable<T>> listed(const State& state) {
  std::vector<Variable<T>> all;
  map_state([&](const Variable<T>& v) { return all.emplace_back(v); }, state);
  return all;
}

/// The steps of a segment; for a number of bytes those by which the records take least, or all T where they fit as they
/// are. What they take is measured on the first steps, twice for the gradients on the way back.
template <class T, class C>
std::size_t segment_of(const Checkpointing& how, const C& cell, const Variable<T>& xs, const typename C::State& state) {
  const std::size_t all = xs.shape()[0], some = std::min<std::size_t>(all, 8);
  const auto steps = static_cast<double>(all), limit = static_cast<double>(how.bytes);
  if (how.segment > 0) return how.segment;
  if (how.bytes == 0) return static_cast<std::size_t>(std::ceil(std::sqrt(steps)));
  double of_step = 0, of_state = 0;
  {
    Tape<T> part(*Tape<T>::current());
    unroll(cell, slice(xs, 0, 0, static_cast<std::ptrdiff_t>(some)), {.initial = state});
    of_step = 2 * static_cast<double>(part.bytes()) / static_cast<double>(some);
  }
  for (const Variable<T>& v : listed<T>(state)) of_state += static_cast<double>(v.size() * sizeof(T));
  if (steps * of_step <= limit) return all;
  const double segment = std::clamp(std::ceil(std::sqrt(steps * of_state / of_step)), 1.0, steps);
  const double least = steps / segment * of_state + segment * of_step;
  if (least > limit) {
    fail("unroll_checkpointed", "at least " + std::to_string(static_cast<std::size_t>(least)) + " bytes", how.bytes);
  }
  return static_cast<std::size_t>(segment);
}

}  // namespace detail

/// unroll() for long sequences: each segment is computed again on the way back (Chen et al. 2016; Gruslys et al. 2016).
/// With segments of √T steps memory grows as √T, apart from the inputs and outputs, for a second forward pass; outputs
/// and gradients are the same, with random numbers as well. (A Stack draws them segment by segment.)
/// The cell must stay as it is until the backward pass. Throws std::invalid_argument as unroll(), where the records do
/// not fit into the bytes or both options are given, or where a Stack has variational dropout, which is drawn for whole
/// sequences; the backward pass, as checkpoint().
template <class T, class C>
requires Cell<C, T> Unrolled<T, typename C::State> unroll_checkpointed(
    const C& cell, const Variable<T>& xs, const UnrollOptions<typename C::State>& options = {},
    const Checkpointing& how = {}) {
  check_rank("unroll_checkpointed", xs.shape(), 3);
  const std::size_t steps = xs.shape()[0], batch = xs.shape()[1];
  if (how.segment > 0 && how.bytes > 0) {
    fail("unroll_checkpointed", "steps of a segment or bytes", how.segment, " and ", how.bytes);
  }
  if constexpr (requires { cell.options.variational; }) {
    if (cell.options.variational && cell.options.dropout > 0 && options.random != nullptr) {
      fail("unroll_checkpointed", "whole sequences for variational dropout", "segments");
    }
  }
  if (Tape<T>::current() == nullptr || steps == 0 || batch == 0) return unroll(cell, xs, options);
  const detail::ValidSteps valid(steps, batch, options.lengths, options.mask);
  const Variable<T> inputs = detail::finite_inputs(xs, valid);
  typename C::State state = detail::first_state<T>(cell, options, batch);

  const std::size_t segment = detail::segment_of(how, cell, inputs, state);
  const std::size_t segments = (steps + segment - 1) / segment;
  std::vector<std::size_t> extents(segments, segment);
  extents.back() = steps - (segments - 1) * segment;
  const List<Variable<T>> xs_of = split(inputs, extents, 0);
  std::vector<Variable<T>> outputs(options.outputs ? segments : 0);
  for (std::size_t i = 0; i < segments; ++i) {
    const std::size_t s = options.reverse ? segments - 1 - i : i;
    const std::size_t begin = s * segment, end = std::min(steps, begin + segment);
    UnrollOptions<typename C::State> part = detail::between(options, begin, end);
    part.initial = state;
    const auto source = options.random != nullptr ? std::make_shared<const Random>(*options.random) : nullptr;
    const auto drawn = source ? std::make_shared<Random>() : nullptr;  // the same after the segment
    std::vector<Variable<T>> ys = checkpoint<T>([&cell, x = xs_of[s], part, source, drawn] {
      UnrollOptions<typename C::State> again = part;
      again.random = drawn.get();
      if (source) *drawn = *source;
      const auto run = unroll(cell, x, again);
      std::vector<Variable<T>> all = detail::listed<T>(run.state);
      if (again.outputs) all.push_back(run.outputs);
      return all;
    });
    if (source) *options.random = *drawn;
    if (options.outputs) {
      outputs[s] = std::move(ys.back());
      ys.pop_back();
    }
    const std::size_t variables = detail::listed<T>(state).size();
    if (ys.size() != variables) {
      fail("unroll_checkpointed", "a state of " + std::to_string(variables) + " variables", ys.size());
    }
    auto next = ys.begin();
    state = map_state([&](const Variable<T>&) { return *next++; }, state);
  }
  return {options.outputs ? concatenate(outputs, 0) : Variable<T>(), std::move(state)};
}

}  // namespace rw::nn
