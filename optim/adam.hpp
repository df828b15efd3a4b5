#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// Adam (Kingma & Ba 2015, algorithm 1), at step t:
///     m ← β₁·m + (1 − β₁)·g
///     v ← β₂·v + (1 − β₂)·g²
///     x ← x − η·m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
/// Rows that a row-sparse gradient does not name keep their m, v and x, where dense Adam would decay m and v and move x
/// on; t counts all steps, for them too.
template <class T>
class Adam : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1e-3;  // η
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
  };

  Adam() : Adam(Options()) {}

  /// Throws std::invalid_argument where the learning rate or ε is negative or not finite, or a β not in [0, 1).
  explicit Adam(const Options& options);

 protected:
  void begin_step() override;
  void update(const Stretch<T>& stretch) override;

 private:
  Options options_;
  double correction1_ = 1, correction2_ = 1;  // 1 − βᵗ
};

extern template class Adam<float>;
extern template class Adam<double>;

}  // namespace rw::optim
