#pragma once

#include "autograd/tensor.hpp"

// Normalisation of rows, a tensor [..., n] seen as rows of n elements, none where it has no element.

namespace rw::kernels {

/// (x − mean)/σ ⊙ gain + shift of every row, σ = √(variance + ε), and what the way back needs of the rows.
template <class T>
struct Normalized {
  Tensor<T> y;
  Tensor<T> moments;  // [rows, 2]: the mean, counted from the row's first element, and 1/σ
};

/// The shift is [n] or [..., n] like x.
template <class T>
Normalized<T> layer_norm(View<T> x, View<T> gain, View<T> shift, double epsilon);

/// The way back of dy, [..., n] like x and dx. Adds to dgain [n]; dx may be where dy is.
template <class T>
void layer_norm_backward(View<T> dy, View<T> x, View<T> gain, View<T> moments, T* dx, Tensor<T>& dgain);

}  // namespace rw::kernels
