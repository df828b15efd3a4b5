#pragma once

#include <functional>
#include <optional>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Simple recurrent network (Rumelhart, Hinton & Williams 1986; Elman 1990).
///     h' = φ(x·W + h·U + b)
/// x [B, I], h [B, H]; W [I, H], U [H, H], b [H]. φ is tanh or any other function:
///     nn::Rnn<float>({.input = 8, .hidden = 16, .activation = relu<Variable<float>>}, random)
template <class T>
struct Rnn {
  using Activation = std::function<Variable<T>(const Variable<T>&)>;
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
    Activation activation = [](const Variable<T>& a) { return tanh(a); };
  };
  struct State {
    Variable<T> h;
  };

  /// W from Glorot's uniform distribution and U orthogonal; b zero.
  /// Throws std::invalid_argument where the activation is empty.
  Rnn(const Options& options, Random& random)
      : activation(checked(options.activation)),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)),
        weight_hh("weight_hh", orthogonal<T>({options.hidden, options.hidden}, random)) {
    if (options.bias) bias.emplace("bias", zeros<T>({options.hidden}));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const Variable<T> h = activation(affine(s.h, weight_hh, x));
    return {h, {h}};
  }

  Parameters<T> parameters() {
    return bias ? Parameters<T>{weight_ih, weight_hh, *bias} : Parameters<T>{weight_ih, weight_hh};
  }

  Activation activation;
  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> bias;

 private:
  static const Activation& checked(const Activation& activation) {
    if (!activation) fail("rnn", "an activation", "none");
    return activation;
  }
};

}  // namespace rw::nn
