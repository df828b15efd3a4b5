#pragma once

#include "autograd/tensor.hpp"

namespace rw::kernels {

/// Rows ids[i] of x [V, ...]: [ids..., ...]. Throws std::invalid_argument naming `op` where an id is not below V.
template <class T>
Tensor<T> gather_rows(const char* op, View<T> x, const Indices& ids);

/// Row ids[i] of `to` [rows, ...] += row i of x [ids..., ...]. Every id must be below `rows`: nothing is checked.
template <class T>
void add_rows(Tensor<T>& to, View<T> x, const Indices& ids);

/// A tensor of `rows` rows whose row ids[i] is the sum of x's rows i; x [ids..., ...].
template <class T>
Tensor<T> scatter_add_rows(const char* op, View<T> x, const Indices& ids, std::size_t rows);

/// y[.., i, ..] = x[.., ids[.., i, ..], ..] along an axis, see rw::gather.
template <class T>
Tensor<T> gather(const char* op, View<T> x, std::size_t axis, const Indices& ids);

/// y[.., ids[.., i, ..], ..] += x[.., i, ..] along an axis that has `extent` in y, see rw::scatter_add.
template <class T>
Tensor<T> scatter_add(const char* op, View<T> x, std::size_t axis, const Indices& ids, std::size_t extent);

}  // namespace rw::kernels
