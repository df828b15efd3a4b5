#pragma once

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "autograd/allocator.hpp"

namespace rw {

/// The elements of a tensor, 64-byte aligned where they are its own: recycled memory, not initialised. They may also
/// lie in the memory of another tensor that is kept alive elsewhere (see Variable::part); a copy is always its own.
template <class T>
class Storage {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  using allocator_type = RecyclingAllocator<T>;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using pointer = T*;
  using const_pointer = const T*;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<T*>;
  using const_reverse_iterator = std::reverse_iterator<const T*>;

  Storage() = default;
  explicit Storage(size_type n) : data_(own(n)), size_(n) {}
  Storage(size_type n, const T& value) : Storage(n) { std::fill_n(data_, n, value); }
  Storage(const Storage& other) : Storage(other.size_) { std::copy_n(other.data_, size_, data_); }
  Storage(Storage&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        borrowed_(std::exchange(other.borrowed_, false)) {}
  Storage& operator=(Storage other) noexcept {
    swap(other);
    return *this;
  }
  ~Storage() {
    if (!borrowed_ && data_ != nullptr) release(data_, size_ * sizeof(T));
  }

  /// Elements that belong to somebody else.
  static Storage borrowed(T* data, size_type n) {
    Storage s;
    s.data_ = data;
    s.size_ = n;
    s.borrowed_ = true;
    return s;
  }

  /// Elements in memory of acquire(n * sizeof(T)), which become its own.
  static Storage owning(T* data, size_type n) {
    Storage s;
    s.data_ = data;
    s.size_ = n;
    return s;
  }

  /// Hands its elements out, in memory of acquire(size() * sizeof(T)), and is empty afterwards.
  T* give() {
    if (borrowed_) *this = Storage(*this);
    size_ = 0;
    return std::exchange(data_, nullptr);
  }

  /// Keeps no element.
  void resize(size_type n) {
    if (n != size_) *this = Storage(n);
  }

  void swap(Storage& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(borrowed_, other.borrowed_);
  }

  size_type size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_type i) { return data_[i]; }
  const T& operator[](size_type i) const { return data_[i]; }
  T& front() { return data_[0]; }
  const T& front() const { return data_[0]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  iterator begin() { return data_; }
  iterator end() { return data_ + size_; }
  const_iterator begin() const { return data_; }
  const_iterator end() const { return data_ + size_; }
  const_iterator cbegin() const { return begin(); }
  const_iterator cend() const { return end(); }
  reverse_iterator rbegin() { return reverse_iterator(end()); }
  reverse_iterator rend() { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }
  const_reverse_iterator crbegin() const { return rbegin(); }
  const_reverse_iterator crend() const { return rend(); }

 private:
  static T* own(size_type n) { return static_cast<T*>(acquire(n * sizeof(T))); }

  T* data_ = nullptr;
  size_type size_ = 0;
  bool borrowed_ = false;
};

}  // namespace rw
