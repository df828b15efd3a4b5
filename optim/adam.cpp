#include "optim/adam.hpp"

#include <cmath>
#include <limits>

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Adam<T>::Adam(const Options& options)
    : Optimizer<T>(options.learning_rate, {"first_moment", "second_moment"}), options_(options) {
  check_option("adam", "beta1", options.beta1, 0, 1);
  check_option("adam", "beta2", options.beta2, 0, 1);
  check_option("adam", "epsilon", options.epsilon, 0, std::numeric_limits<double>::infinity());
}

template <class T>
void Adam<T>::begin_step() {
  const auto t = static_cast<double>(this->steps());
  correction1_ = 1 - std::pow(options_.beta1, t);
  correction2_ = 1 - std::pow(options_.beta2, t);
}

template <class T>
void Adam<T>::update(const Stretch<T>& stretch) {
  const auto beta1 = static_cast<T>(options_.beta1), beta2 = static_cast<T>(options_.beta2);
  const auto rest1 = static_cast<T>(1 - options_.beta1), rest2 = static_cast<T>(1 - options_.beta2);
  const auto rate = static_cast<T>(this->learning_rate() / correction1_);
  const auto scale = static_cast<T>(1 / std::sqrt(correction2_));
  const auto epsilon = static_cast<T>(options_.epsilon);
  for_each_lane<2>(stretch, [=](auto& x, const auto& g, auto& m, auto& v) {
    using std::sqrt;
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    x -= rate * m / (sqrt(v) * scale + epsilon);
  });
}

template class Adam<float>;
template class Adam<double>;

}  // namespace rw::optim
