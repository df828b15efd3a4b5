#pragma once

#include <array>
#include <vector>

#include "autograd/check.hpp"

namespace rw::kernels {

/// How to walk N inputs that broadcast to one output: neighbouring axes that every input walks alike are merged, so
/// that tensors of one shape become one long row, and a matrix plus a row vector a loop over rows.
template <std::size_t N>
struct BroadcastPlan {
  static constexpr std::size_t max_axes = Shape::capacity;

  std::size_t axes = 1;
  std::array<std::size_t, max_axes> extent{1};                  // of the output, outermost first
  std::array<std::array<std::size_t, max_axes>, N> stride{{}};  // of each input, in elements; 0 where it repeats
};

/// Inputs may be blocks of the columns of wider tensors: rows of input k are then pitch[k] elements apart, else 0.
template <std::size_t N>
BroadcastPlan<N> broadcast_plan(const Shape& out, const std::array<const Shape*, N>& in,
                                const std::array<std::size_t, N>& pitch = {}) {
  BroadcastPlan<N> plan;
  bool same = true, pitched = false;
  for (std::size_t k = 0; k < N; ++k) {
    pitched = pitched || pitch[k] != 0;
    same = same && pitch[k] == 0 && *in[k] == out;
  }
  if (same) {
    plan.extent[0] = size_of(out);
    for (auto& stride : plan.stride) stride[0] = 1;
    return plan;
  }
  // Innermost first: an axis joins the one inside it where every input goes on with the same stride.
  std::array<std::size_t, N> step;
  step.fill(1);
  std::size_t axes = 0;
  std::array<std::size_t, BroadcastPlan<N>::max_axes> extent{};
  std::array<std::array<std::size_t, BroadcastPlan<N>::max_axes>, N> strides{{}};
  for (std::size_t i = out.size(); i-- > 0;) {
    std::array<std::size_t, N> stride{};
    for (std::size_t k = 0; k < N; ++k) {
      const std::size_t missing = out.size() - in[k]->size();
      const std::size_t own = i < missing ? 1 : (*in[k])[i - missing];
      stride[k] = own == 1 ? 0 : step[k];
      step[k] = i + 1 == out.size() && pitch[k] != 0 ? pitch[k] : step[k] * own;
    }
    if (out[i] == 1 && !(pitched && i + 1 == out.size())) continue;  // rows stay rows: their steps are 0 or 1
    bool joins = axes > 0;
    for (std::size_t k = 0; k < N && joins; ++k) joins = stride[k] == strides[k][axes - 1] * extent[axes - 1];
    if (joins) {
      extent[axes - 1] *= out[i];
    } else {
      extent[axes] = out[i];
      for (std::size_t k = 0; k < N; ++k) strides[k][axes] = stride[k];
      ++axes;
    }
  }
  if (axes == 0) return plan;
  plan.axes = axes;
  for (std::size_t a = 0; a < axes; ++a) {
    plan.extent[a] = extent[axes - 1 - a];
    for (std::size_t k = 0; k < N; ++k) plan.stride[k][a] = strides[k][axes - 1 - a];
  }
  return plan;
}

/// Calls row(offsets) for every innermost row, with the offset of each input's first element.
template <std::size_t N, class Row>
void for_each_row(const BroadcastPlan<N>& plan, Row&& row) {
  std::array<std::size_t, N> offset{};
  std::array<std::size_t, BroadcastPlan<N>::max_axes> index{};
  const std::size_t outer = plan.axes - 1;
  for (;;) {
    row(offset);
    std::size_t a = outer;
    for (;; --a) {
      if (a == 0) return;
      for (std::size_t k = 0; k < N; ++k) offset[k] += plan.stride[k][a - 1];
      if (++index[a - 1] < plan.extent[a - 1]) break;
      for (std::size_t k = 0; k < N; ++k) offset[k] -= plan.stride[k][a - 1] * plan.extent[a - 1];
      index[a - 1] = 0;
    }
  }
}

}  // namespace rw::kernels
