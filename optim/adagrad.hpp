#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// Adagrad (Duchi, Hazan & Singer 2011), whose rates fall with all the gradients so far:
///     s ← s + g²
///     x ← x − η·g / (√s + ε)
template <class T>
class Adagrad : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1e-2;  // η
    double epsilon = 1e-10;
    double weight_decay = 0;
  };

  Adagrad() : Adagrad(Options()) {}

  /// Throws std::invalid_argument where an option is negative or not finite.
  explicit Adagrad(const Options& options);

 protected:
  void update(const Stretch<T>& stretch) override;

 private:
  Options options_;
};

extern template class Adagrad<float>;
extern template class Adagrad<double>;

}  // namespace rw::optim
