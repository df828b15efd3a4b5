#pragma once

#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Minimal gated unit (Zhou et al. 2016, arXiv 1603.09420): a GRU whose one gate resets and updates.
///     f = σ(x·W_f + h·U_f + b_f)
///     n = tanh(x·W_n + (f ⊙ h)·U_n + b_n)
///     h' = (1 − f) ⊙ h + f ⊙ n
/// x [B, I], h [B, H]; W [I, 2H] and b [2H] hold f and n in this order; U_f (weight_hh) and U_n (weight_hn) [H, H].
template <class T>
struct MinimalGatedUnit {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
  };
  struct State {
    Variable<T> h;
  };

  /// W from Glorot's uniform distribution, block by block, and both U orthogonal; b zero.
  MinimalGatedUnit(const Options& options, Random& random)
      : weight_ih("weight_ih", glorot_uniform_blocks<T>({options.input, 2 * options.hidden}, 2, random)),
        weight_hh("weight_hh", orthogonal<T>({options.hidden, options.hidden}, random)),
        weight_hn("weight_hn", orthogonal<T>({options.hidden, options.hidden}, random)) {
    if (options.bias) bias.emplace("bias", zeros<T>({2 * options.hidden}));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const auto [f, reset, xn] = fuse(
        [](auto xf, auto xn, auto hf, auto h) {
          auto f = sigmoid(xf + hf);
          return std::tuple{f, f * h, xn};
        },
        blocks<2>(x), matmul(s.h, weight_hh), s.h);
    const Variable<T> h =
        fuse([](auto f, auto n, auto h) { return (1 - f) * h + f * tanh(n); }, f, affine<T>(reset, weight_hn, xn), s.h);
    return {h, {h}};
  }

  Parameters<T> parameters() {
    return bias ? Parameters<T>{weight_ih, weight_hh, weight_hn, *bias}
                : Parameters<T>{weight_ih, weight_hh, weight_hn};
  }

  Parameter<T> weight_ih, weight_hh, weight_hn;
  std::optional<Parameter<T>> bias;
};

}  // namespace rw::nn
