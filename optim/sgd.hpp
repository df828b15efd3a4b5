#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// Stochastic gradient descent: x ← x − η·g (Robbins & Monro 1951).
template <class T>
class Sgd : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1e-2;  // η
  };

  Sgd() : Sgd(Options()) {}

  /// Throws std::invalid_argument where the learning rate is negative or not finite.
  explicit Sgd(const Options& options);

 protected:
  void update(const Stretch<T>& stretch) override;
};

extern template class Sgd<float>;
extern template class Sgd<double>;

}  // namespace rw::optim
