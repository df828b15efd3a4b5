#include "autograd/kernels/index.hpp"

namespace rw::kernels {
namespace {

void check_ids(const char* op, const Indices& ids, std::size_t rows) {
  for (const std::int64_t id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= rows)
      fail(op, "indices in [0, " + std::to_string(rows) + ")", "index ", id);
  }
}

}  // namespace

template <class T>
Tensor<T> gather_rows(const char* op, const Tensor<T>& x, const Indices& ids) {
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
Tensor<T> scatter_add_rows(const char* op, const Tensor<T>& x, const Indices& ids, std::size_t rows) {
  check_ids(op, ids, rows);
  if (x.dimension() < ids.dimension() || !std::equal(ids.shape().begin(), ids.shape().end(), x.shape().begin())) {
    fail(op, "values whose leading axes are those of the indices", "x ", x.shape(), ", indices ", ids.shape());
  }
  Shape shape{rows};
  shape.insert(shape.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(ids.dimension()), x.shape().end());
  Tensor<T> out = zeros<T>(shape);
  const std::size_t width = ids.size() == 0 ? 0 : x.size() / ids.size();
  const T* from = x.data();
  for (const std::int64_t id : ids) {
    T* to = out.data() + static_cast<std::size_t>(id) * width;
    for (std::size_t j = 0; j < width; ++j) to[j] += from[j];
    from += width;
  }
  return out;
}

template Tensor<float> gather_rows(const char*, const Tensor<float>&, const Indices&);
template Tensor<double> gather_rows(const char*, const Tensor<double>&, const Indices&);
template Tensor<float> scatter_add_rows(const char*, const Tensor<float>&, const Indices&, std::size_t);
template Tensor<double> scatter_add_rows(const char*, const Tensor<double>&, const Indices&, std::size_t);

}  // namespace rw::kernels
