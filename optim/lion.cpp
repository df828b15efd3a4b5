#include "optim/lion.hpp"

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Lion<T>::Lion(const Options& options)
    : Optimizer<T>(options.learning_rate, {"momentum"}, options.weight_decay), options_(options) {
  check_option("lion", "beta1", options.beta1, 0, 1);
  check_option("lion", "beta2", options.beta2, 0, 1);
}

template <class T>
void Lion<T>::update(const Stretch<T>& stretch) {
  const auto rate = static_cast<T>(this->learning_rate());
  const auto near = running_mean<T>(options_.beta1), far = running_mean<T>(options_.beta2);
  for_each_lane<1>(stretch, [=](auto& x, const auto& g, auto& m) {
    auto direction = m;
    near(direction, g);
    x -= rate * xsimd::sign(direction);
    far(m, g);
  });
}

template class Lion<float>;
template class Lion<double>;

}  // namespace rw::optim
