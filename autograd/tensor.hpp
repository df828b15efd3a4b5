#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "autograd/check.hpp"
#include "autograd/shape.hpp"
#include "autograd/storage.hpp"

namespace rw {

/// A row-major tensor on recycled, 64-byte aligned memory.
template <class T>
using Tensor = xt::xarray_container<Storage<T>, xt::layout_type::row_major, Shape>;

/// Row numbers, class numbers and token ids.
using Indices = Tensor<std::int64_t>;

template <class V>
inline constexpr bool is_tensor = false;
template <class T>
inline constexpr bool is_tensor<Tensor<T>> = true;

/// The elements of a tensor, row-major, and its shape, which are kept elsewhere: what kernels read.
template <class T>
class View {
 public:
  View(const T* data, const Shape& shape) : data_(data), shape_(&shape) {}
  View(const Tensor<T>& x) : View(x.data(), x.shape()) {}

  const T* data() const { return data_; }
  const Shape& shape() const { return *shape_; }
  std::size_t shape(std::size_t axis) const { return (*shape_)[axis]; }
  std::size_t size() const { return size_of(*shape_); }
  std::size_t dimension() const { return shape_->size(); }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size(); }

 private:
  const T* data_;
  const Shape* shape_;
};

/// A tensor with unset elements.
template <class T>
Tensor<T> empty(const Shape& shape) {
  return Tensor<T>(shape);
}

template <class T>
Tensor<T> full(const Shape& shape, std::type_identity_t<T> value) {
  return Tensor<T>(shape, value);
}

template <class T>
Tensor<T> zeros(const Shape& shape) {
  return full<T>(shape, T(0));
}

/// A tensor without axes.
template <class T>
Tensor<T> scalar(T value) {
  return full<T>(Shape{}, value);
}

/// A tensor of the given shape holding `values` in row-major order.
/// Throws std::invalid_argument where their number differs from the shape's.
template <class T>
Tensor<T> tensor(const Shape& shape, std::initializer_list<std::type_identity_t<T>> values) {
  if (values.size() != size_of(shape)) {
    fail("tensor", "as many values as the shape holds", "shape ", shape, ", ", values.size(), " values");
  }
  Tensor<T> x(shape);
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

/// The tensor of these elements; as many as the shape holds.
template <class T>
Tensor<T> tensor_of(Storage<T> elements, const Shape& shape) {
  Tensor<T> x;
  x.storage() = std::move(elements);
  x.resize(shape, true);  // allocates nothing: the storage has that size
  return x;
}

/// The same elements under another shape of the same size.
template <class T>
Tensor<T> reshaped(Tensor<T> x, const Shape& shape) {
  x.reshape(shape);
  return x;
}

}  // namespace rw
