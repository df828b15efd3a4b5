#include "optim/sgd.hpp"

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Sgd<T>::Sgd(const Options& options) : Optimizer<T>(options.learning_rate, {}) {}

template <class T>
void Sgd<T>::update(const Stretch<T>& stretch) {
  const T rate = static_cast<T>(this->learning_rate());
  for_each_lane<0>(stretch, [=](auto& x, const auto& g) { x -= rate * g; });
}

template class Sgd<float>;
template class Sgd<double>;

}  // namespace rw::optim
