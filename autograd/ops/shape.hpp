#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "autograd/kernels/layout.hpp"
#include "autograd/record.hpp"

// Ops that rearrange the elements of one tensor. Axes count from the end where negative.

namespace rw {
namespace detail {

// Where a new axis goes: an index up to the rank of x.
inline std::size_t check_new_axis(const char* op, std::ptrdiff_t axis, const Shape& x) {
  const auto rank = static_cast<std::ptrdiff_t>(x.size()) + 1;
  if (axis < -rank || axis >= rank) {
    fail(op, "a new axis in [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")", "axis ", axis, ", x ", x);
  }
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

// The axes as indices. No axis may stand there twice.
inline std::vector<std::size_t> check_axes(const char* op, const std::vector<std::ptrdiff_t>& axes, const Shape& x) {
  std::vector<std::size_t> out;
  for (const std::ptrdiff_t axis : axes) {
    out.push_back(check_axis(op, axis, x));
    if (std::count(out.begin(), out.end(), out.back()) > 1) fail(op, "distinct axes", "axis ", axis, " twice");
  }
  return out;
}

inline Shape with_axis(Shape x, std::size_t axis, std::size_t extent) {
  x.push_back(extent);
  std::rotate(x.begin() + static_cast<std::ptrdiff_t>(axis), x.end() - 1, x.end());
  return x;
}

inline Shape without_axis(Shape x, std::size_t axis) {
  x.erase(x.begin() + static_cast<std::ptrdiff_t>(axis));
  return x;
}

template <class T>
Variable<T> write_region(const char* op, const Variable<T>& x, const kernels::Region& region, const Shape& shape,
                         T fill);

template <class T>
Variable<T> read_region(const char* op, const Variable<T>& x, const kernels::Region& region) {
  return record(moving(op), kernels::read_region(x.view(), region),
                wrt(x, [op, region, shape = x.shape()](const Variable<T>& dy) {
                  return write_region(op, dy, region, shape, T(0));
                }));
}

template <class T>
Variable<T> write_region(const char* op, const Variable<T>& x, const kernels::Region& region, const Shape& shape,
                         T fill) {
  return record(moving(op), kernels::write_region(x.view(), region, shape, fill),
                wrt(x, [op, region](const Variable<T>& dy) { return read_region(op, dy, region); }));
}

}  // namespace detail

/// The same elements in row-major order under another shape of the same size.
/// Throws std::invalid_argument where the sizes differ.
template <class T>
Variable<T> reshape(const Variable<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (x.size() != size_of(shape))
    fail("reshape", "a shape of " + std::to_string(x.size()) + " elements", "x ", x.shape(), ", shape ", shape);
  return record(moving("reshape"), x.part(0, shape),
                wrt(x, [from = x.shape()](const Variable<T>& dy) { return reshape(dy, from); }));
}

/// x with a new axis of extent 1 that has index `axis` in the result.   x [m, n], axis 1 -> [m, 1, n].
/// Throws std::invalid_argument where there is no such axis in the result.
template <class T>
Variable<T> expand_dims(const Variable<T>& x, std::ptrdiff_t axis) {
  const std::size_t a = detail::check_new_axis("expand_dims", axis, x.shape());
  return reshape(x, detail::with_axis(x.shape(), a, 1));
}

/// x without an axis of extent 1.   x [m, 1, n], axis 1 -> [m, n].
/// Throws std::invalid_argument where the axis is not there or has another extent.
template <class T>
Variable<T> squeeze(const Variable<T>& x, std::ptrdiff_t axis) {
  const std::size_t a = check_axis("squeeze", axis, x.shape());
  if (x.shape()[a] != 1) fail("squeeze", "an axis of extent 1", "axis ", axis, " of x ", x.shape());
  return reshape(x, detail::without_axis(x.shape(), a));
}

/// y[i] = x[j] with i[k] = j[permutation[k]]: axis permutation[k] of x becomes axis k of y.
/// x [a, b, c], permutation {2, 0, 1} -> [c, a, b].
/// Throws std::invalid_argument where `permutation` does not name every axis of x once.
template <class T>
Variable<T> transpose(const Variable<T>& x, const std::vector<std::ptrdiff_t>& permutation) {
  const std::vector<std::size_t> axes = detail::check_axes("transpose", permutation, x.shape());
  if (axes.size() != x.rank()) {
    fail("transpose", "a permutation of all axes", axes.size(), " axes, x ", x.shape());
  }
  if (std::is_sorted(axes.begin(), axes.end())) return x;
  const kernels::Steps step = kernels::steps_of(x.shape());
  kernels::Region region;
  for (const std::size_t a : axes) {
    region.shape.push_back(x.shape()[a]);
    region.step.push_back(step[a]);
  }
  return detail::read_region("transpose", x, region);
}

/// x with its last two axes exchanged.   x [..., m, n] -> [..., n, m].
/// Throws std::invalid_argument where x has fewer than two axes.
template <class T>
Variable<T> transpose(const Variable<T>& x) {
  if (x.rank() < 2) fail("transpose", "a matrix or batch of matrices", "x ", x.shape());
  std::vector<std::ptrdiff_t> permutation(x.rank());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[x.rank() - 2], permutation[x.rank() - 1]);
  return transpose(x, permutation);
}

/// The end of a slice that goes to the end of its axis.
inline constexpr std::ptrdiff_t to_end = PTRDIFF_MAX;

/// Every step-th element from `begin` to before `end` along an axis: x[..., begin:end:step, ...]. Negative positions
/// count from the end of the axis.
/// Throws std::invalid_argument where begin <= end are not positions of the axis, or step < 1.
template <class T>
Variable<T> slice(const Variable<T>& x, std::ptrdiff_t axis, std::ptrdiff_t begin, std::ptrdiff_t end = to_end,
                  std::ptrdiff_t step = 1) {
  const std::size_t a = check_axis("slice", axis, x.shape());
  const auto extent = static_cast<std::ptrdiff_t>(x.shape()[a]);
  const std::ptrdiff_t first = begin < 0 ? begin + extent : begin;
  const std::ptrdiff_t last = end == to_end ? extent : end < 0 ? end + extent : end;
  if (first < 0 || last < first || last > extent) {
    fail("slice", "begin <= end within axis " + std::to_string(axis), "begin ", begin, ", end ", last, ", x ",
         x.shape());
  }
  if (step < 1) fail("slice", "a step of at least 1", step);
  if (step == 1 && last - first == extent) return x;
  kernels::Region region{x.shape(), 0, kernels::steps_of(x.shape())};
  region.shape[a] = static_cast<std::size_t>(last == first ? 0 : (last - first - 1) / step + 1);
  region.offset = first * region.step[a];
  region.step[a] *= step;
  return detail::read_region("slice", x, region);
}

/// How many elements pad() adds to an axis.
struct Padding {
  std::ptrdiff_t before = 0, after = 0;
};

/// x with `value` around it, one Padding an axis.   x [m, n], {{1, 0}, {2, 2}} -> [m + 1, n + 4].
/// Throws std::invalid_argument where there is not one padding an axis, or one is negative.
template <class T>
Variable<T> pad(const Variable<T>& x, const std::vector<Padding>& paddings, std::type_identity_t<T> value = 0) {
  if (paddings.size() != x.rank()) fail("pad", "one padding an axis", paddings.size(), " paddings, x ", x.shape());
  Shape shape = x.shape();
  for (std::size_t a = 0; a < x.rank(); ++a) {
    const auto [before, after] = paddings[a];
    if (before < 0 || after < 0) fail("pad", "paddings of at least 0", "{", before, ", ", after, "} at axis ", a);
    shape[a] += static_cast<std::size_t>(before) + static_cast<std::size_t>(after);
  }
  if (shape == x.shape()) return x;
  kernels::Region region{x.shape(), 0, kernels::steps_of(shape)};
  for (std::size_t a = 0; a < x.rank(); ++a) region.offset += paddings[a].before * region.step[a];
  return detail::write_region("pad", x, region, shape, value);
}

/// x in reverse order along each of the axes.
/// Throws std::invalid_argument where an axis is not there or named twice.
template <class T>
Variable<T> flip(const Variable<T>& x, const std::vector<std::ptrdiff_t>& axes) {
  kernels::Region region{x.shape(), 0, kernels::steps_of(x.shape())};
  for (const std::size_t a : detail::check_axes("flip", axes, x.shape())) {
    region.offset += (static_cast<std::ptrdiff_t>(x.shape()[a]) - 1) * region.step[a];
    region.step[a] *= -1;
  }
  return detail::read_region("flip", x, region);
}

}  // namespace rw
