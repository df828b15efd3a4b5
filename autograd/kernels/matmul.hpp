#pragma once

#include "autograd/packed.hpp"

namespace rw {

/// Which operands of a matrix product are read transposed.
enum class Transpose { none, a, b, both };

namespace kernels {

/// a·b, see rw::matmul. `packed` is b as it is read, where that is known; a is then not transposed.
template <class T>
Tensor<T> matmul(const char* op, View<T> a, View<T> b, Transpose transpose, const Packed<T>* packed = nullptr);

/// x·w + b with w [k, n] and b broadcast to the product's shape.
template <class T>
Tensor<T> affine(const char* op, View<T> x, View<T> w, View<T> b, const Packed<T>* packed = nullptr);

}  // namespace kernels
}  // namespace rw
