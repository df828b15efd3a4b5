#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// Stochastic gradient descent (Robbins & Monro 1951) with momentum μ (Polyak 1964), dampening δ and weight decay λ:
///     d ← g + λ·x
///     v ← μ·v + (1 − δ)·d,  in the first step v ← d
///     x ← x − η·v,  with Nesterov's momentum (Sutskever et al. 2013) x ← x − η·(d + μ·v)
/// The velocity v is kept only where there is momentum; without it x ← x − η·d. Here the decay is a part of the
/// gradient, where it is the derivative of ½λ‖x‖².
template <class T>
class Sgd : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1e-2;  // η
    double momentum = 0;
    double dampening = 0;
    bool nesterov = false;
    double weight_decay = 0;
  };

  Sgd() : Sgd(Options()) {}

  /// Throws std::invalid_argument where the learning rate or the decay is negative or not finite, momentum or dampening
  /// not in [0, 1), or Nesterov's momentum is 0 or dampened.
  explicit Sgd(const Options& options);

 protected:
  void update(const Stretch<T>& stretch) override;

 private:
  Options options_;
};

extern template class Sgd<float>;
extern template class Sgd<double>;

}  // namespace rw::optim
