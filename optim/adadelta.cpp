#include "optim/adadelta.hpp"

#include <cmath>

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Adadelta<T>::Adadelta(const Options& options)
    : Optimizer<T>(options.learning_rate, {"square_mean", "square_step"}, options.weight_decay), options_(options) {
  check_option("adadelta", "rho", options.rho, 0, 1);
  check_option("adadelta", "epsilon", options.epsilon, 0);
}

template <class T>
void Adadelta<T>::update(const Stretch<T>& stretch) {
  const auto rate = static_cast<T>(this->learning_rate()), epsilon = static_cast<T>(options_.epsilon);
  const auto mean = running_mean<T>(options_.rho);
  for_each_lane<2>(stretch, [=](auto& x, const auto& g, auto& s, auto& d) {
    using std::sqrt;
    mean(s, g * g);
    const auto step = sqrt(d + epsilon) / sqrt(s + epsilon) * g;
    mean(d, step * step);
    x -= rate * step;
  });
}

template class Adadelta<float>;
template class Adadelta<double>;

}  // namespace rw::optim
