#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// RMSprop (Tieleman & Hinton 2012), gradients over their running root mean square:
///     s ← α·s + (1 − α)·g²
///     d = g / (√s + ε),  with epsilon_inside g / √(s + ε)
///     x ← x − η·d
/// centered takes s − a² for s in d, the variance, with a ← α·a + (1 − α)·g. Momentum: v ← μ·v + d, x ← x − η·v.
template <class T>
class RmsProp : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1e-2;  // η
    double alpha = 0.99;
    double epsilon = 1e-8;
    double momentum = 0;
    bool centered = false;
    bool epsilon_inside = false;
    double weight_decay = 0;
  };

  /// The form and the numbers of Graves (2013, equations 38 to 45).
  static Options graves() {
    return {.learning_rate = 1e-4,
            .alpha = 0.95,
            .epsilon = 1e-4,
            .momentum = 0.9,
            .centered = true,
            .epsilon_inside = true};
  }

  RmsProp() : RmsProp(Options()) {}

  /// Throws std::invalid_argument where the learning rate, ε or the decay is negative or not finite, or α or the
  /// momentum not in [0, 1).
  explicit RmsProp(const Options& options);

 protected:
  void update(const Stretch<T>& stretch) override;

 private:
  Options options_;
};

extern template class RmsProp<float>;
extern template class RmsProp<double>;

}  // namespace rw::optim
