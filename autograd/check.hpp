#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "autograd/shape.hpp"

namespace rw {

namespace detail {
inline void put(std::ostream& out, const Shape& shape) { out << to_string(shape); }
template <class V>
void put(std::ostream& out, const V& value) {
  out << value;
}
}  // namespace detail

/// Every error of an operation is worded here: `op: expectation; got a [32, 256], b [128, 64]`.
/// `got` is printed part by part. Throws std::invalid_argument.
template <class... Got>
[[noreturn]] void fail(const char* op, const std::string& expectation, const Got&... got) {
  std::ostringstream text;
  text << op << ": expected " << expectation << "; got ";
  (detail::put(text, got), ...);
  throw std::invalid_argument(text.str());
}

/// a and b have the same shape.
void check_same_shape(const char* op, const Shape& a, const Shape& b);

/// x has `rank` axes.
void check_rank(const char* op, const Shape& x, std::size_t rank);

/// The shape a and b broadcast to by NumPy's rule: aligned at the last axis, extents equal or 1.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

/// `axis`, counted from the end where negative, as an index below `rank`.
std::size_t check_axis(const char* op, std::ptrdiff_t axis, const Shape& x);

/// The inner extents of a matrix product agree: a [..., m, k], b [..., k, n] after the transpositions asked for.
void check_inner(const char* op, const Shape& a, const Shape& b, bool transpose_a, bool transpose_b);

}  // namespace rw
