#pragma once

#include "nn/nn.hpp"

/// Update gate network (Collins, Sohl-Dickstein & Sussillo 2017):  g = σ(x·W_g + h·U_g + b_g),
/// h' = g ⊙ h + (1 − g) ⊙ tanh(x·W_c + h·U_c + b_c)
template <class T>
struct UpdateGate {
  struct State {
    rw::Variable<T> h;
  };

  UpdateGate(std::size_t input, std::size_t hidden, rw::Random& random)
      : w("w", rw::nn::glorot_uniform_blocks<T>({input, 2 * hidden}, 2, random)),
        b("b", rw::nn::bias_blocks<T>(hidden, {0, 1})),
        u("u", rw::nn::orthogonal_blocks<T>({hidden, 2 * hidden}, 2, random)) {}

  State initial_state(std::size_t batch) const { return {rw::zeros<T>({batch, u.shape()[0]})}; }

  rw::Variable<T> project(const rw::Variable<T>& xs) const { return affine(xs, w, b); }

  rw::nn::Step<T, State> step(const rw::Variable<T>& x, const State& s) const {
    const auto [c, g] = rw::split<2>(affine(s.h, u, x));
    const auto h = sigmoid(g) * s.h + (1 - sigmoid(g)) * tanh(c);
    return {h, {h}};
  }

  rw::nn::Parameters<T> parameters() { return {w, b, u}; }

  rw::Parameter<T> w, b, u;
};
