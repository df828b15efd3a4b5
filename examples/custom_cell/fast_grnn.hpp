#pragma once

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

/// FastGRNN (Kusupati et al. 2018, arXiv 1901.02358): a gate and what is new of one and the same product.
///     z = σ(x·W + h·U + b_z)
///     n = tanh(x·W + h·U + b_n)
///     h' = z ⊙ h + (σ(ζ) ⊙ (1 − z) + σ(ν)) ⊙ n
/// x [B, I], h [B, H]; W [I, H], U [H, H], b_z and b_n [H], ζ and ν [1].
template <class T>
struct FastGrnn {
  struct Options {
    std::size_t input, hidden;
  };
  struct State {
    rw::Variable<T> h;
  };

  FastGrnn(const Options& o, rw::Random& random)
      : w("weight_ih", rw::nn::glorot_uniform<T>({o.input, o.hidden}, random)),
        u("weight_hh", rw::nn::orthogonal<T>({o.hidden, o.hidden}, random)),
        b_z("bias_z", rw::full<T>({o.hidden}, 1)),
        b_n("bias_n", rw::full<T>({o.hidden}, 1)),
        zeta("zeta", rw::full<T>({1}, 1)),
        nu("nu", rw::full<T>({1}, -4)) {}

  State initial_state(std::size_t batch) const { return {rw::zeros<T>({batch, b_z.size()})}; }
  rw::Variable<T> project(const rw::Variable<T>& xs) const { return matmul(xs, w); }

  rw::nn::Step<T, State> step(const rw::Variable<T>& x, const State& s) const {
    const auto mix = [](auto a, auto h, auto b_z, auto b_n, auto zeta, auto nu) {
      auto z = sigmoid(a + b_z);
      return z * h + (sigmoid(zeta) * (1 - z) + sigmoid(nu)) * tanh(a + b_n);
    };
    const rw::Variable<T> h = fuse(mix, affine(s.h, u, x), s.h, b_z, b_n, zeta, nu);
    return {h, {h}};
  }
  rw::nn::Parameters<T> parameters() { return {w, u, b_z, b_n, zeta, nu}; }

  rw::Parameter<T> w, u, b_z, b_n, zeta, nu;
};
