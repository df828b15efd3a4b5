#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include "autograd/tensor.hpp"

namespace rw {

template <class T>
class Packed;

/// Where a variable stands: nowhere (a constant), in a slot of one run of a tape, or among the parameters.
struct Place {
  static constexpr std::uint64_t nowhere = 0, parameters = 1;  // runs of tapes are numbered from 2 on

  std::uint64_t tape = nowhere;
  std::uint64_t slot = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

namespace detail {

/// Whether nobody else can count: then it needs no atomic instructions, each of which costs as much as the arithmetic
/// of a small operation. What the C library does not tell is taken for false.
inline bool only_thread() {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded != 0;
#else
  return false;
#endif
}

/// A pointer that counts its fellows in `users` of what it points to, and gives it back to the recycled memory with
/// the last of them.
template <class X>
class Shared {
 public:
  Shared() = default;
  template <class... Args>
  static Shared make(Args&&... args) {
    Shared s;
    s.x_ = ::new (acquire(sizeof(X))) X(std::forward<Args>(args)...);
    return s;
  }
  Shared(const Shared& other) noexcept : x_(other.x_) {
    if (x_ == nullptr) return;
    if (only_thread()) {
      x_->users.store(x_->users.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      x_->users.fetch_add(1, std::memory_order_relaxed);
    }
  }
  Shared(Shared&& other) noexcept : x_(std::exchange(other.x_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(x_, other.x_);
    return *this;
  }
  ~Shared() {
    if (x_ != nullptr) let_go();
  }

  /// A second pointer where this is the only one: no other thread can look on, so nothing atomic is needed, which
  /// would cost as much as a small operation.
  Shared twin() const {
    Shared s;
    s.x_ = x_;
    x_->users.store(2, std::memory_order_relaxed);
    return s;
  }
  /// Forgets one of the two pointers of twin(), while still no other thread can have one.
  void leave_twin() {
    const auto users = x_->users.load(std::memory_order_relaxed);
    if (users == 1) return;  // the other one is gone already
    x_->users.store(users - 1, std::memory_order_relaxed);
    x_ = nullptr;
  }

  X* get() const { return x_; }
  X* operator->() const { return x_; }
  X& operator*() const { return *x_; }
  bool alone() const { return x_->users.load(std::memory_order_acquire) == 1; }

 private:
  [[gnu::noinline]] void let_go() noexcept {
    if (only_thread()) {
      const auto users = x_->users.load(std::memory_order_relaxed);
      if (users > 1) return x_->users.store(users - 1, std::memory_order_relaxed);
    } else if (!alone() && x_->users.fetch_sub(1, std::memory_order_acq_rel) > 1) {
      return;  // the last user need not take part in the race of a decrement
    }
    x_->~X();
    release(x_, sizeof(X));
  }

  X* x_ = nullptr;
};

/// What the copies of a variable share. A short life touches its first 64 bytes alone, as long as there are at most
/// three axes: what is asked for seldom is made when it is.
template <class T>
struct Value {
  explicit Value(Tensor<T> t) : data(t.storage().give()), shape(t.shape()) {}
  explicit Value(const Shape& s) : data(static_cast<T*>(acquire(size_of(s) * sizeof(T)))), shape(s) {}
  /// A part of another value.
  Value(const Shape& s, Shared<Value> other, std::size_t offset) : data(other->data + offset), shape(s) {
    whole = other->whole.get() != nullptr ? other->whole : std::move(other);
  }
  ~Value() {
    if (Made* all = made.load(std::memory_order_relaxed)) Recycle()(all);
    if (whole.get() == nullptr && data != nullptr) release(data, size_of(shape) * sizeof(T));
  }

  /// The elements as a tensor, in the same memory. As packed(), it is made once, and any thread may ask for it.
  const Tensor<T>& tensor() const;
  /// A matrix or its transpose packed.
  const Packed<T>& packed(bool transposed) const;
  /// The elements as a tensor that owns them, until it is taken back; they may be read here meanwhile.
  Tensor<T> lend() { return tensor_of(Storage<T>::owning(data, size_of(shape)), shape); }
  void take_back(Tensor<T> t);

  /// To be called where the elements are about to change: what is packed shows the old ones.
  void forget_packed() {
    if (made.load(std::memory_order_relaxed) != nullptr) free_packed();
  }
  void free_packed();

  struct Made {
    ~Made();
    void free_packed();
    std::atomic<Tensor<T>*> tensor{};
    std::array<std::atomic<Packed<T>*>, 2> packed{};
  };
  Made& all_made() const;

  std::atomic<std::uint32_t> users{1};
  bool writable = true;  // no other value shows the same elements
  T* data;
  Shared<Value> whole;  // the value in whose memory the elements lie, where they are a part of one
  mutable std::atomic<Made*> made{};
  Shape shape;
};

}  // namespace detail

/// An immutable value and, if recorded, its place on a tape. Copies share the value. A variable may outlive its tape:
/// then it is a constant.
template <class T>
class Variable {
 public:
  using value_type = T;

  /// Holds no value; defined() is false.
  Variable() = default;

  /// A constant.
  Variable(Tensor<T> value) : Variable(std::move(value), Place{}) {}

  /// A constant whose elements fresh() is to set.
  static Variable uninitialised(const Shape& shape) { return Variable(Shared::make(shape), {}); }

  Variable(Tensor<T> value, Place place) : value_(Shared::make(std::move(value))), place_(place) {}
  Variable(Variable value, Place place) : Variable(std::move(value)) { place_ = place; }

  bool defined() const { return value_.get() != nullptr; }
  const Tensor<T>& value() const& { return value_->tensor(); }
  const Shape& shape() const& { return value_->shape; }
  View<T> view() const { return {value_->data, value_->shape}; }

  // Of a temporary by value, so that `for (T x : f(y).value())` does not read what is gone.
  Tensor<T> value() && {
    T* own = value_->whole.get() == nullptr ? sole_owner() : nullptr;
    if (own == nullptr) return value_->tensor();
    Tensor<T> taken = value_->lend();
    value_->data = nullptr;
    value_ = {};
    return taken;
  }
  Shape shape() && { return value_->shape; }

  std::size_t size() const { return size_of(value_->shape); }
  std::size_t rank() const { return shape().size(); }

  /// The only element. Throws std::invalid_argument where there are several.
  T item() const {
    if (size() != 1) fail("item", "one element", "x ", shape());
    return *value_->data;
  }

  const Place& place() const { return place_; }

  /// For the tape, which gives a result its place.
  void stand_at(const Place& place) { place_ = place; }

  /// The same value as a constant: no gradient flows through it.
  Variable detached() const { return Variable(value_, {}); }

  /// A constant of the elements from `offset` on, row-major under a shape of their own. Nothing is copied, and this
  /// value lives as long as its parts. What is asked for must be there: nothing is checked.
  Variable part(std::size_t offset, const Shape& shape) const {
    Variable x(Shared::make(shape, value_, offset), {});
    // The part keeps the whole alive, not this room.
    if (value_->whole.get() != nullptr && value_->writable) value_->writable = false;
    x.value_->writable = false;
    return x;
  }

  /// The same, and the one that asked may write it: for results written side by side into one tensor.
  Variable room(std::size_t offset, const Shape& shape) const {
    Variable x = part(offset, shape);
    x.value_->writable = true;
    return x;
  }

  /// For values that only this variable holds and only this thread knows, see Shared.
  Variable twin() const { return Variable(value_.twin(), place_); }
  void leave_twin() { value_.leave_twin(); }

  bool sole() const { return value_.alone(); }

  bool same_value(const Variable& other) const { return value_.get() == other.value_.get(); }

  /// The tensor that the parts make up, in order and without anything between them; undefined where there is none.
  static Variable whole_of(std::span<const Variable> parts);

  /// The elements for writing where nobody else can see them, else nullptr. For sums that grow in place.
  T* sole_owner() {
    if (!value_.alone() || !value_->writable) return nullptr;
    value_->forget_packed();
    return value_->data;
  }

  /// The elements of a value just made, to be written before anybody reads them.
  T* fresh() { return value_->data; }

  /// A matrix or its transpose packed for products with few rows, made with the first call and kept with the value.
  /// Any thread may ask.
  const Packed<T>& packed(bool transposed) const { return value_->packed(transposed); }

 protected:
  using Shared = detail::Shared<detail::Value<T>>;

  Variable(Shared value, Place place) : value_(std::move(value)), place_(place) {}

  Shared value_;
  Place place_;
};

/// A named leaf that outlives tapes. Not copyable, so that no copy trains apart from its original by accident.
template <class T>
class Parameter : public Variable<T> {
 public:
  Parameter(std::string name, Tensor<T> value);
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(Parameter&&) noexcept = default;

  const std::string& name() const { return name_; }

  /// Replaces the value; tapes and variables that read the old one keep it.
  /// Throws std::invalid_argument where the shape differs.
  void assign(Tensor<T> value);

  /// Changes the value by `change(Tensor<T>&)`, which must keep the shape; in place unless a tape or variable still
  /// holds it. For optimisers.
  template <class Change>
  void update(Change&& change) {
    if (this->sole_owner() == nullptr) assign(this->value());
    Tensor<T> own = this->value_->lend();
    try {
      change(own);
    } catch (...) {
      this->value_->take_back(std::move(own));
      throw;
    }
    this->value_->take_back(std::move(own));
  }

 private:
  std::string name_;
};

extern template class Variable<float>;
extern template class Variable<double>;
extern template class Parameter<float>;
extern template class Parameter<double>;

}  // namespace rw
