#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>

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
    if (x_ != nullptr) x_->users.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : x_(std::exchange(other.x_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(x_, other.x_);
    return *this;
  }
  ~Shared() {
    if (x_ == nullptr) return;
    // The last user need not take part in the race of a decrement.
    if (!alone() && x_->users.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    x_->~X();
    release(x_, sizeof(X));
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
  X* x_ = nullptr;
};

/// What the copies of a variable share.
template <class T>
struct Value {
  explicit Value(Tensor<T> t) : tensor(std::move(t)) {}
  explicit Value(const Shape& shape) : tensor(shape) {}
  /// A part of another value: a resize to as many elements as the storage has allocates nothing.
  Value(const Shape& shape, Shared<Value> other, std::size_t offset) {
    tensor.storage() = Storage<T>::borrowed(other->tensor.data() + offset, size_of(shape));
    tensor.resize(shape, true);
    whole = other->whole.get() != nullptr ? other->whole : std::move(other);
  }
  ~Value() {
    if (has_packed()) forget_packed();
  }

  /// A matrix or its transpose packed, made once; any thread may ask for it.
  const Packed<T>& packed(bool transposed) const;
  bool has_packed() const { return packed_[0].load() != nullptr || packed_[1].load() != nullptr; }
  void forget_packed();

  // What a short life touches stands first.
  std::atomic<std::uint32_t> users{1};
  bool writable = true;  // no other value shows the same elements
  Shared<Value> whole;   // the value in whose memory the elements lie, where they are a part of one
  mutable std::array<std::atomic<Packed<T>*>, 2> packed_{};
  Tensor<T> tensor;
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
  Variable(Tensor<T> value) : value_(detail::Shared<detail::Value<T>>::make(std::move(value))) {}

  /// A constant whose elements fresh() is to set.
  static Variable uninitialised(const Shape& shape) {
    Variable x;
    x.value_ = detail::Shared<detail::Value<T>>::make(shape);
    return x;
  }

  Variable(Tensor<T> value, Place place) : Variable(std::move(value)) { place_ = place; }
  Variable(Variable value, Place place) : Variable(std::move(value)) { place_ = place; }

  bool defined() const { return value_.get() != nullptr; }
  const Tensor<T>& value() const& { return value_->tensor; }
  const Shape& shape() const& { return value_->tensor.shape(); }

  // Of a temporary by value, so that `for (T x : f(y).value())` does not read what is gone.
  Tensor<T> value() && {
    Tensor<T>* own = sole_owner();
    return own != nullptr && value_->whole.get() == nullptr ? std::move(*own) : value_->tensor;
  }
  Shape shape() && { return value_->tensor.shape(); }

  std::size_t size() const { return value_->tensor.size(); }
  std::size_t rank() const { return shape().size(); }

  /// The only element. Throws std::invalid_argument where there are several.
  T item() const {
    if (size() != 1) fail("item", "one element", "x ", shape());
    return *value_->tensor.data();
  }

  const Place& place() const { return place_; }

  /// For the tape, which gives a result its place.
  void stand_at(const Place& place) { place_ = place; }

  /// The same value as a constant: no gradient flows through it.
  Variable detached() const {
    Variable x;
    x.value_ = value_;
    return x;
  }

  /// A constant of the elements from `offset` on, row-major under a shape of their own. Nothing is copied, and this
  /// value lives as long as its parts. What is asked for must be there: nothing is checked.
  Variable part(std::size_t offset, const Shape& shape) const {
    Variable x;
    x.value_ = detail::Shared<detail::Value<T>>::make(shape, value_, offset);
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
  Variable twin() const {
    Variable x;
    x.value_ = value_.twin();
    x.place_ = place_;
    return x;
  }
  void leave_twin() { value_.leave_twin(); }

  bool sole() const { return value_.alone(); }

  bool same_value(const Variable& other) const { return value_.get() == other.value_.get(); }

  /// The tensor that the parts make up, in order and without anything between them; undefined where there is none.
  static Variable whole_of(std::span<const Variable> parts);

  /// The value for writing where nobody else can see it, else nullptr. For sums that grow in place.
  Tensor<T>* sole_owner() {
    if (!value_.alone() || !value_->writable) return nullptr;
    if (value_->has_packed()) value_->forget_packed();
    return &value_->tensor;
  }

  /// The elements of a value just made, to be written before anybody reads them.
  T* fresh() { return value_->tensor.data(); }

  /// A matrix or its transpose packed for products with few rows, made with the first call and kept with the value.
  /// Any thread may ask.
  const Packed<T>& packed(bool transposed) const { return value_->packed(transposed); }

 protected:
  detail::Shared<detail::Value<T>> value_;
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

  /// Changes the value by `change(Tensor<T>&)`, in place unless a tape or variable still holds it. For optimisers.
  template <class Change>
  void update(Change&& change) {
    Tensor<T>* own = this->sole_owner();
    if (own == nullptr) {
      static_cast<Variable<T>&>(*this) = Variable<T>(Tensor<T>(this->value()), this->place());
      own = this->sole_owner();
    }
    change(*own);
  }

 private:
  std::string name_;
};

extern template class Variable<float>;
extern template class Variable<double>;
extern template class Parameter<float>;
extern template class Parameter<double>;

}  // namespace rw
