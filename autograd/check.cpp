#include "autograd/check.hpp"

#include <algorithm>

namespace rw {

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

void fail_axes(std::size_t axes) { fail("shape", "at most 8 axes", axes); }

void check_same_shape(const char* op, const Shape& a, const Shape& b) {
  if (a != b) fail(op, "equal shapes", "a ", a, ", b ", b);
}

void check_rank(const char* op, const Shape& x, std::size_t rank) {
  if (x.size() != rank) fail(op, std::to_string(rank) + " axes", "x ", x);
}

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const std::size_t shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::size_t& extent = out[shift + i];
    if (extent == shorter[i] || shorter[i] == 1) continue;
    if (extent != 1) fail(op, "shapes that broadcast", "a ", a, ", b ", b);
    extent = shorter[i];
  }
  return out;
}

std::size_t check_axis(const char* op, std::ptrdiff_t axis, const Shape& x) {
  const auto rank = static_cast<std::ptrdiff_t>(x.size());
  if (axis < -rank || axis >= rank) {
    fail(op, "an axis in [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")", "axis ", axis, " of x ", x);
  }
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

void check_inner(const char* op, const Shape& a, const Shape& b, bool transpose_a, bool transpose_b) {
  if (a.size() < 2 || b.size() < 2) fail(op, "matrices or batches of matrices", "a ", a, ", b ", b);
  const std::size_t inner_a = a[a.size() - (transpose_a ? 2 : 1)];
  const std::size_t inner_b = b[b.size() - (transpose_b ? 1 : 2)];
  if (inner_a != inner_b) {
    const auto name = [](const char* x, bool t) { return std::string(x) + (t ? " (transposed) " : " "); };
    fail(op, "equal inner extents", name("a", transpose_a), a, ", ", name("b", transpose_b), b);
  }
}

}  // namespace rw
