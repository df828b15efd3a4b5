#pragma once

// GCC 12 takes the undefined registers of its own AVX-512 header for uses of uninitialised memory (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop

#include "autograd/kernels/broadcast.hpp"
#include "autograd/tensor.hpp"

namespace rw {

/// A SIMD group of elements. All elementwise functions of the library work on lanes, so elementwise code is written
/// once for lanes, dual numbers and variables.
template <class T>
struct Lane {
  using value_type = T;
  xsimd::batch<T> v;
};

template <class T>
inline constexpr std::size_t lane_size = xsimd::batch<T>::size;

/// outputs = f(inputs...) elementwise with broadcasting; f takes and returns std::array<Lane<T>, ...>.
/// The outputs are new tensors of the shape the inputs broadcast to.
/// Throws std::invalid_argument naming `op` where the shapes do not broadcast.
template <std::size_t Outputs, class T, std::size_t N, class F>
std::array<Tensor<T>, Outputs> map_lanes(const char* op, const std::array<const Tensor<T>*, N>& inputs, F&& f) {
  Shape shape = inputs[0]->shape();
  for (std::size_t k = 1; k < N; ++k) {
    if (inputs[k]->shape() != shape) shape = broadcast_shape(op, shape, inputs[k]->shape());
  }
  std::array<Tensor<T>, Outputs> outputs;
  std::array<T*, Outputs> to;
  for (std::size_t m = 0; m < Outputs; ++m) {
    outputs[m] = empty<T>(shape);
    to[m] = outputs[m].data();
  }
  if (outputs[0].size() == 0) return outputs;

  std::array<const Shape*, N> shapes;
  for (std::size_t k = 0; k < N; ++k) shapes[k] = &inputs[k]->shape();
  const kernels::BroadcastPlan<N> plan = kernels::broadcast_plan<N>(op, shape, shapes);
  const std::size_t last = plan.axes - 1, columns = plan.extent[last];

  constexpr std::size_t width = lane_size<T>;
  alignas(64) T repeated[N][width];  // an input that repeats along the row is read from here with step 0
  kernels::for_each_row(plan, [&](const std::array<std::size_t, N>& offset) {
    std::array<const T*, N> from;
    std::array<std::size_t, N> step;
    for (std::size_t k = 0; k < N; ++k) {
      from[k] = inputs[k]->data() + offset[k];
      step[k] = plan.stride[k][last];
      if (step[k] == 0) {
        std::fill_n(repeated[k], width, *from[k]);
        from[k] = repeated[k];
      }
    }
    std::array<Lane<T>, N> lanes;
    std::size_t j = 0;
    for (; j + width <= columns; j += width) {
      for (std::size_t k = 0; k < N; ++k) lanes[k].v = xsimd::load_unaligned(from[k] + j * step[k]);
      const std::array<Lane<T>, Outputs> results = f(lanes);
      for (std::size_t m = 0; m < Outputs; ++m) results[m].v.store_unaligned(to[m] + j);
    }
    if (j < columns) {
      alignas(64) T part[width];
      for (std::size_t k = 0; k < N; ++k) {
        std::fill_n(part, width, from[k][j * step[k]]);
        for (std::size_t i = 0; i < columns - j; ++i) part[i] = from[k][(j + i) * step[k]];
        lanes[k].v = xsimd::load_aligned(part);
      }
      const std::array<Lane<T>, Outputs> results = f(lanes);
      for (std::size_t m = 0; m < Outputs; ++m) {
        results[m].v.store_aligned(part);
        std::copy_n(part, columns - j, to[m] + j);
      }
    }
    for (std::size_t m = 0; m < Outputs; ++m) to[m] += columns;
  });
  return outputs;
}

}  // namespace rw
