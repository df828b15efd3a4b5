#include "autograd/kernels/reduce.hpp"

#include <cmath>
#include <limits>

#include "autograd/kernels/broadcast.hpp"
#include "autograd/lane.hpp"

namespace rw::kernels {
namespace {

void check_broadcasts(const char* op, const Shape& from, const Shape& to) {
  bool ok = from.size() <= to.size();
  for (std::size_t i = 0; ok && i < from.size(); ++i) {
    ok = from[i] == to[to.size() - from.size() + i] || from[i] == 1;
  }
  if (!ok) fail(op, "a shape that broadcasts to " + to_string(to), from);
}

// How two results become one, on numbers and on batches.
struct Plus {
  auto operator()(const auto& a, const auto& b) const { return a + b; }
};
struct Larger {
  template <class X>
  X operator()(const X& a, const X& b) const {
    if constexpr (std::is_arithmetic_v<X>) {
      return b > a || std::isnan(b) ? b : a;
    } else {
      return xsimd::select(b > a || !(b == b), b, a);  // != is false for NaN with AVX-512
    }
  }
};

template <class T>
constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

// 0, 1, 2, ...
template <class T>
alignas(64) constexpr auto lane_numbers = [] {
  std::array<T, lane_size<T>> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<T>(i);
  return numbers;
}();

// combine(neutral, term(x[0], c), ..., term(x[n - 1], c)), long rows by halves so that rounding errors stay small.
template <class T, class Combine, class Term>
T fold_row(const T* x, std::size_t n, T c, T neutral, Combine combine, Term term) {
  using Batch = Simd<T>;
  constexpr std::size_t width = lane_size<T>, longest = 4096;
  if (n > longest) {
    const std::size_t half = n / 2 / width * width;
    return combine(fold_row(x, half, c, neutral, combine, term),
                   fold_row(x + half, n - half, c, neutral, combine, term));
  }
  const Batch by(c);
  Batch a(neutral), b(neutral);
  std::size_t i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    a = combine(a, term(load_simd(x + i), by));
    b = combine(b, term(load_simd(x + i + width), by));
  }
  if (i + width <= n) {
    a = combine(a, term(load_simd(x + i), by));
    i += width;
  }
  alignas(64) T part[width];
  if (i < n) {
    std::fill(std::copy(x + i, x + n, part), part + width, c);
    const Batch rest = term(Batch::load_aligned(part), by);
    b = combine(b, xsimd::select(Batch::load_aligned(lane_numbers<T>.data()) < Batch(T(n - i)), rest, Batch(neutral)));
  }
  combine(a, b).store_aligned(part);
  for (std::size_t half = width / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) part[k] = combine(part[k], part[k + half]);
  }
  return part[0];
}

// The same for n results at once: to[j] = combine(to[j], term(x[j], c[j])).
template <class T, class Combine, class Term>
void fold_columns(const T* x, std::size_t n, const T* c, T* to, Combine combine, Term term) {
  using Batch = Simd<T>;
  constexpr std::size_t width = lane_size<T>;
  std::size_t j = 0;
  for (; j + width <= n; j += width) {
    const Batch value = term(load_simd(x + j), load_simd(c + j));
    combine(Batch::load_unaligned(to + j), value).store_unaligned(to + j);
  }
  if (j == n) return;
  alignas(64) T part[width], by[width];
  std::fill(std::copy(x + j, x + n, part), part + width, x[j]);
  std::fill(std::copy(c + j, c + n, by), by + width, c[j]);
  term(Batch::load_aligned(part), Batch::load_aligned(by)).store_aligned(part);
  for (std::size_t i = 0; j < n; ++i, ++j) to[j] = combine(to[j], part[i]);
}

// Folds x into a tensor of the given shape, over the axes along which that repeats in x. c points to an element for
// each of the result's, or to nothing where term does not read it.
template <class T, class Combine, class Term>
Tensor<T> fold_to(const char* op, View<T> x, const Shape& shape, const T* c, T neutral, Combine combine, Term term) {
  check_broadcasts(op, shape, x.shape());
  Tensor<T> out = full<T>(shape, neutral);
  if (x.size() == 0) return out;
  if (c == nullptr) c = out.data();
  const auto plan = broadcast_plan<1>(x.shape(), {&shape});
  const std::size_t last = plan.axes - 1, columns = plan.extent[last];
  const T* from = x.data();
  for_each_row(plan, [&](const std::array<std::size_t, 1>& offset) {
    T* to = out.data() + offset[0];
    const T* by = c + offset[0];
    if (plan.stride[last][0] == 0) {
      *to = combine(*to, fold_row(from, columns, *by, neutral, combine, term));
    } else {
      fold_columns(from, columns, by, to, combine, term);
    }
    from += columns;
  });
  return out;
}

constexpr auto itself = [](const auto& x, const auto&) { return x; };

}  // namespace

Reduction reduction(const char* op, const Shape& x, const Reduce& over) {
  PerAxis<bool> reduced(x.size(), over.axes.empty());
  for (const std::ptrdiff_t axis : over.axes) {
    const std::size_t i = check_axis(op, axis, x);
    if (reduced[i]) fail(op, "distinct axes", "axis ", axis, " of x ", x, " twice");
    reduced[i] = true;
  }
  Reduction r{x, {}, 1};
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (reduced[i]) {
      r.count *= x[i];
      r.kept[i] = 1;
    }
    if (!reduced[i] || over.keep) r.result.push_back(r.kept[i]);
  }
  return r;
}

Reduction reduction_of_some(const char* op, const Shape& x, const Reduce& over, std::size_t least) {
  Reduction r = reduction(op, x, over);
  if (r.count < least) {
    fail(op, "at least " + std::to_string(least) + (least == 1 ? " element" : " elements") + " to reduce", "x ", x,
         " with ", r.count);
  }
  return r;
}

template <class T>
T sum(const T* x, std::size_t n) {
  return fold_row(x, n, T(0), T(0), Plus(), itself);
}

template <class T>
Tensor<T> sum_to(const char* op, View<T> x, const Shape& shape) {
  return fold_to<T>(op, x, shape, nullptr, T(0), Plus(), itself);
}

template <class T>
Tensor<T> sum_squares_to(const char* op, View<T> x, View<T> c, const Shape& shape) {
  return fold_to(op, x, shape, c.data(), T(0), Plus(), [](const auto& x, const auto& c) { return (x - c) * (x - c); });
}

template <class T>
Tensor<T> max_to(const char* op, View<T> x, const Shape& shape) {
  return fold_to<T>(op, x, shape, nullptr, minus_infinity<T>, Larger(), itself);
}

template <class T>
Tensor<T> log_sum_exp_to(const char* op, View<T> x, const Shape& shape) {
  Tensor<T> m = max_to(op, x, shape);
  for (T& value : m) {
    if (std::isinf(value)) value = 0;  // exp(x) is then 0 or ∞, where exp(x − m) would be NaN
  }
  Tensor<T> y =
      fold_to(op, x, shape, m.data(), T(0), Plus(), [](const auto& x, const auto& m) { return xsimd::exp(x - m); });
  for (std::size_t i = 0; i < y.size(); ++i) y.data()[i] = m.data()[i] + std::log(y.data()[i]);
  return y;
}

template <class T>
Tensor<T> norm_to(const char* op, View<T> x, const Shape& shape) {
  Tensor<T> m =
      fold_to<T>(op, x, shape, nullptr, T(0), Larger(), [](const auto& x, const auto&) { return xsimd::abs(x); });
  for (T& value : m) {
    if (value == 0 || std::isinf(value)) value = 1;
  }
  Tensor<T> y =
      fold_to(op, x, shape, m.data(), T(0), Plus(), [](const auto& x, const auto& m) { return (x / m) * (x / m); });
  for (std::size_t i = 0; i < y.size(); ++i) y.data()[i] = m.data()[i] * std::sqrt(y.data()[i]);
  return y;
}

template <class T>
Tensor<T> broadcast_to(const char* op, View<T> x, const Shape& shape) {
  check_broadcasts(op, x.shape(), shape);
  Tensor<T> out = empty<T>(shape);
  if (x.shape() == shape) {
    std::copy_n(x.data(), x.size(), out.data());
    return out;
  }
  if (out.size() == 0) return out;
  const auto plan = broadcast_plan<1>(shape, {&x.shape()});
  const std::size_t last = plan.axes - 1, columns = plan.extent[last];
  T* to = out.data();
  for_each_row(plan, [&](const std::array<std::size_t, 1>& offset) {
    const T* from = x.data() + offset[0];
    if (plan.stride[last][0] == 0) {
      std::fill_n(to, columns, *from);
    } else {
      std::copy_n(from, columns, to);
    }
    to += columns;
  });
  return out;
}

#define INSTANTIATE(T)                                                            \
  template T sum(const T*, std::size_t);                                          \
  template Tensor<T> sum_to(const char*, View<T>, const Shape&);                  \
  template Tensor<T> sum_squares_to(const char*, View<T>, View<T>, const Shape&); \
  template Tensor<T> max_to(const char*, View<T>, const Shape&);                  \
  template Tensor<T> log_sum_exp_to(const char*, View<T>, const Shape&);          \
  template Tensor<T> norm_to(const char*, View<T>, const Shape&);                 \
  template Tensor<T> broadcast_to(const char*, View<T>, const Shape&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace rw::kernels
