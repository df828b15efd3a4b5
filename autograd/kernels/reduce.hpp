#pragma once

#include "autograd/tensor.hpp"

namespace rw {

/// The axes a reduction runs over.
struct Reduce {
  PerAxis<std::ptrdiff_t> axes = {};  // counted from the end where negative; empty: all axes
  bool keep = false;                  // keep them, with extent 1
};

namespace kernels {

/// What a reduction of a shape comes to.
struct Reduction {
  Shape kept;         // the shape with extent 1 at the reduced axes: what the kernels below reduce to
  Shape result;       // the shape of the result: without the reduced axes unless they are kept
  std::size_t count;  // the number of elements that make one
};

/// Throws std::invalid_argument naming `op` where an axis is out of range or given twice.
Reduction reduction(const char* op, const Shape& x, const Reduce& over);

/// The same for reductions that need a number of elements: throws where fewer than `least` make one.
Reduction reduction_of_some(const char* op, const Shape& x, const Reduce& over, std::size_t least = 1);

/// Σ x[0..n), in partial sums side by side and, where n is large, by halves.
template <class T>
T sum(const T* x, std::size_t n);

// The following reduce x over the axes along which `shape` broadcasts to x's shape.
// They throw std::invalid_argument naming `op` where it does not.

/// Σ x.
template <class T>
Tensor<T> sum_to(const char* op, View<T> x, const Shape& shape);

/// Σ (x − c)², c of the given shape.
template <class T>
Tensor<T> sum_squares_to(const char* op, View<T> x, View<T> c, const Shape& shape);

/// The largest x; NaN where there is one, −∞ where there is no element.
template <class T>
Tensor<T> max_to(const char* op, View<T> x, const Shape& shape);

/// log Σ eˣ = m + log Σ exp(x − m) with m the largest x; −∞ where every x is.
template <class T>
Tensor<T> log_sum_exp_to(const char* op, View<T> x, const Shape& shape);

/// √Σ x² = m·√Σ (x / m)² with m the largest |x|, so that no square overflows.
template <class T>
Tensor<T> norm_to(const char* op, View<T> x, const Shape& shape);

/// Repeats x until it has the given shape. Throws std::invalid_argument naming `op` where x does not broadcast to it.
template <class T>
Tensor<T> broadcast_to(const char* op, View<T> x, const Shape& shape);

}  // namespace kernels
}  // namespace rw
