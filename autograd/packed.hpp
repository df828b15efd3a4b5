#pragma once

#include "autograd/tensor.hpp"

namespace rw {

/// What is added to a product: nothing, or rows `stride` apart; 0: one row to all.
template <class T>
struct Addend {
  const T* data = nullptr;
  std::size_t stride = 0;
};

/// A matrix B [k, n], or its transpose, laid out anew for products with few rows: panels of as many columns as a tile
/// of the product has, one after the other, so that a product reads it from front to end and asks for the next panel
/// ahead of time. Where B does not fit the second cache that is 1.1 to 1.6 times as fast as gemm(), and 1.5 to 3 times
/// where that would read B transposed. A row of the product does not depend on how many rows there are.
template <class T>
class Packed {
 public:
  Packed(View<T> b, bool transposed);

  /// C = A·B, plus D where there is one, which may be C itself. A [m, k], C and D [m, n] row-major.
  void multiply(std::size_t m, const T* a, Addend<T> d, T* c) const;

  /// Whether a product of m rows that finds B packed is faster than gemm(). False where the library was compiled for a
  /// processor without AVX2: the multiplications of gemm() look at the processor themselves.
  static bool pays(std::size_t m, std::size_t k, std::size_t n);

 private:
  void multiply_panels(std::size_t from, std::size_t to, std::size_t m, const T* a, Addend<T> d, T* c) const;

  std::size_t k_, n_;
  Storage<T> panels_;
};

extern template class Packed<float>;
extern template class Packed<double>;

}  // namespace rw
