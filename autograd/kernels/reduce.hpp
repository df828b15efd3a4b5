#pragma once

#include "autograd/tensor.hpp"

namespace rw::kernels {

/// Σ x[0..n), in several partial sums side by side.
template <class T>
T sum(const T* x, std::size_t n);

/// Sums x over the axes along which `shape` broadcasts to x's shape.
/// Throws std::invalid_argument naming `op` where it does not.
template <class T>
Tensor<T> sum_to(const char* op, const Tensor<T>& x, const Shape& shape);

/// Repeats x until it has the given shape. Throws std::invalid_argument naming `op` where x does not broadcast to it.
template <class T>
Tensor<T> broadcast_to(const char* op, const Tensor<T>& x, const Shape& shape);

}  // namespace rw::kernels
