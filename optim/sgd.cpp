#include "optim/sgd.hpp"

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Sgd<T>::Sgd(const Options& options)
    : Optimizer<T>(options.learning_rate,
                   options.momentum != 0 ? std::vector<std::string>{"velocity"} : std::vector<std::string>{}),
      options_(options) {
  check_option("sgd", "momentum", options.momentum, 0, 1);
  check_option("sgd", "dampening", options.dampening, 0, 1);
  check_option("sgd", "weight_decay", options.weight_decay, 0);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    fail("sgd", "momentum without dampening for nesterov", "momentum ", options.momentum, ", dampening ",
         options.dampening);
  }
}

template <class T>
void Sgd<T>::update(const Stretch<T>& stretch) {
  const auto rate = static_cast<T>(this->learning_rate()), decay = static_cast<T>(options_.weight_decay);
  const auto momentum = static_cast<T>(options_.momentum);
  const auto rest = static_cast<T>(this->steps() == 1 ? 1 : 1 - options_.dampening);
  const bool nesterov = options_.nesterov;
  const auto rule = [=](auto& x, const auto& g, auto&... velocity) {
    auto d = g;
    d += decay * x;
    ((velocity = momentum * velocity + rest * d, d = nesterov ? d + momentum * velocity : velocity), ...);
    x -= rate * d;
  };
  options_.momentum != 0 ? for_each_lane<1>(stretch, rule) : for_each_lane<0>(stretch, rule);
}

template class Sgd<float>;
template class Sgd<double>;

}  // namespace rw::optim
