#pragma once

#include "autograd/tensor.hpp"

namespace rw::kernels {

/// Steps in elements, one an axis; negative where an axis is read backwards.
using Steps = PerAxis<std::ptrdiff_t>;

/// The row-major steps of `shape`.
Steps steps_of(const Shape& shape);

/// Elements of a tensor: element i of `shape` stands at offset + Σ i[a]·step[a]. No element stands there twice.
struct Region {
  Shape shape;
  std::ptrdiff_t offset = 0;
  Steps step;
};

/// The elements of x in the region, row-major: [region.shape].
template <class T>
Tensor<T> read_region(View<T> x, const Region& region);

/// A tensor of `shape` with x in the region and `fill` elsewhere; x [region.shape].
template <class T>
Tensor<T> write_region(View<T> x, const Region& region, const Shape& shape, T fill);

/// Copies `rows` rows of `width` elements; the steps lead from a row to the next.
template <class T>
void copy_rows(const T* from, std::ptrdiff_t from_step, T* to, std::ptrdiff_t to_step, std::size_t rows,
               std::size_t width);

}  // namespace rw::kernels
