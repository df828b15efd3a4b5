#pragma once

#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gates (Gers, Schmidhuber & Cummins 2000).
///     i, f, g, o = x·W + h·U + b
///     c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)
///     h' = σ(o) ⊙ tanh(c')
/// x [B, I], h and c [B, H]; W [I, 4H], U [H, 4H] and b [4H] hold the gates in the order i, f, g, o.
template <class T>
struct Lstm {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
    double forget_bias = 1;  // Jozefowicz et al. 2015
  };
  struct State {
    Variable<T> h, c;
  };

  /// W from Glorot's uniform distribution and U orthogonal, gate by gate; b zero but for the forget gate's.
  Lstm(const Options& options, Random& random)
      : weight_ih("weight_ih", glorot_uniform_blocks<T>({options.input, 4 * options.hidden}, 4, random)),
        weight_hh("weight_hh", orthogonal_blocks<T>({options.hidden, 4 * options.hidden}, 4, random)) {
    if (options.bias) bias.emplace("bias", bias_blocks<T>(options.hidden, {0, options.forget_bias, 0, 0}));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()}), zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const auto gates = affine(s.h, weight_hh, x);
    const auto [h, c] = fuse(
        [](auto i, auto f, auto g, auto o, auto c) {
          auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
          return std::tuple{sigmoid(o) * tanh(next), next};
        },
        blocks<4>(gates), s.c);
    return {h, {h, c}};
  }

  Parameters<T> parameters() {
    return bias ? Parameters<T>{weight_ih, weight_hh, *bias} : Parameters<T>{weight_ih, weight_hh};
  }

  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> bias;
};

}  // namespace rw::nn
