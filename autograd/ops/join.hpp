#pragma once

#include <array>
#include <span>
#include <vector>

#include "autograd/kernels/join.hpp"
#include "autograd/ops/shape.hpp"

// Ops that put tensors together and take them apart, each one node on the tape with all its inputs and outputs: a
// pass back through T time steps moves every element once. Axes count from the end where negative.

namespace rw {
namespace detail {

using Parts = List<kernels::Part>;

template <class T>
Variable<T> join(const char* op, std::span<const Variable<T>> xs, std::size_t rows, Parts parts, const Shape& shape);

// In one row the parts lie one after another: nothing is copied, neither here nor, as a rule, in the way back.
template <class T>
List<Variable<T>> cut(const char* op, const Variable<T>& x, std::size_t rows, Parts parts) {
  List<Variable<T>> ys;
  ys.reserve(parts.size());
  for (const kernels::Part& part : parts) {
    if (rows == 1) {
      ys.push_back(x.part(part.begin, part.shape));
    } else {
      ys.emplace_back(kernels::cut(x.value(), rows, part));
    }
  }
  Tape<T>* tape = Tape<T>::current();
  if (tape == nullptr || !tape->holds(x)) return ys;
  tape->open(op, ys);
  for (std::size_t i = 0; rows == 1 && i < ys.size(); ++i) tape->attach_part(i, x, parts[i].begin);
  attach(*tape,
         wrt(x, [op, rows, parts = std::move(parts),
                 shape = x.shape()](std::span<const Variable<T>> dys) { return join(op, dys, rows, parts, shape); }),
         ys);
  return ys;
}

// Inputs off the tape are left out of the derivative.
template <class T>
Variable<T> join(const char* op, std::span<const Variable<T>> xs, std::size_t rows, Parts parts, const Shape& shape) {
  const Tape<T>* tape = Tape<T>::current();
  if (tape == nullptr && rows == 1) {
    const Variable<T> whole = Variable<T>::whole_of(xs);
    if (whole.defined() && whole.shape() == shape) return whole;
  }
  List<const Tensor<T>*> values;
  values.reserve(xs.size());
  for (const Variable<T>& x : xs) values.push_back(&x.value());
  Tensor<T> value = kernels::join<T>(values, rows, parts, shape);

  List<const Variable<T>*> held;
  Parts held_parts;
  for (std::size_t i = 0; tape != nullptr && i < xs.size(); ++i) {
    if (!tape->holds(xs[i])) continue;
    held.push_back(&xs[i]);
    held_parts.push_back(parts[i]);
  }
  return record(op, std::move(value),
                wrt(std::move(held), [op, rows, parts = std::move(held_parts)](std::span<const Variable<T>> dys) {
                  return cut(op, dys[0], rows, parts);
                }));
}

inline std::string list(std::span<const std::size_t> numbers) {
  std::string text;
  for (const std::size_t n : numbers) text += (text.empty() ? "[" : ", ") + std::to_string(n);
  return (text.empty() ? "[" : text) + "]";
}

inline std::size_t rows_before(const Shape& shape, std::size_t axis) {
  return size_of(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis)));
}

inline std::size_t columns_after(const Shape& shape, std::size_t axis) {
  return size_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()));
}

template <class T>
Variable<T> concatenate(std::span<const Variable<T>> xs, std::ptrdiff_t axis) {
  if (xs.empty()) fail("concatenate", "at least one tensor", "none");
  Shape shape = xs[0].shape();
  const std::size_t a = check_axis("concatenate", axis, shape), inner = columns_after(shape, a);
  Parts parts;
  parts.reserve(xs.size());
  std::size_t extent = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Shape& part = xs[i].shape();
    shape[a] = part.size() == shape.size() ? part[a] : 0;
    if (part != shape) {
      fail("concatenate", "equal extents on all axes but " + std::to_string(a), "x[0] ", xs[0].shape(), ", x[", i, "] ",
           part);
    }
    parts.push_back({part, extent * inner});
    extent += part[a];
  }
  shape[a] = extent;
  return join("concatenate", xs, rows_before(shape, a), std::move(parts), shape);
}

template <class T>
Variable<T> stack(std::span<const Variable<T>> xs, std::ptrdiff_t axis) {
  if (xs.empty()) fail("stack", "at least one tensor", "none");
  const Shape& part = xs[0].shape();
  const std::size_t a = check_new_axis("stack", axis, part);
  const Shape shape = with_axis(part, a, xs.size());
  const std::size_t inner = columns_after(shape, a);
  Parts parts;
  parts.reserve(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].shape() != part) fail("stack", "equal shapes", "x[0] ", part, ", x[", i, "] ", xs[i].shape());
    parts.push_back({part, i * inner});
  }
  return join("stack", xs, rows_before(shape, a), std::move(parts), shape);
}

template <class T>
List<Variable<T>> split(const Variable<T>& x, std::span<const std::size_t> extents, std::ptrdiff_t axis) {
  const std::size_t a = check_axis("split", axis, x.shape()), inner = columns_after(x.shape(), a);
  Parts parts;
  parts.reserve(extents.size());
  Shape shape = x.shape();
  std::size_t left = x.shape()[a];
  bool fits = !extents.empty();
  for (const std::size_t extent : extents) {
    fits = fits && extent <= left;
    shape[a] = extent;
    parts.push_back({shape, (x.shape()[a] - left) * inner});
    left -= extent;
  }
  if (!fits || left > 0) {
    fail("split", "extents that add up to " + std::to_string(x.shape()[a]), list(extents), ", x ", x.shape());
  }
  return cut("split", x, rows_before(x.shape(), a), std::move(parts));
}

}  // namespace detail

/// xs one after the other along an axis of theirs.   [m, n1], [m, n2], ..., axis 1 -> [m, n1 + n2 + ...].
/// Throws std::invalid_argument where there is none, or their extents differ on another axis.
template <class T, class A>
Variable<T> concatenate(const std::vector<Variable<T>, A>& xs, std::ptrdiff_t axis) {
  return detail::concatenate(std::span<const Variable<T>>(xs), axis);
}
template <class T>
Variable<T> concatenate(std::initializer_list<Variable<T>> xs, std::ptrdiff_t axis) {
  return detail::concatenate(std::span<const Variable<T>>(xs), axis);
}

/// xs side by side along a new axis that has index `axis` in the result.   T times [m, n], axis 0 -> [T, m, n].
/// Throws std::invalid_argument where there is none, or their shapes differ.
template <class T, class A>
Variable<T> stack(const std::vector<Variable<T>, A>& xs, std::ptrdiff_t axis = 0) {
  return detail::stack(std::span<const Variable<T>>(xs), axis);
}
template <class T>
Variable<T> stack(std::initializer_list<Variable<T>> xs, std::ptrdiff_t axis = 0) {
  return detail::stack(std::span<const Variable<T>>(xs), axis);
}

/// x cut along an axis into parts of the given extents.   [m, n1 + n2 + ...], axis 1 -> [m, n1], [m, n2], ...
/// Throws std::invalid_argument where there are none, or they do not add up to the extent of the axis.
template <class T>
List<Variable<T>> split(const Variable<T>& x, const std::vector<std::size_t>& extents, std::ptrdiff_t axis) {
  return detail::split(x, std::span<const std::size_t>(extents), axis);
}
template <class T>
List<Variable<T>> split(const Variable<T>& x, std::initializer_list<std::size_t> extents, std::ptrdiff_t axis) {
  return detail::split(x, std::span<const std::size_t>(extents), axis);
}

/// x cut along an axis into equal sections.   [m, k·n], k sections, axis 1 -> k times [m, n].
/// Throws std::invalid_argument where the sections do not divide the extent of the axis.
template <class T>
List<Variable<T>> split(const Variable<T>& x, std::size_t sections, std::ptrdiff_t axis) {
  const std::size_t extent = x.shape()[check_axis("split", axis, x.shape())];
  if (sections == 0 || extent % sections != 0) {
    fail("split", "sections that divide the extent of axis " + std::to_string(axis), sections, " sections, x ",
         x.shape());
  }
  const List<std::size_t> extents(sections, extent / sections);
  return detail::split(x, std::span<const std::size_t>(extents), axis);
}

/// The same with a number of sections known to the compiler: auto [i, f, g, o] = split<4>(x).
template <std::size_t Sections, class T>
std::array<Variable<T>, Sections> split(const Variable<T>& x, std::ptrdiff_t axis = -1) {
  List<Variable<T>> parts = split(x, Sections, axis);
  std::array<Variable<T>, Sections> out;
  std::move(parts.begin(), parts.end(), out.begin());
  return out;
}

/// The slices of x along an axis, without that axis.   [T, m, n], axis 0 -> T times [m, n].
/// Throws std::invalid_argument where the axis is not there.
template <class T>
List<Variable<T>> unstack(const Variable<T>& x, std::ptrdiff_t axis = 0) {
  const std::size_t a = check_axis("unstack", axis, x.shape()), inner = detail::columns_after(x.shape(), a);
  const Shape shape = detail::without_axis(x.shape(), a);
  detail::Parts parts;
  parts.reserve(x.shape()[a]);
  for (std::size_t i = 0; i < x.shape()[a]; ++i) parts.push_back({shape, i * inner});
  return detail::cut("unstack", x, detail::rows_before(x.shape(), a), std::move(parts));
}

}  // namespace rw
