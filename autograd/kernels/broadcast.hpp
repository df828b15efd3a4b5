#pragma once

#include <array>
#include <span>

#include "autograd/check.hpp"

namespace rw::kernels {

/// How to walk N inputs that broadcast to one output: neighbouring axes that every input walks alike are merged, so
/// that tensors of one shape become one long row, and a matrix plus a row vector a loop over rows.
template <std::size_t N>
struct BroadcastPlan {
  static constexpr std::size_t max_axes = Shape::capacity;

  std::size_t axes = 1;
  std::array<std::size_t, max_axes> extent{1};                // of the output, outermost first
  std::array<std::array<std::size_t, N>, max_axes> stride{};  // of each input, in elements; 0 where it repeats
};

/// Fills extent [axis] and stride [axis][input] of a plan and returns the number of axes. `step` is where it counts,
/// with an element for each input.
std::size_t merge_axes(const Shape& out, std::span<const Shape* const> in, std::span<const std::size_t> pitch,
                       std::span<std::size_t> extent, std::size_t* stride, std::size_t* step);

/// Inputs may be blocks of the columns of wider tensors: rows of input k are then pitch[k] elements apart, else 0.
template <std::size_t N>
BroadcastPlan<N> broadcast_plan(const Shape& out, const std::array<const Shape*, N>& in,
                                const std::array<std::size_t, N>& pitch = {}) {
  BroadcastPlan<N> plan;
  std::array<std::size_t, N> step;
  plan.axes = merge_axes(out, in, pitch, plan.extent, plan.stride[0].data(), step.data());
  return plan;
}

/// Goes on to the next innermost row of the given outer axes: counts up index [axis] and adds to offset [input]; false
/// after the last one.
bool next_row(std::span<const std::size_t> outer, const std::size_t* stride, std::size_t* index,
              std::span<std::size_t> offset);

/// Calls row(offsets) for every innermost row, with the offset of each input's first element.
template <std::size_t N, class Row>
inline void for_each_row(const BroadcastPlan<N>& plan, Row&& row) {
  std::array<std::size_t, N> offset{};
  std::array<std::size_t, BroadcastPlan<N>::max_axes> index{};
  const std::span outer(plan.extent.data(), plan.axes - 1);
  do {
    row(offset);
  } while (next_row(outer, plan.stride[0].data(), index.data(), offset));
}

}  // namespace rw::kernels
