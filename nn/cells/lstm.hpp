#pragma once

#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/normalize.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// What an LSTM's memory c is multiplied by at a step.
enum class Forget {
  gate,     // σ(f), a gate of its own
  coupled,  // 1 − σ(i): what comes in takes the place of what was there (Greff et al. 2017)
  none,     // 1: nothing is lost (Hochreiter & Schmidhuber 1997)
};

/// Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gates (Gers, Schmidhuber & Cummins 2000).
///     i, f, g, o = x·W + h·U + b
///     c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)
///     h' = σ(o) ⊙ tanh(c')
/// x [B, I], h and c [B, H]; W [I, 4H], U [H, 4H] and b [4H] hold the gates in the order i, f, g, o.
/// Options, in any combination:
///     forget      1 − σ(i) or 1 instead of σ(f): W, U and b hold i, g, o
///     peepholes   σ(i + p_i ⊙ c), σ(f + p_f ⊙ c) and σ(o + p_o ⊙ c'); p [3H] holds i, f, o, or p [2H] i, o
///                 (Gers, Schraudolph & Schmidhuber 2002)
///     projection  h' = (σ(o) ⊙ tanh(c'))·P with P [H, R], so h [B, R] and U [R, 4H] (Sak, Senior & Beaufays 2014)
///     layer_norm  N(x·W) + N(h·U) + b and tanh(N(c')); N makes the mean of a row, of all gates together, 0 and its
///                 variance 1, and has a gain, that of c' a shift too (Ba, Kiros & Hinton 2016)
template <class T>
struct Lstm {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
    double forget_bias = 1;  // of the forget gate, where there is one (Jozefowicz et al. 2015)
    Forget forget = Forget::gate;
    bool peepholes = false;
    std::size_t projection = 0;  // R; 0: none
    bool layer_norm = false;

    std::size_t gates() const { return forget == Forget::gate ? 4 : 3; }
  };
  struct State {
    Variable<T> h, c;
  };

  /// W and P from Glorot's uniform distribution and U orthogonal, gate by gate; gains one; all else zero but for the
  /// forget gate's bias.
  Lstm(const Options& options, Random& random)
      : forget(options.forget),
        weight_ih("weight_ih",
                  glorot_uniform_blocks<T>({options.input, options.gates() * options.hidden}, options.gates(), random)),
        weight_hh("weight_hh", orthogonal_blocks<T>({options.projection > 0 ? options.projection : options.hidden,
                                                     options.gates() * options.hidden},
                                                    options.gates(), random)) {
    const std::size_t gates = options.gates(), hidden = options.hidden;
    std::vector<double> biases(gates, 0);
    if (forget == Forget::gate) biases[1] = options.forget_bias;
    if (options.bias) bias.emplace("bias", bias_blocks<T>(hidden, biases));
    if (options.peepholes) peephole.emplace("peephole", zeros<T>({(gates - 1) * hidden}));
    if (options.projection > 0) {
      weight_hr.emplace("weight_hr", glorot_uniform<T>({hidden, options.projection}, random));
    }
    if (!options.layer_norm) return;
    gain_ih.emplace("gain_ih", full<T>({gates * hidden}, 1));
    gain_hh.emplace("gain_hh", full<T>({gates * hidden}, 1));
    gain_c.emplace("gain_c", full<T>({hidden}, 1));
    if (options.bias) shift_c.emplace("shift_c", zeros<T>({hidden}));
  }

  std::size_t hidden() const { return weight_hh.shape()[1] / (forget == Forget::gate ? 4 : 3); }

  State initial_state(std::size_t batch) const {
    return {zeros<T>({batch, weight_hh.shape()[0]}), zeros<T>({batch, hidden()})};
  }

  Variable<T> project(const Variable<T>& xs) const {
    if (gain_ih) return normalised(matmul(xs, weight_ih), *gain_ih, bias);
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const;

  Parameters<T> parameters() {
    Parameters<T> all{weight_ih, weight_hh};
    for (auto* p : {&bias, &peephole, &weight_hr, &gain_ih, &gain_hh, &gain_c, &shift_c}) {
      if (*p) all.add(**p);
    }
    return all;
  }

  Forget forget;
  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> bias, peephole, weight_hr, gain_ih, gain_hh, gain_c, shift_c;

 private:
  static Variable<T> normalised(const Variable<T>& x, const Parameter<T>& gain,
                                const std::optional<Parameter<T>>& shift) {
    return layer_norm(x, gain, shift ? Variable<T>(*shift) : zeros<T>(gain.shape()));
  }
};

namespace detail {

/// A peephole or gate that a cell is without: adds nothing to a sum.
struct Absent {
  friend Absent operator*(Absent, const auto&) { return {}; }
  friend auto operator+(const auto& sum, Absent) { return sum; }
};

/// The elementwise part of a step: {h', c'}; or {σ(o), c'}, where c' is normalised before its tanh.
template <bool normalised>
struct LstmGates {
  double taken;  // without a forget gate c is multiplied by 1 − taken·σ(i)

  auto operator()(auto i, auto f, auto g, auto o, auto c, auto p_i, auto p_f, auto p_o) const {
    auto in = sigmoid(i + p_i * c);
    auto next = kept(f + p_f * c, in) * c + in * tanh(g);
    auto out = sigmoid(o + p_o * next);
    if constexpr (normalised) {
      return std::tuple{out, next};
    } else {
      return std::tuple{out * tanh(next), next};
    }
  }

  auto operator()(auto i, auto f, auto g, auto o, auto c) const {
    return (*this)(i, f, g, o, c, Absent(), Absent(), Absent());
  }
  auto operator()(auto i, auto g, auto o, auto c, auto p_i, auto p_o) const {
    return (*this)(i, Absent(), g, o, c, p_i, Absent(), p_o);
  }
  auto operator()(auto i, auto g, auto o, auto c) const { return (*this)(i, Absent(), g, o, c); }

 private:
  auto kept(auto f, auto) const { return sigmoid(f); }
  auto kept(Absent, auto in) const { return 1 - taken * in; }
};

/// The same for all elements: `gates` are the sums side by side, of i, (f,) g and o.
template <bool normalised, class T>
std::array<Variable<T>, 2> lstm_gates(Forget forget, const Variable<T>& gates, const Variable<T>& c,
                                      const std::optional<Parameter<T>>& peephole) {
  const LstmGates<normalised> equations{forget == Forget::coupled ? 1.0 : 0.0};
  if (forget == Forget::gate) {
    return peephole ? fuse(equations, blocks<4>(gates), c, blocks<3, T>(*peephole))
                    : fuse(equations, blocks<4>(gates), c);
  }
  return peephole ? fuse(equations, blocks<3>(gates), c, blocks<2, T>(*peephole))
                  : fuse(equations, blocks<3>(gates), c);
}

}  // namespace detail

template <class T>
Step<T, typename Lstm<T>::State> Lstm<T>::step(const Variable<T>& x, const State& s) const {
  auto [h, c] = gain_hh
                    ? detail::lstm_gates<true>(forget, layer_norm(matmul(s.h, weight_hh), *gain_hh, x), s.c, peephole)
                    : detail::lstm_gates<false>(forget, affine(s.h, weight_hh, x), s.c, peephole);
  if (gain_hh) h = fuse([](auto o, auto c) { return o * tanh(c); }, h, normalised(c, *gain_c, shift_c));
  if (weight_hr) h = matmul(h, *weight_hr);
  return {h, {h, c}};
}

extern template struct Lstm<float>;
extern template struct Lstm<double>;

}  // namespace rw::nn
