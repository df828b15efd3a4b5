#pragma once

#include "autograd/ops/activation.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Fully recurrent network: every unit reads every unit, every input and a bias (Williams & Zipser 1989, "A learning
/// algorithm for continually running fully recurrent neural networks", Neural Computation 1). Which units have targets,
/// and which are hidden, is for the loss to say.
///     z = [y; x; 1]
///     y' = σ(z·W)
/// x [B, I], y [B, N]; W [N + I + 1, N]. y begins with 0.
template <class T>
struct FullyRecurrent {
  struct Options {
    std::size_t input, units;
  };
  struct State {
    Variable<T> y;
  };

  /// W from Glorot's uniform distribution.
  FullyRecurrent(const Options& options, Random& random)
      : weight("weight", glorot_uniform<T>({options.units + options.input + 1, options.units}, random)) {}

  std::size_t units() const { return weight.shape()[1]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, units()})}; }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const Variable<T> one = full<T>({s.y.shape()[0], 1}, 1);
    const Variable<T> y = sigmoid(matmul(concatenate({s.y, x, one}, 1), weight));
    return {y, {y}};
  }

  Parameters<T> parameters() { return {weight}; }

  Parameter<T> weight;
};

}  // namespace rw::nn
