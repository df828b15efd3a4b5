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

/// Stretches of one axis of a tensor, each a tensor of its own.
struct Parts {
  struct Stretch {
    std::size_t begin, extent;
  };

  Shape whole;
  std::size_t axis;
  bool slices;  // of one index each, without the axis
  List<Stretch> stretches = {};

  std::size_t size() const { return stretches.size(); }

  /// The elements before the axis and within one of its indices: the tensor seen as a matrix of stretches.
  std::size_t rows() const { return size_of(Shape(whole.begin(), whole.begin() + axis)); }
  std::size_t inner() const { return size_of(Shape(whole.begin() + axis + 1, whole.end())); }

  Shape shape(std::size_t i) const {
    Shape part = whole;
    if (slices) {
      part.erase(part.begin() + axis);
    } else {
      part[axis] = stretches[i].extent;
    }
    return part;
  }
};

inline Parts slices_of(const Shape& whole, std::size_t axis) {
  Parts parts{whole, axis, true};
  parts.stretches.reserve(whole[axis]);
  for (std::size_t i = 0; i < whole[axis]; ++i) parts.stretches.push_back({i, 1});
  return parts;
}

template <class T>
Variable<T> join(const char* op, std::span<const Variable<T>> xs, Parts parts);

// In one row the parts lie one after another: nothing is copied, neither here nor, as a rule, in the way back.
template <class T>
List<Variable<T>> cut(const char* op, const Variable<T>& x, Parts parts) {
  const std::size_t rows = parts.rows(), inner = parts.inner();
  List<Variable<T>> ys;
  ys.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t begin = parts.stretches[i].begin * inner;
    if (rows == 1) {
      ys.push_back(x.part(begin, parts.shape(i)));
    } else {
      ys.emplace_back(kernels::cut(x.view(), rows, begin, parts.shape(i)));
    }
  }
  Tape<T>* tape = Tape<T>::current();
  if (tape == nullptr || !tape->holds(x)) return ys;
  tape->open(moving(op), ys);
  for (std::size_t i = 0; rows == 1 && i < ys.size(); ++i) tape->attach_part(i, x, parts.stretches[i].begin * inner);
  attach(*tape,
         wrt(x, [op, parts = std::move(parts)](std::span<const Variable<T>> dys) { return join(op, dys, parts); }), ys);
  return ys;
}

// Inputs off the tape are left out of the derivative.
template <class T>
Variable<T> join(const char* op, std::span<const Variable<T>> xs, Parts parts) {
  const std::size_t rows = parts.rows(), inner = parts.inner();
  const Tape<T>* tape = Tape<T>::current();
  Variable<T> whole = rows == 1 ? Variable<T>::whole_of(xs) : Variable<T>();
  if (!whole.defined() || whole.shape() != parts.whole) {
    std::size_t covered = 0;
    for (const Parts::Stretch& stretch : parts.stretches) covered += stretch.extent;
    Tensor<T> value = covered == parts.whole[parts.axis] ? rw::empty<T>(parts.whole) : zeros<T>(parts.whole);
    for (std::size_t i = 0; i < xs.size(); ++i) {
      kernels::paste(value, rows, parts.stretches[i].begin * inner, xs[i].view());
    }
    whole = std::move(value);
  }
  if (tape == nullptr) return whole;

  List<const Variable<T>*> held;
  Parts held_parts{parts.whole, parts.axis, parts.slices};
  held.reserve(xs.size());
  held_parts.stretches.reserve(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (!tape->holds(xs[i])) continue;
    held.push_back(&xs[i]);
    held_parts.stretches.push_back(parts.stretches[i]);
  }
  return record(moving(op), std::move(whole),
                wrt(std::move(held), [op, parts = std::move(held_parts)](std::span<const Variable<T>> dys) {
                  return cut(op, dys[0], parts);
                }));
}

inline std::string list(std::span<const std::size_t> numbers) {
  std::string text;
  for (const std::size_t n : numbers) text += (text.empty() ? "[" : ", ") + std::to_string(n);
  return (text.empty() ? "[" : text) + "]";
}

template <class T>
Variable<T> concatenate(std::span<const Variable<T>> xs, std::ptrdiff_t axis) {
  if (xs.empty()) fail("concatenate", "at least one tensor", "none");
  Shape shape = xs[0].shape();
  const std::size_t a = check_axis("concatenate", axis, shape);
  Parts parts{shape, a, false};
  parts.stretches.reserve(xs.size());
  std::size_t extent = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Shape& part = xs[i].shape();
    shape[a] = part.size() == shape.size() ? part[a] : 0;
    if (part != shape) {
      fail("concatenate", "equal extents on all axes but " + std::to_string(a), "x[0] ", xs[0].shape(), ", x[", i, "] ",
           part);
    }
    parts.stretches.push_back({extent, part[a]});
    extent += part[a];
  }
  parts.whole[a] = extent;
  return join("concatenate", xs, std::move(parts));
}

template <class T>
Variable<T> stack(std::span<const Variable<T>> xs, std::ptrdiff_t axis) {
  if (xs.empty()) fail("stack", "at least one tensor", "none");
  const Shape& part = xs[0].shape();
  const std::size_t a = check_new_axis("stack", axis, part);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].shape() != part) fail("stack", "equal shapes", "x[0] ", part, ", x[", i, "] ", xs[i].shape());
  }
  return join("stack", xs, slices_of(with_axis(part, a, xs.size()), a));
}

template <class T>
List<Variable<T>> split(const Variable<T>& x, std::span<const std::size_t> extents, std::ptrdiff_t axis) {
  const std::size_t a = check_axis("split", axis, x.shape());
  Parts parts{x.shape(), a, false};
  parts.stretches.reserve(extents.size());
  std::size_t left = x.shape()[a];
  bool fits = !extents.empty();
  for (const std::size_t extent : extents) {
    fits = fits && extent <= left;
    parts.stretches.push_back({x.shape()[a] - left, extent});
    left -= extent;
  }
  if (!fits || left > 0) {
    fail("split", "extents that add up to " + std::to_string(x.shape()[a]), list(extents), ", x ", x.shape());
  }
  return cut("split", x, std::move(parts));
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
  return detail::cut("unstack", x, detail::slices_of(x.shape(), check_axis("unstack", axis, x.shape())));
}

/// What unstack(x) gives, but each slice is made when it is asked for: a loop over many steps needs no more memory
/// than one over few. Throws std::invalid_argument where x has no axis.
template <class T>
class Slices {
 public:
  explicit Slices(const Variable<T>& x) : x_(x), count_(x.shape()[check_axis("slices", 0, x.shape())]) {
    shape_ = detail::without_axis(x.shape(), 0);
    Tape<T>* tape = Tape<T>::current();
    if (tape == nullptr || !tape->holds(x)) return;
    first_ = tape->open(moving("slices"), count_, shape_);
    for (std::size_t i = 0; i < count_; ++i) tape->attach_part(i, x, i * size_of(shape_));
    detail::attach(*tape,
                   wrt(x, [parts = detail::slices_of(x.shape(), 0)](
                              std::span<const Variable<T>> dys) { return detail::join("slices", dys, parts); }),
                   std::span<const Variable<T>>());
  }

  std::size_t size() const { return count_; }

  /// Slice i < size(). Not to be asked for after the tape was cleared.
  Variable<T> operator[](std::size_t i) const {
    Variable<T> slice = x_.part(i * size_of(shape_), shape_);
    if (first_ != Place{}) slice.stand_at({first_.tape, first_.slot + i});
    return slice;
  }

 private:
  Variable<T> x_;
  std::size_t count_;
  Shape shape_;
  Place first_;
};

}  // namespace rw
