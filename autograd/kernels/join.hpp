#pragma once

#include <span>

#include "autograd/tensor.hpp"

namespace rw::kernels {

/// A block of columns of a tensor seen as a matrix of some number of rows.
struct Part {
  Shape shape;            // of the block as a tensor of its own
  std::size_t begin = 0;  // its first column
};

/// A part of x seen as `rows` rows.
template <class T>
Tensor<T> cut(const Tensor<T>& x, std::size_t rows, const Part& part);

/// A tensor of `shape`, seen as `rows` rows, with xs[i] at parts[i] and 0 where there is no part.
template <class T>
Tensor<T> join(std::span<const Tensor<T>* const> xs, std::size_t rows, std::span<const Part> parts, const Shape& shape);

}  // namespace rw::kernels
