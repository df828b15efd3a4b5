#pragma once

#include "optim/optimizer.hpp"

namespace rw::optim {

/// Adadelta (Zeiler 2012, algorithm 1), whose steps have the unit of the parameters:
///     s ← ρ·s + (1 − ρ)·g²
///     Δ = √(d + ε) / √(s + ε) · g
///     d ← ρ·d + (1 − ρ)·Δ²
///     x ← x − η·Δ,  the paper's η is 1
template <class T>
class Adadelta : public Optimizer<T> {
 public:
  struct Options {
    double learning_rate = 1;  // η
    double rho = 0.9;
    double epsilon = 1e-6;
    double weight_decay = 0;
  };

  Adadelta() : Adadelta(Options()) {}

  /// Throws std::invalid_argument where the learning rate, ε or the decay is negative or not finite, or ρ not in
  /// [0, 1).
  explicit Adadelta(const Options& options);

 protected:
  void update(const Stretch<T>& stretch) override;

 private:
  Options options_;
};

extern template class Adadelta<float>;
extern template class Adadelta<double>;

}  // namespace rw::optim
