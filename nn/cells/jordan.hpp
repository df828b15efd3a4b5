#pragma once

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Sequential network, whose state units are fed by the output and by themselves (Jordan 1986, "Serial order: a
/// parallel distributed processing approach", ICS Report 8604, University of California, San Diego).
///     s = μ·s₋₁ + y₋₁
///     h = σ(x·W + s·U + b)
///     y = σ(h·V + c)
/// x, the plan, [B, I]; s and y [B, O]; W [I, H], U [O, H], b [H], V [H, O], c [O]. s and y begin with 0.
template <class T>
struct Jordan {
  struct Options {
    std::size_t input, hidden, output;
    double decay = 0.5;  // μ
  };
  struct State {
    Variable<T> s, y;
  };

  /// Weights from Glorot's uniform distribution; biases zero.
  /// Throws std::invalid_argument where the decay is not in [0, 1).
  Jordan(const Options& options, Random& random)
      : decay(checked(options.decay)),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)),
        weight_sh("weight_sh", glorot_uniform<T>({options.output, options.hidden}, random)),
        bias_h("bias_h", zeros<T>({options.hidden})),
        weight_ho("weight_ho", glorot_uniform<T>({options.hidden, options.output}, random)),
        bias_o("bias_o", zeros<T>({options.output})) {}

  std::size_t output() const { return weight_sh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, output()}), zeros<T>({batch, output()})}; }

  Variable<T> project(const Variable<T>& xs) const { return affine(xs, weight_ih, bias_h); }

  Step<T, State> step(const Variable<T>& x, const State& last) const {
    const Variable<T> s = decay * last.s + last.y;
    const Variable<T> h = sigmoid(affine(s, weight_sh, x));
    const Variable<T> y = sigmoid(affine(h, weight_ho, bias_o));
    return {y, {s, y}};
  }

  /// Teacher forcing: the state as if the output had been the target [B, O]; no gradient flows from later steps into
  /// this one's output. Throws std::invalid_argument where the target has not the output's shape.
  static State forced(const State& state, const Variable<T>& target) {
    check_same_shape("forced", state.y.shape(), target.shape());
    return {state.s, target};
  }

  Parameters<T> parameters() { return {weight_ih, weight_sh, bias_h, weight_ho, bias_o}; }

  double decay;
  Parameter<T> weight_ih, weight_sh, bias_h, weight_ho, bias_o;

 private:
  static double checked(double decay) {
    if (!(decay >= 0 && decay < 1)) fail("jordan", "a decay in [0, 1)", decay);
    return decay;
  }
};

}  // namespace rw::nn
