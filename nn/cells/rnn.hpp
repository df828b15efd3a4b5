#pragma once

#include <optional>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Simple recurrent network (Elman 1990).
///     h' = tanh(x·W + h·U + b)
/// x [B, I], h [B, H]; W [I, H], U [H, H], b [H].
template <class T>
struct Rnn {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
  };
  struct State {
    Variable<T> h;
  };

  /// W from Glorot's uniform distribution and U orthogonal; b zero.
  Rnn(const Options& options, Random& random)
      : weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)),
        weight_hh("weight_hh", orthogonal<T>({options.hidden, options.hidden}, random)) {
    if (options.bias) bias.emplace("bias", zeros<T>({options.hidden}));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const Variable<T> h = tanh(affine(s.h, weight_hh, x));
    return {h, {h}};
  }

  Parameters<T> parameters() {
    return bias ? Parameters<T>{weight_ih, weight_hh, *bias} : Parameters<T>{weight_ih, weight_hh};
  }

  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> bias;
};

}  // namespace rw::nn
