#pragma once

#include "autograd/tensor.hpp"

namespace rw::kernels {

/// The columns from `begin` on of x seen as `rows` rows, as a tensor of the given shape.
template <class T>
Tensor<T> cut(View<T> x, std::size_t rows, std::size_t begin, const Shape& shape);

/// Writes part, seen as `rows` rows, to the columns of `to` from `begin` on.
template <class T>
void paste(Tensor<T>& to, std::size_t rows, std::size_t begin, View<T> part);

}  // namespace rw::kernels
