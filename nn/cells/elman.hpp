#pragma once

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Simple recurrent network with its read-out (Elman 1990, "Finding structure in time", Cognitive Science 14).
///     h' = σ(x·W + h·U + b)
///     y = σ(h'·V + c)
/// x [B, I], h [B, H], y [B, O]; W [I, H], U [H, H], b [H], V [H, O], c [O].
template <class T>
struct Elman {
  struct Options {
    std::size_t input, hidden, output;
    bool truncate = false;  // train as in 1990: no gradient flows through the copied context h
  };
  struct State {
    Variable<T> h;
  };

  /// W and V from Glorot's uniform distribution and U orthogonal; biases zero.
  Elman(const Options& options, Random& random)
      : truncate(options.truncate),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)),
        weight_hh("weight_hh", orthogonal<T>({options.hidden, options.hidden}, random)),
        bias_h("bias_h", zeros<T>({options.hidden})),
        weight_ho("weight_ho", glorot_uniform<T>({options.hidden, options.output}, random)),
        bias_o("bias_o", zeros<T>({options.output})) {}

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const { return affine(xs, weight_ih, bias_h); }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const Variable<T> h = sigmoid(affine(truncate ? s.h.detached() : s.h, weight_hh, x));
    return {sigmoid(affine(h, weight_ho, bias_o)), {h}};
  }

  Parameters<T> parameters() { return {weight_ih, weight_hh, bias_h, weight_ho, bias_o}; }

  bool truncate;
  Parameter<T> weight_ih, weight_hh, bias_h, weight_ho, bias_o;
};

}  // namespace rw::nn
