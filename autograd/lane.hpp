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
#include "autograd/tape.hpp"

namespace rw {

/// The numbers that the processor computes with at once, and how they are read. Without optimisation g++ does not take
/// xsimd's selections by AVX-512BW.
#if defined(__AVX512BW__) && !defined(__OPTIMIZE__) && !defined(__clang__)
template <class T>
using Simd = xsimd::batch<T, xsimd::avx512dq>;
#else
template <class T>
using Simd = xsimd::batch<T>;
#endif
template <class T>
Simd<T> load_simd(const T* from) {
  return Simd<T>::load_unaligned(from);
}

/// A SIMD group of elements. All elementwise functions of the library work on lanes, so elementwise code is written
/// once for lanes, dual numbers and variables.
template <class T>
struct Lane {
  using value_type = T;
  Simd<T> v;
};

template <class T>
inline constexpr std::size_t lane_size = Simd<T>::size;

namespace detail {

/// to[m][i] = f(from[k][i·step[k]]...)[m] for i < n, lane by lane; a step is 0 or 1. An output may lie on an input.
/// Where `far`, it asks for the elements that lie next[k] behind those of input k, and next[N + m] behind output m.
/// Everything is inlined into it (flatten): for the chain rule in f this is worth a third of the time.
template <class T, std::size_t N, std::size_t M, bool far = false, class F>
[[gnu::noinline, gnu::flatten]] void map_row(std::array<const T*, N> from, std::array<std::size_t, N> step,
                                             std::array<T*, M> to, std::size_t n, const F& f,
                                             const std::array<std::size_t, N + M>& next = {}) {
  constexpr std::size_t width = lane_size<T>;
  const F own = f;                   // numbers that it captures are read once, not again after each store
  alignas(64) T repeated[N][width];  // what repeats along the row is read from here, and so is a short row
  alignas(64) T last[M][width];
  bool apart = true;
  std::array<std::size_t, N> moves;  // all bits where an input goes on along the row, else none
  for (std::size_t k = 0; k < N; ++k) {
    moves[k] = -step[k];
    for (std::size_t m = 0; m < M; ++m) apart = apart && from[k] != to[m];
    if (step[k] == 0 && n > 0) {
      std::fill_n(repeated[k], width, *from[k]);
      from[k] = repeated[k];
    }
  }
  for (std::size_t i = 0; i < n; i += width) {
    const std::size_t left = n - i;
    const bool part = left < width && (n < width || !apart);
    if (part) {
      for (std::size_t k = 0; k < N; ++k) {
        if (step[k] == 0) continue;
        for (std::size_t j = 0; j < width; ++j) repeated[k][j] = from[k][i + std::min(j, left - 1)];
        from[k] = repeated[k];
        moves[k] = 0;
      }
    } else if (left < width) {
      i = n - width;  // the last lane computes some elements a second time
    }
    // Pointers that went on themselves would be added to as vectors, then taken apart again: slower than the gates.
    std::array<Lane<T>, N> lanes;
    for (std::size_t k = 0; k < N; ++k) lanes[k].v = load_simd(from[k] + (i & moves[k]));
    if constexpr (far) {
      for (std::size_t k = 0; k < N; ++k) __builtin_prefetch(from[k] + (i & moves[k]) + next[k]);
      for (std::size_t m = 0; m < M; ++m) __builtin_prefetch(to[m] + i + next[N + m], 1);
    }
    const std::array<Lane<T>, M> results = own(lanes);
    if (!part) {
      for (std::size_t m = 0; m < M; ++m) results[m].v.store_unaligned(to[m] + i);
    } else {
      for (std::size_t m = 0; m < M; ++m) {
        results[m].v.store_aligned(last[m]);
        std::copy_n(last[m], left, to[m] + i);
      }
    }
  }
}

/// The same for every row of a plan whose entries are the N inputs, then the M outputs. Where `far`, the next row,
/// which may lie in no cache and is too short for the processor to see it coming, is asked for.
template <class T, std::size_t N, std::size_t M, bool far = false, class F>
void map_rows(const kernels::BroadcastPlan<N + M>& plan, const std::array<const T*, N>& from,
              const std::array<T*, M>& to, const F& f) {
  const std::size_t last = plan.axes - 1;
  std::array<std::size_t, N> step;
  for (std::size_t k = 0; k < N; ++k) step[k] = plan.stride[last][k];
  std::array<std::size_t, N + M> next;
  next.fill(16 * lane_size<T>);
  if (last > 0) next = plan.stride[last - 1];
  kernels::for_each_row(plan, [&](const std::array<std::size_t, N + M>& offset) {
    std::array<const T*, N> in;
    std::array<T*, M> out;
    for (std::size_t k = 0; k < N; ++k) in[k] = from[k] + offset[k];
    for (std::size_t m = 0; m < M; ++m) out[m] = to[m] + offset[N + m];
    map_row<T, N, M, far>(in, step, out, plan.extent[last], f, next);
  });
}

}  // namespace detail

/// f(inputs...) elementwise with broadcasting; f takes std::array<Lane<T>, N> and returns a Lane<T>. The result has the
/// shape the inputs broadcast to. Throws std::invalid_argument naming `op` where they do not broadcast.
template <class T, std::size_t N, class F>
inline Variable<T> map_lanes(const char* op, const std::array<View<T>, N>& inputs, F&& f, const Into<T>& into = {}) {
  const auto lanes = [&](const auto& in) { return std::array<Lane<T>, 1>{f(in)}; };
  const Shape* widest = &inputs[0].shape();
  bool alike = true;  // element by element, without repetition
  for (std::size_t k = 1; k < N; ++k) {
    alike = alike && alike_but_ones(inputs[k].shape(), *widest);
    if (inputs[k].dimension() > widest->size()) widest = &inputs[k].shape();
  }

  std::array<const T*, N> from;
  for (std::size_t k = 0; k < N; ++k) from[k] = inputs[k].data();
  if (alike) {
    Variable<T> output = into.make(*widest);
    std::array<std::size_t, N> step;
    step.fill(1);
    detail::map_row<T, N, 1>(from, step, {output.fresh()}, inputs[0].size(), lanes);
    return output;
  }
  Shape shape = inputs[0].shape();
  for (std::size_t k = 1; k < N; ++k) shape = broadcast_shape(op, shape, inputs[k].shape());
  Variable<T> output = into.make(shape);
  if (size_of(shape) == 0) return output;
  std::array<const Shape*, N + 1> shapes;
  shapes.fill(&shape);
  for (std::size_t k = 0; k < N; ++k) shapes[k] = &inputs[k].shape();
  detail::map_rows<T, N, 1>(kernels::broadcast_plan<N + 1>(shape, shapes), from, {output.fresh()}, lanes);
  return output;
}

}  // namespace rw
