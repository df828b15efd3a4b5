#include "autograd/variable.hpp"

#include <atomic>

namespace rw {
namespace {

std::uint64_t next_parameter() {
  static std::atomic<std::uint64_t> count{0};
  return count++;
}

}  // namespace

template <class T>
Parameter<T>::Parameter(std::string name, Tensor<T> value)
    : Variable<T>(std::move(value), Place{Place::parameters, next_parameter()}), name_(std::move(name)) {}

template <class T>
void Parameter<T>::assign(Tensor<T> value) {
  if (value.shape() != this->shape())
    fail("assign", "the shape of " + name_ + ", " + to_string(this->shape()), value.shape());
  this->value_ = this->share(std::move(value));
}

template class Variable<float>;
template class Variable<double>;
template class Parameter<float>;
template class Parameter<double>;

}  // namespace rw
