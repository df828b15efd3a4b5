#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "autograd/tensor.hpp"

namespace rw {

/// Where a variable stands: nowhere (a constant), in a slot of one run of a tape, or among the parameters.
struct Place {
  static constexpr std::uint64_t nowhere = 0, parameters = 1;  // runs of tapes are numbered from 2 on

  std::uint64_t tape = nowhere;
  std::uint64_t slot = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

/// An immutable value and, if recorded, its place on a tape. Copies share the value. A variable may outlive its tape:
/// then it is a constant.
template <class T>
class Variable {
 public:
  using value_type = T;

  /// Holds no value; defined() is false.
  Variable() = default;

  /// A constant.
  Variable(Tensor<T> value) : value_(share(std::move(value))) {}

  Variable(Tensor<T> value, Place place) : Variable(std::move(value)) { place_ = place; }

  bool defined() const { return value_ != nullptr; }
  const Tensor<T>& value() const& { return *value_; }
  const Shape& shape() const& { return value_->shape(); }

  // Of a temporary by value, so that `for (T x : f(y).value())` does not read what is gone.
  Tensor<T> value() && {
    Tensor<T>* own = sole_owner();
    return own != nullptr ? std::move(*own) : *value_;
  }
  Shape shape() && { return value_->shape(); }

  std::size_t size() const { return value_->size(); }
  std::size_t rank() const { return value_->dimension(); }

  /// The only element. Throws std::invalid_argument where there are several.
  T item() const {
    if (size() != 1) fail("item", "one element", "x ", shape());
    return *value_->data();
  }

  const Place& place() const { return place_; }

  /// The same value as a constant: no gradient flows through it.
  Variable detached() const {
    Variable x = *this;
    x.place_ = {};
    return x;
  }

  /// The value for writing where nobody else can see it, else nullptr. For sums that grow in place.
  Tensor<T>* sole_owner() { return value_.use_count() == 1 ? value_.get() : nullptr; }

 protected:
  static std::shared_ptr<Tensor<T>> share(Tensor<T> value) {
    return std::allocate_shared<Tensor<T>>(RecyclingAllocator<Tensor<T>>(), std::move(value));
  }

  std::shared_ptr<Tensor<T>> value_;
  Place place_;
};

/// A named leaf that outlives tapes. Not copyable, so that no copy trains apart from its original by accident.
template <class T>
class Parameter : public Variable<T> {
 public:
  Parameter(std::string name, Tensor<T> value);
  Parameter(Parameter&&) = default;
  Parameter& operator=(Parameter&&) = default;

  const std::string& name() const { return name_; }

  /// Replaces the value; tapes and variables that read the old one keep it.
  /// Throws std::invalid_argument where the shape differs.
  void assign(Tensor<T> value);

  /// Changes the value by `change(Tensor<T>&)`, in place unless a tape or variable still holds it. For optimisers.
  template <class Change>
  void update(Change&& change) {
    if (this->value_.use_count() > 1) this->value_ = this->share(this->value());
    change(*this->value_);
  }

 private:
  std::string name_;
};

extern template class Variable<float>;
extern template class Variable<double>;
extern template class Parameter<float>;
extern template class Parameter<double>;

}  // namespace rw
