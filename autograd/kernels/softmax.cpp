#include "autograd/kernels/softmax.hpp"

#include <limits>

#include "autograd/lane.hpp"

namespace rw::kernels {
namespace {

template <class T>
constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

// Reads or writes the first `lanes` lanes of a batch; the others are read as `filler`. The loops of fixed length become
// single masked instructions where the processor has them.
template <class T>
Simd<T> load(const T* x, std::size_t lanes, T filler) {
  if (lanes == lane_size<T>) return load_simd(x);
  alignas(64) T part[lane_size<T>];
  for (std::size_t i = 0; i < lane_size<T>; ++i) part[i] = i < lanes ? x[i] : filler;
  return load_simd(part);
}
template <class T>
void store(const Simd<T>& value, T* y, std::size_t lanes) {
  if (lanes == lane_size<T>) return value.store_unaligned(y);
  alignas(64) T part[lane_size<T>];
  value.store_aligned(part);
  for (std::size_t i = 0; i < lane_size<T>; ++i) {
    if (i < lanes) y[i] = part[i];
  }
}

// A walk in batches along one line of a tensor, or along neighbouring lines side by side, each in its own lane.
template <class T>
struct Walk {
  using Batch = Simd<T>;

  std::size_t first, steps, stride;
  std::size_t lanes, last_lanes;  // used in each batch, and in the last one
  bool one_line;

  // f(offset, lanes) for every batch.
  template <class F>
  void each(F&& f) const {
    std::size_t at = first;
    for (std::size_t i = 1; i < steps; ++i, at += stride) f(at, lanes);
    f(at, last_lanes);
  }

  Batch max(const T* x) const {
    Batch m(minus_infinity<T>);
    each([&](std::size_t at, std::size_t k) { m = xsimd::max(m, load(x + at, k, minus_infinity<T>)); });
    if (!one_line) return m;
    alignas(64) T lane[lane_size<T>];
    m.store_aligned(lane);
    return Batch(*std::max_element(lane, lane + lane_size<T>));
  }

  // Σ f(offset, lanes); f is 0 in unused lanes.
  template <class F>
  Batch sum(F&& f) const {
    Batch total(T(0));
    each([&](std::size_t at, std::size_t k) { total += f(at, k); });
    return one_line ? Batch(xsimd::hadd(total)) : total;
  }
};

template <class T, class F>
void for_each_walk(const Shape& shape, std::size_t axis, F&& f) {
  if (size_of(shape) == 0) return;
  constexpr std::size_t width = lane_size<T>;
  const std::size_t n = shape[axis], inner = size_of(Shape(shape.begin() + axis + 1, shape.end()));
  for (std::size_t first = 0; first < size_of(shape); first += n * inner) {
    if (inner == 1) {
      const std::size_t steps = (n + width - 1) / width;
      f(Walk<T>{first, steps, width, width, n - (steps - 1) * width, true});
      continue;
    }
    for (std::size_t j = 0; j < inner; j += width) {
      const std::size_t lanes = std::min(width, inner - j);
      f(Walk<T>{first + j, n, inner, lanes, lanes, false});
    }
  }
}

// The largest x, or 0 where it is −∞.
template <class T>
Simd<T> shift_of(const Walk<T>& walk, const T* x) {
  const Simd<T> m = walk.max(x);
  return xsimd::select(m == Simd<T>(minus_infinity<T>), Simd<T>(T(0)), m);
}

// x − m, also where both are +∞.
template <class T>
Simd<T> shifted(const Simd<T>& x, const Simd<T>& m) {
  return xsimd::select(x == m, Simd<T>(T(0)), x - m);
}

}  // namespace

template <class T>
Tensor<T> softmax(View<T> x, std::size_t axis) {
  using Batch = Simd<T>;
  Tensor<T> out = empty<T>(x.shape());
  const T* from = x.data();
  T* y = out.data();
  for_each_walk<T>(x.shape(), axis, [&](const Walk<T>& walk) {
    const Batch m = shift_of(walk, from);
    const Batch total = walk.sum([&](std::size_t at, std::size_t k) {
      const Batch e = xsimd::exp(shifted(load(from + at, k, minus_infinity<T>), m));
      store(e, y + at, k);
      return e;
    });
    const Batch scale = xsimd::select(total == Batch(T(0)), total, Batch(T(1)) / total);
    walk.each([&](std::size_t at, std::size_t k) { store(load(y + at, k, T(0)) * scale, y + at, k); });
  });
  return out;
}

template <class T>
Tensor<T> log_softmax(View<T> x, std::size_t axis) {
  using Batch = Simd<T>;
  Tensor<T> out = empty<T>(x.shape());
  const T* from = x.data();
  T* y = out.data();
  for_each_walk<T>(x.shape(), axis, [&](const Walk<T>& walk) {
    const Batch m = shift_of(walk, from);
    const Batch total = walk.sum(
        [&](std::size_t at, std::size_t k) { return xsimd::exp(shifted(load(from + at, k, minus_infinity<T>), m)); });
    const Batch log_total = xsimd::select(total == Batch(T(0)), total, xsimd::log(total));
    walk.each(
        [&](std::size_t at, std::size_t k) { store(shifted(load(from + at, k, T(0)), m) - log_total, y + at, k); });
  });
  return out;
}

template <class T>
Tensor<T> softmax_backward(View<T> dy, View<T> y, std::size_t axis) {
  Tensor<T> out = empty<T>(y.shape());
  const T *a = dy.data(), *b = y.data();
  T* dx = out.data();
  for_each_walk<T>(y.shape(), axis, [&](const Walk<T>& walk) {
    const auto total =
        walk.sum([&](std::size_t at, std::size_t k) { return load(a + at, k, T(0)) * load(b + at, k, T(0)); });
    walk.each([&](std::size_t at, std::size_t k) {
      store(load(b + at, k, T(0)) * (load(a + at, k, T(0)) - total), dx + at, k);
    });
  });
  return out;
}

template Tensor<float> softmax(View<float>, std::size_t);
template Tensor<double> softmax(View<double>, std::size_t);
template Tensor<float> log_softmax(View<float>, std::size_t);
template Tensor<double> log_softmax(View<double>, std::size_t);
template Tensor<float> softmax_backward(View<float>, View<float>, std::size_t);
template Tensor<double> softmax_backward(View<double>, View<double>, std::size_t);

}  // namespace rw::kernels
