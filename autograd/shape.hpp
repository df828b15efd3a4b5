#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>

// GCC 12 sees uninitialised reads in xtensor's moves of small vectors, where there are none.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xtensor/xarray.hpp>
#pragma GCC diagnostic pop

namespace rw {

/// Throws std::invalid_argument: a tensor has at most eight axes.
[[noreturn]] void fail_axes(std::size_t axes);

/// One number for each axis of a tensor, at most eight, held in place: shapes are made and copied at every operation,
/// and this costs a tenth of what a vector does.
template <class X>
class PerAxis {
 public:
  using value_type = X;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = X&;
  using const_reference = const X&;
  using pointer = X*;
  using const_pointer = const X*;
  using iterator = X*;
  using const_iterator = const X*;
  using reverse_iterator = std::reverse_iterator<X*>;
  using const_reverse_iterator = std::reverse_iterator<const X*>;

  static constexpr size_type capacity = 8;

  PerAxis() = default;
  // Axis by axis, because these were mostly written one by one just before: a wide copy would wait for that.
  PerAxis(const PerAxis& other) : size_(other.size_) {
    for (size_type i = 0; i < size_; ++i) at_[i] = other.at_[i];
  }
  PerAxis& operator=(const PerAxis& other) {
    size_ = other.size_;
    for (size_type i = 0; i < size_; ++i) at_[i] = other.at_[i];
    return *this;
  }
  explicit PerAxis(size_type n, X value = X()) { resize(n, value); }
  PerAxis(std::initializer_list<X> xs) : PerAxis(xs.begin(), xs.end()) {}
  template <std::forward_iterator It>
  PerAxis(It first, It last) {
    resize(static_cast<size_type>(std::distance(first, last)));
    std::copy(first, last, begin());
  }

  size_type size() const { return size_; }
  bool empty() const { return size_ == 0; }
  X& operator[](size_type i) { return at_[i]; }
  const X& operator[](size_type i) const { return at_[i]; }
  X& front() { return at_[0]; }
  const X& front() const { return at_[0]; }
  X& back() { return at_[size_ - 1]; }
  const X& back() const { return at_[size_ - 1]; }

  iterator begin() { return at_.data(); }
  iterator end() { return at_.data() + size_; }
  const_iterator begin() const { return at_.data(); }
  const_iterator end() const { return at_.data() + size_; }
  const_iterator cbegin() const { return begin(); }
  const_iterator cend() const { return end(); }
  reverse_iterator rbegin() { return reverse_iterator(end()); }
  reverse_iterator rend() { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }
  const_reverse_iterator crbegin() const { return rbegin(); }
  const_reverse_iterator crend() const { return rend(); }

  void resize(size_type n, X value = X()) {
    if (n > capacity) fail_axes(n);
    for (size_type i = size_; i < n; ++i) at_[i] = value;
    size_ = n;
  }
  void clear() { size_ = 0; }
  void push_back(X x) { resize(size_ + 1, x); }
  void pop_back() { --size_; }

  iterator insert(const_iterator before, X x) { return insert(before, &x, &x + 1); }
  template <std::forward_iterator It>
  iterator insert(const_iterator before, It first, It last) {
    const auto place = before - begin();
    const PerAxis rest(before, cend()), added(first, last);
    resize(size_ + added.size());
    std::copy(rest.begin(), rest.end(), std::copy(added.begin(), added.end(), begin() + place));
    return begin() + place;
  }
  iterator erase(const_iterator axis) {
    const auto place = static_cast<size_type>(axis - begin());
    for (size_type i = place + 1; i < size_; ++i) at_[i - 1] = at_[i];
    --size_;
    return begin() + place;
  }

  friend bool operator==(const PerAxis& a, const PerAxis& b) {
    if (a.size_ != b.size_) return false;
    for (size_type i = 0; i < a.size_; ++i) {
      if (a.at_[i] != b.at_[i]) return false;
    }
    return true;
  }

 private:
  size_type size_ = 0;
  std::array<X, capacity> at_;
};

/// The extents of a tensor, outermost first; {} is a scalar.
using Shape = PerAxis<std::size_t>;

/// The number of elements of `shape`.
inline std::size_t size_of(const Shape& shape) {
  std::size_t n = 1;
  for (const std::size_t extent : shape) {
    if (extent == 0) return 0;  // which also keeps the compiler from multiplying so few numbers as vectors
    n *= extent;
  }
  return n;
}

/// The number of rows of `shape`, not {}, seen as that of a matrix whose columns are the last axis.
inline std::size_t rows_of(const Shape& shape) {
  std::size_t n = 1;
  for (std::size_t a = 0; a + 1 < shape.size(); ++a) n *= shape[a];
  return n;
}

/// Whether a and b are the same but for leading ones, so that broadcasting one to the other repeats nothing.
inline bool alike_but_ones(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  const std::size_t ones = longer.size() - shorter.size();
  for (std::size_t i = 0; i < longer.size(); ++i) {
    if (longer[i] != (i < ones ? 1 : shorter[i - ones])) return false;
  }
  return true;
}

/// "[32, 256]"; a scalar is "[]".
std::string to_string(const Shape& shape);

}  // namespace rw

namespace xt {
template <class X, class Y>
struct rebind_container<X, rw::PerAxis<Y>> {
  using type = rw::PerAxis<X>;
};
}  // namespace xt
