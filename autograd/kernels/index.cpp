#include "autograd/kernels/index.hpp"

namespace rw::kernels {
namespace {

void check_ids(const char* op, const Indices& ids, std::size_t rows) {
  for (const std::int64_t id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= rows)
      fail(op, "indices in [0, " + std::to_string(rows) + ")", "index ", id);
  }
}

// Calls body(k, j): element k of a [outer, n, inner] tensor of indices, and the element they point at along the middle
// axis of a [outer, extent, inner] tensor.
template <class Body>
void for_each_index(const Indices& ids, std::size_t axis, std::size_t extent, Body&& body) {
  const auto split = ids.shape().begin() + static_cast<std::ptrdiff_t>(axis);
  const std::size_t outer = size_of(Shape(ids.shape().begin(), split)), n = *split;
  const std::size_t inner = size_of(Shape(split + 1, ids.shape().end()));
  const std::int64_t* id = ids.data();
  std::size_t k = 0;
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < inner; ++j, ++k) {
        body(k, (o * extent + static_cast<std::size_t>(id[k])) * inner + j);
      }
    }
  }
}

}  // namespace

template <class T>
Tensor<T> gather_rows(const char* op, View<T> x, const Indices& ids) {
  if (x.dimension() == 0) fail(op, "a table of rows", x.shape());
  const std::size_t rows = x.shape(0);
  check_ids(op, ids, rows);
  Shape shape = ids.shape();
  shape.insert(shape.end(), x.shape().begin() + 1, x.shape().end());
  Tensor<T> out = empty<T>(shape);
  const std::size_t width = rows == 0 ? 0 : x.size() / rows;
  T* to = out.data();
  for (const std::int64_t id : ids) to = std::copy_n(x.data() + static_cast<std::size_t>(id) * width, width, to);
  return out;
}

template <class T>
void add_rows(Tensor<T>& to, View<T> x, const Indices& ids) {
  const std::size_t width = ids.size() == 0 ? 0 : x.size() / ids.size();
  const T* from = x.data();
  for (const std::int64_t id : ids) {
    T* row = to.data() + static_cast<std::size_t>(id) * width;
    for (std::size_t j = 0; j < width; ++j) row[j] += from[j];
    from += width;
  }
}

template <class T>
Tensor<T> scatter_add_rows(const char* op, View<T> x, const Indices& ids, std::size_t rows) {
  check_ids(op, ids, rows);
  if (x.dimension() < ids.dimension() || !std::equal(ids.shape().begin(), ids.shape().end(), x.shape().begin())) {
    fail(op, "values whose leading axes are those of the indices", "x ", x.shape(), ", indices ", ids.shape());
  }
  Shape shape{rows};
  shape.insert(shape.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(ids.dimension()), x.shape().end());
  Tensor<T> out = zeros<T>(shape);
  add_rows(out, x, ids);
  return out;
}

template <class T>
Tensor<T> gather(const char* op, View<T> x, std::size_t axis, const Indices& ids) {
  Shape shape = x.shape();
  if (ids.dimension() == x.dimension()) shape[axis] = ids.shape(axis);
  if (ids.shape() != shape) {
    fail(op, "indices of x's extents on all axes but " + std::to_string(axis), "x ", x.shape(), ", indices ",
         ids.shape());
  }
  check_ids(op, ids, x.shape(axis));
  Tensor<T> out = empty<T>(shape);
  const T* from = x.data();
  T* to = out.data();
  for_each_index(ids, axis, x.shape(axis), [&](std::size_t k, std::size_t j) { to[k] = from[j]; });
  return out;
}

template <class T>
Tensor<T> scatter_add(const char* op, View<T> x, std::size_t axis, const Indices& ids, std::size_t extent) {
  if (ids.shape() != x.shape()) fail(op, "indices of x's shape", "x ", x.shape(), ", indices ", ids.shape());
  check_ids(op, ids, extent);
  Shape shape = x.shape();
  shape[axis] = extent;
  Tensor<T> out = zeros<T>(shape);
  const T* from = x.data();
  T* to = out.data();
  for_each_index(ids, axis, extent, [&](std::size_t k, std::size_t j) { to[j] += from[k]; });
  return out;
}

template Tensor<float> gather_rows(const char*, View<float>, const Indices&);
template Tensor<double> gather_rows(const char*, View<double>, const Indices&);
template void add_rows(Tensor<float>&, View<float>, const Indices&);
template void add_rows(Tensor<double>&, View<double>, const Indices&);
template Tensor<float> scatter_add_rows(const char*, View<float>, const Indices&, std::size_t);
template Tensor<double> scatter_add_rows(const char*, View<double>, const Indices&, std::size_t);
template Tensor<float> gather(const char*, View<float>, std::size_t, const Indices&);
template Tensor<double> gather(const char*, View<double>, std::size_t, const Indices&);
template Tensor<float> scatter_add(const char*, View<float>, std::size_t, const Indices&, std::size_t);
template Tensor<double> scatter_add(const char*, View<double>, std::size_t, const Indices&, std::size_t);

}  // namespace rw::kernels
