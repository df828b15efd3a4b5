#pragma once

#include "autograd/tensor.hpp"

namespace rw::kernels {

/// exp(x − m) / Σ exp(x − m) along `axis` with m the largest x. A line of −∞ gives zeros; elements of +∞ share 1.
template <class T>
Tensor<T> softmax(View<T> x, std::size_t axis);

/// x − m − log Σ exp(x − m) along `axis` with m the largest x. A line of −∞ stays so.
template <class T>
Tensor<T> log_softmax(View<T> x, std::size_t axis);

/// y ⊙ (dy − Σ dy ⊙ y) along `axis`, y a softmax; dy and y of one shape.
template <class T>
Tensor<T> softmax_backward(View<T> dy, View<T> y, std::size_t axis);

}  // namespace rw::kernels
