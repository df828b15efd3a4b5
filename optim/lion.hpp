#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// Lion (Chen et al. 2023, algorithm 2), the sign of a momentum:
///     x ← x − η·sign(β₁·m + (1 − β₁)·g)
///     m ← β₂·m + (1 − β₂)·g
/// Every element moves by η, so a rate of a third to a tenth of Adam's fits, and a larger weight decay.
template <class T>
class Lion : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1e-4;  // η
    double beta1 = 0.9;
    double beta2 = 0.99;
    double weight_decay = 0;
  };

  Lion() : Lion(Options()) {}

  /// Throws std::invalid_argument where the learning rate or the decay is negative or not finite, or a β not in [0, 1).
  explicit Lion(const Options& options);

 protected:
  void update(const Stretch<T>& stretch) override;

 private:
  Options options_;
};

extern template class Lion<float>;
extern template class Lion<double>;

}  // namespace rw::optim
