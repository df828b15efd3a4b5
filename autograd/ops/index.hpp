#pragma once

#include "autograd/kernels/index.hpp"
#include "autograd/record.hpp"

namespace rw {

/// A [rows, ...] tensor whose row ids[i] is the sum of x's rows i.   x [ids..., ...].
/// Throws std::invalid_argument where an index is not below `rows` or x does not begin with the axes of the indices.
template <class T>
Variable<T> scatter_add_rows(const Variable<T>& x, const Indices& ids, std::size_t rows);

/// Rows ids[i] of x.   x [V, ...], ids [n...] -> [n..., ...]. The gradient is row-sparse: it holds the rows read.
/// Throws std::invalid_argument where an index is not below V.
template <class T>
Variable<T> gather_rows(const Variable<T>& x, const Indices& ids) {
  Tensor<T> y = kernels::gather_rows("gather_rows", x.view(), ids);
  return record(moving("gather_rows"), std::move(y),
                wrt(x, [ids = ids, rows = x.shape().front()](const Variable<T>& dy) {
                  return RowSparse<T>{ids, dy, rows};
                }));
}

template <class T>
Variable<T> scatter_add_rows(const Variable<T>& x, const Indices& ids, std::size_t rows) {
  return record("scatter_add_rows", kernels::scatter_add_rows("scatter_add_rows", x.view(), ids, rows),
                wrt(x, [ids = ids](const Variable<T>& dy) { return gather_rows(dy, ids); }));
}

template <class T>
Variable<T> scatter_add(const Variable<T>& x, std::ptrdiff_t axis, const Indices& ids, std::size_t extent);

/// y[.., i, ..] = x[.., ids[.., i, ..], ..] along an axis.   x [.., n, ..], ids [.., k, ..] -> [.., k, ..].
/// Throws std::invalid_argument where the indices have other extents off the axis, or one is not below n.
template <class T>
Variable<T> gather(const Variable<T>& x, std::ptrdiff_t axis, const Indices& ids) {
  const std::size_t a = check_axis("gather", axis, x.shape());
  return record(moving("gather"), kernels::gather("gather", x.view(), a, ids),
                wrt(x, [axis, ids = ids, extent = x.shape()[a]](const Variable<T>& dy) {
                  return scatter_add(dy, axis, ids, extent);
                }));
}

/// y[.., ids[.., i, ..], ..] += x[.., i, ..] along an axis, from y = 0 on: the transpose of gather().
/// x [.., k, ..], ids [.., k, ..] -> [.., extent, ..]. Indices may repeat.
/// Throws std::invalid_argument where the shapes of x and the indices differ, or an index is not below `extent`.
template <class T>
Variable<T> scatter_add(const Variable<T>& x, std::ptrdiff_t axis, const Indices& ids, std::size_t extent) {
  const std::size_t a = check_axis("scatter_add", axis, x.shape());
  return record("scatter_add", kernels::scatter_add("scatter_add", x.view(), a, ids, extent),
                wrt(x, [axis, ids = ids](const Variable<T>& dy) { return gather(dy, axis, ids); }));
}

}  // namespace rw
