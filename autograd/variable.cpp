#include "autograd/variable.hpp"

#include "autograd/packed.hpp"

namespace rw {
namespace {

std::uint64_t next_parameter() {
  static std::atomic<std::uint64_t> count{0};
  return count++;
}

}  // namespace

namespace detail {

template <class T>
const Packed<T>& Value<T>::packed(bool transposed) const {
  std::atomic<Packed<T>*>& kept = packed_[transposed ? 1 : 0];
  if (const Packed<T>* made = kept.load(std::memory_order_acquire)) return *made;
  auto* mine = ::new (acquire(sizeof(Packed<T>))) Packed<T>(tensor, transposed);
  Packed<T>* first = nullptr;
  if (kept.compare_exchange_strong(first, mine, std::memory_order_acq_rel)) return *mine;
  Recycle()(mine);  // another thread was first
  return *first;
}

template <class T>
void Value<T>::forget_packed() {
  for (std::atomic<Packed<T>*>& kept : packed_) {
    if (Packed<T>* made = kept.exchange(nullptr, std::memory_order_acq_rel)) Recycle()(made);
  }
}

template struct Value<float>;
template struct Value<double>;

}  // namespace detail

template <class T>
Variable<T> Variable<T>::whole_of(std::span<const Variable> parts) {
  Variable whole;
  if (parts.empty() || !parts[0].defined() || parts[0].value_->whole.get() == nullptr) return whole;
  const T* next = parts[0].value_->whole->tensor.data();
  for (const Variable& part : parts) {
    if (!part.defined() || part.value_->whole.get() != parts[0].value_->whole.get()) return whole;
    if (part.value_->tensor.data() != next) return whole;
    next += part.size();
  }
  const Tensor<T>& all = parts[0].value_->whole->tensor;
  if (next != all.data() + all.size()) return whole;
  for (const Variable& part : parts) {  // from here on the whole shows their elements too
    if (part.value_->writable) part.value_->writable = false;
  }
  whole.value_ = parts[0].value_->whole;
  return whole;
}

template <class T>
Parameter<T>::Parameter(std::string name, Tensor<T> value)
    : Variable<T>(std::move(value), Place{Place::parameters, next_parameter()}), name_(std::move(name)) {}

template <class T>
void Parameter<T>::assign(Tensor<T> value) {
  if (value.shape() != this->shape())
    fail("assign", "the shape of " + name_ + ", " + to_string(this->shape()), value.shape());
  static_cast<Variable<T>&>(*this) = Variable<T>(std::move(value), this->place());
}

template class Variable<float>;
template class Variable<double>;
template class Parameter<float>;
template class Parameter<double>;

}  // namespace rw
