#pragma once

#include <cstddef>

#include "autograd/tensor.hpp"

namespace rw {

/// A row-major matrix in memory, read as it lies or transposed.
template <class T>
struct MatrixView {
  const T* data;
  std::size_t stride;  // from row to row, in elements
  bool transposed = false;
};

/// C = A·B + beta·C with A [m, k], B [k, n] after their transpositions and C [m, n] with rows `c_stride` apart.
/// Every product of the library goes through here.
template <class T>
void gemm(std::size_t m, std::size_t n, std::size_t k, MatrixView<T> a, MatrixView<T> b, T beta, T* c,
          std::size_t c_stride);

/// The threads inside one product; 1 where the batch is already shared out among threads. Small products take one.
void set_gemm_threads(int threads);

/// Among how many threads a product of so many multiplications is shared out.
int gemm_threads(std::size_t multiplications);

/// Q of the thin QR factorisation of `a` [m, n], m >= n, with the signs that make R's diagonal positive, so that a
/// Gaussian `a` gives a uniformly distributed Q (Mezzadri 2007). Throws std::invalid_argument where m < n.
Tensor<double> orthonormal_columns(const Tensor<double>& a);

}  // namespace rw
