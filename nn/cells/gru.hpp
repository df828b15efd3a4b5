#pragma once

#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078 version 1), reset after the product.
///     r = σ(x·W_r + h·U_r + b_r)
///     z = σ(x·W_z + h·U_z + b_z)
///     n = tanh(x·W_n + b_n + r ⊙ (h·U_n + b_hn))
///     h' = (1 − z) ⊙ n + z ⊙ h
/// x [B, I], h [B, H]; W [I, 3H], U [H, 3H] and b [3H] hold the gates in the order r, z, n; b_hn [H].
template <class T>
struct Gru {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
  };
  struct State {
    Variable<T> h;
  };

  /// W from Glorot's uniform distribution and U orthogonal, gate by gate; biases zero.
  Gru(const Options& options, Random& random)
      : weight_ih("weight_ih", glorot_uniform_blocks<T>({options.input, 3 * options.hidden}, 3, random)),
        weight_hh("weight_hh", orthogonal_blocks<T>({options.hidden, 3 * options.hidden}, 3, random)) {
    if (!options.bias) return;
    bias.emplace("bias", zeros<T>({3 * options.hidden}));
    bias_hn.emplace("bias_hn", zeros<T>({options.hidden}));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const auto uh = matmul(s.h, weight_hh);
    const Variable<T> b_hn = bias_hn ? Variable<T>(*bias_hn) : scalar<T>(0);
    const auto h = fuse(
        [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto b_hn, auto h) {
          auto r = sigmoid(xr + hr);
          auto z = sigmoid(xz + hz);
          auto n = tanh(xn + r * (hn + b_hn));
          return (1 - z) * n + z * h;
        },
        blocks<3>(x), blocks<3>(uh), b_hn, s.h);
    return {h, {h}};
  }

  Parameters<T> parameters() {
    return bias ? Parameters<T>{weight_ih, weight_hh, *bias, *bias_hn} : Parameters<T>{weight_ih, weight_hh};
  }

  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> bias, bias_hn;
};

}  // namespace rw::nn
