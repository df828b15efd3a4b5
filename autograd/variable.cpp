#include "autograd/variable.hpp"

#include "autograd/kernels/layout.hpp"

namespace rw {
namespace {

std::uint64_t next_parameter() {
  static std::atomic<std::uint64_t> count{0};
  return count++;
}

}  // namespace

namespace detail {

template <class T>
PerAxis<std::ptrdiff_t> Value<T>::steps(const Shape& shape) {
  kernels::Steps steps = kernels::steps_of(shape);
  for (std::size_t a = 0; a < shape.size(); ++a) {
    if (shape[a] == 1) steps[a] = 0;  // as xtensor has them
  }
  return steps;
}

template <class T>
const Tensor<T>& Value<T>::transposed() const {
  if (const Tensor<T>* made = transposed_.load(std::memory_order_acquire)) return *made;
  auto* mine = ::new (acquire(sizeof(Tensor<T>))) Tensor<T>(kernels::transposed(tensor));
  Tensor<T>* first = nullptr;
  if (transposed_.compare_exchange_strong(first, mine, std::memory_order_acq_rel)) return *mine;
  mine->~Tensor<T>();  // another thread was first
  release(mine, sizeof(Tensor<T>));
  return *first;
}

template <class T>
void Value<T>::forget_transposed() {
  Tensor<T>* made = transposed_.exchange(nullptr, std::memory_order_acq_rel);
  if (made == nullptr) return;
  made->~Tensor<T>();
  release(made, sizeof(Tensor<T>));
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
  if (next == all.data() + all.size()) whole.value_ = parts[0].value_->whole;
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
