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
  return record("gather_rows", kernels::gather_rows("gather_rows", x.value(), ids),
                wrt(x, [ids, rows = x.shape().front()](const Variable<T>& dy) {
                  return RowSparse<T>{ids, dy, rows};
                }));
}

template <class T>
Variable<T> scatter_add_rows(const Variable<T>& x, const Indices& ids, std::size_t rows) {
  return record("scatter_add_rows", kernels::scatter_add_rows("scatter_add_rows", x.value(), ids, rows),
                wrt(x, [ids](const Variable<T>& dy) { return gather_rows(dy, ids); }));
}

}  // namespace rw
