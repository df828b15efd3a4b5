#pragma once

#include <functional>
#include <memory>

#include "optim/optim.hpp"

namespace rw::test {

/// An optimiser with some options, for tests that hold for all.
template <class T>
struct Kind {
  std::string name;
  double rate;  // one that suits Rosenbrock's function
  std::function<std::unique_ptr<optim::Optimizer<T>>(double rate)> make;
};

template <class O, class T>
Kind<T> kind(const std::string& name, double rate, typename O::Options options = {}) {
  const auto make = [options](double learning_rate) {
    typename O::Options own = options;
    own.learning_rate = learning_rate;
    return std::make_unique<O>(own);
  };
  return {name, rate, make};
}

/// Every optimiser and every option that changes its rule.
template <class T>
std::vector<Kind<T>> kinds() {
  using namespace optim;
  return {
      kind<Sgd<T>, T>("sgd", 1e-3),
      kind<Sgd<T>, T>("decayed sgd", 1e-3, {.weight_decay = 1e-4}),
      kind<Sgd<T>, T>("momentum", 1e-4, {.momentum = 0.9}),
      kind<Sgd<T>, T>("dampened momentum", 1e-3, {.momentum = 0.9, .dampening = 0.5}),
      kind<Sgd<T>, T>("nesterov", 1e-4, {.momentum = 0.9, .nesterov = true}),
      kind<Adagrad<T>, T>("adagrad", 0.5),
      kind<Adadelta<T>, T>("adadelta", 0.1),
      kind<RmsProp<T>, T>("rmsprop", 1e-3),
      kind<RmsProp<T>, T>("centred rmsprop", 1e-4, {.centered = true}),
      kind<RmsProp<T>, T>("rmsprop with momentum", 1e-4, {.momentum = 0.9}),
      kind<RmsProp<T>, T>("graves", 1e-4, RmsProp<T>::graves()),
      kind<Adam<T>, T>("adam", 1e-2),
      kind<Adam<T>, T>("amsgrad", 1e-2, {.amsgrad = true}),
      kind<Adam<T>, T>("adamw", 1e-2, {.weight_decay = 1e-4}),
      kind<Adamax<T>, T>("adamax", 1e-2),
      kind<Nadam<T>, T>("nadam", 1e-2),
      kind<Nadam<T>, T>("nadam of pytorch 1", 1e-2, {.pytorch_1 = true}),
      kind<Radam<T>, T>("radam", 1e-3),
      kind<Lion<T>, T>("lion", 1e-3),
  };
}

}  // namespace rw::test
