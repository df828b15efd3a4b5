#pragma once

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"

// Cells as a user writes them: the paper's equations on the library's ops.

namespace bench {

using rw::Parameter;
using Variable = rw::Variable<float>;
using Parameters = rw::nn::Parameters<float>;

struct Sizes {
  std::size_t input, hidden;
};

inline Parameter<float> weight(const std::string& name, const rw::Shape& shape) {
  return {name, rw::zeros<float>(shape)};
}

/// LSTM whose gates see the memory (Gers, Schraudolph & Schmidhuber 2002):
///     i = σ(.. + p_i ⊙ c), f = σ(.. + p_f ⊙ c), c' = f ⊙ c + i ⊙ tanh(g), o = σ(.. + p_o ⊙ c'), h' = o ⊙ tanh(c')
struct PeepholeLstm {
  struct State {
    Variable h, c;
  };

  PeepholeLstm(const Sizes& s, rw::Random&)
      : weight_ih(weight("weight_ih", {s.input, 4 * s.hidden})),
        weight_hh(weight("weight_hh", {s.hidden, 4 * s.hidden})),
        bias(weight("bias", {4 * s.hidden})),
        peep_i(weight("peep_i", {s.hidden})),
        peep_f(weight("peep_f", {s.hidden})),
        peep_o(weight("peep_o", {s.hidden})) {}

  State initial_state(std::size_t batch) const {
    const Variable zero = rw::zeros<float>({batch, peep_i.size()});
    return {zero, zero};
  }

  Variable project(const Variable& xs) const { return affine(xs, weight_ih, bias); }

  rw::nn::Step<float, State> step(const Variable& x, const State& s) const {
    const Variable gates = affine(s.h, weight_hh, x);
    const auto [h, c] = rw::fuse(
        [](auto i, auto f, auto g, auto o, auto c, auto p_i, auto p_f, auto p_o) {
          auto next = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * tanh(g);
          return std::tuple{sigmoid(o + p_o * next) * tanh(next), next};
        },
        rw::blocks<4>(gates), s.c, peep_i, peep_f, peep_o);
    return {h, {h, c}};
  }

  Parameters parameters() { return {weight_ih, weight_hh, bias, peep_i, peep_f, peep_o}; }

  Parameter<float> weight_ih, weight_hh, bias, peep_i, peep_f, peep_o;
};

/// LSTM with its input, its recurrent product and its memory normalised (Ba, Kiros & Hinton 2016; the two sums of a
/// gate share the shift of the first).
struct LayerNormLstm {
  struct State {
    Variable h, c;
  };

  LayerNormLstm(const Sizes& s, rw::Random&)
      : weight_ih(weight("weight_ih", {s.input, 4 * s.hidden})),
        weight_hh(weight("weight_hh", {s.hidden, 4 * s.hidden})),
        bias(weight("bias", {4 * s.hidden})),
        gain_x(weight("gain_x", {4 * s.hidden})),
        shift_x(weight("shift_x", {4 * s.hidden})),
        gain_h(weight("gain_h", {4 * s.hidden})),
        gain_c(weight("gain_c", {s.hidden})),
        shift_c(weight("shift_c", {s.hidden})) {}

  State initial_state(std::size_t batch) const {
    const Variable zero = rw::zeros<float>({batch, weight_hh.shape()[0]});
    return {zero, zero};
  }

  Variable project(const Variable& xs) const { return layer_norm(affine(xs, weight_ih, bias), gain_x, shift_x); }

  rw::nn::Step<float, State> step(const Variable& x, const State& s) const {
    const Variable gates = layer_norm(matmul(s.h, weight_hh), gain_h, x);
    const auto [c, o] = rw::fuse(
        [](auto i, auto f, auto g, auto o, auto c) {
          return std::tuple{sigmoid(f) * c + sigmoid(i) * tanh(g), sigmoid(o)};
        },
        rw::blocks<4>(gates), s.c);
    const Variable h = rw::fuse([](auto o, auto c) { return o * tanh(c); }, o, layer_norm(c, gain_c, shift_c));
    return {h, {h, c}};
  }

  Parameters parameters() { return {weight_ih, weight_hh, bias, gain_x, shift_x, gain_h, gain_c, shift_c}; }

  Parameter<float> weight_ih, weight_hh, bias, gain_x, shift_x, gain_h, gain_c, shift_c;
};

/// Independently recurrent units (Li et al. 2018): h' = max(x·W + b + u ⊙ h, 0).
struct IndRnn {
  struct State {
    Variable h;
  };

  IndRnn(const Sizes& s, rw::Random&)
      : weight_ih(weight("weight_ih", {s.input, s.hidden})),
        bias(weight("bias", {s.hidden})),
        u(weight("u", {s.hidden})) {}

  State initial_state(std::size_t batch) const { return {rw::zeros<float>({batch, u.size()})}; }

  Variable project(const Variable& xs) const { return affine(xs, weight_ih, bias); }

  rw::nn::Step<float, State> step(const Variable& x, const State& s) const {
    const Variable h = rw::fuse([](auto x, auto u, auto h) { return relu(x + u * h); }, x, u, s.h);
    return {h, {h}};
  }

  Parameters parameters() { return {weight_ih, bias, u}; }

  Parameter<float> weight_ih, bias, u;
};

/// GRU (Cho et al. 2014), reset after the product:
///     r = σ(..), z = σ(..), n = tanh(x·W_n + b_n + r ⊙ (h·U_n + b_hn)), h' = n + z ⊙ (h − n)
struct HandGru {
  struct State {
    Variable h;
  };

  HandGru(const Sizes& s, rw::Random&)
      : weight_ih(weight("weight_ih", {s.input, 3 * s.hidden})),
        weight_hh(weight("weight_hh", {s.hidden, 3 * s.hidden})),
        bias(weight("bias", {3 * s.hidden})),
        bias_hn(weight("bias_hn", {s.hidden})) {}

  State initial_state(std::size_t batch) const { return {rw::zeros<float>({batch, bias_hn.size()})}; }

  Variable project(const Variable& xs) const { return affine(xs, weight_ih, bias); }

  rw::nn::Step<float, State> step(const Variable& x, const State& s) const {
    const Variable uh = matmul(s.h, weight_hh);
    const Variable h = rw::fuse(
        [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto b, auto h) {
          auto n = tanh(xn + sigmoid(xr + hr) * (hn + b));
          return n + sigmoid(xz + hz) * (h - n);
        },
        rw::blocks<3>(x), rw::blocks<3>(uh), bias_hn, s.h);
    return {h, {h}};
  }

  Parameters parameters() { return {weight_ih, weight_hh, bias, bias_hn}; }

  Parameter<float> weight_ih, weight_hh, bias, bias_hn;
};

}  // namespace bench
