#include "optim/adagrad.hpp"

#include <cmath>

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Adagrad<T>::Adagrad(const Options& options)
    : Optimizer<T>(options.learning_rate, {"square_sum"}, options.weight_decay), options_(options) {
  check_option("adagrad", "epsilon", options.epsilon, 0);
}

template <class T>
void Adagrad<T>::update(const Stretch<T>& stretch) {
  const auto rate = static_cast<T>(this->learning_rate()), epsilon = static_cast<T>(options_.epsilon);
  for_each_lane<1>(stretch, [=](auto& x, const auto& g, auto& s) {
    using std::sqrt;
    s += g * g;
    x -= rate * g / (sqrt(s) + epsilon);
  });
}

template class Adagrad<float>;
template class Adagrad<double>;

}  // namespace rw::optim
