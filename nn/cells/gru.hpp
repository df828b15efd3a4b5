#pragma once

#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Where a GRU's reset gate acts: on h·U_n, after the product, or on h, before it.
enum class Reset { after, before };

/// What a GRU's gate z keeps: the old state h, or what is fresh, n.
enum class Keep { old, fresh };

/// Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078 version 1), reset after the product.
///     r = σ(x·W_r + h·U_r + b_r)
///     z = σ(x·W_z + h·U_z + b_z)
///     n = tanh(x·W_n + b_n + r ⊙ (h·U_n + b_hn))
///     h' = (1 − z) ⊙ n + z ⊙ h
/// x [B, I], h [B, H]; W [I, 3H], U [H, 3H] and b [3H] hold the gates in the order r, z, n; b_hn [H].
/// Options:
///     Reset::before   n = tanh(x·W_n + (r ⊙ h)·U_n + b_n) with U_n [H, H] (weight_hn) apart from U [H, 2H]
///                     (version 3 of the paper)
///     Keep::fresh     h' = (1 − z) ⊙ h + z ⊙ n (Chung et al. 2014)
template <class T>
struct Gru {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
    Reset reset = Reset::after;
    Keep keep = Keep::old;
  };
  struct State {
    Variable<T> h;
  };

  /// W from Glorot's uniform distribution and U orthogonal, gate by gate; biases zero.
  Gru(const Options& options, Random& random)
      : keep(options.keep),
        weight_ih("weight_ih", glorot_uniform_blocks<T>({options.input, 3 * options.hidden}, 3, random)),
        weight_hh("weight_hh", options.reset == Reset::after
                                   ? orthogonal_blocks<T>({options.hidden, 3 * options.hidden}, 3, random)
                                   : orthogonal_blocks<T>({options.hidden, 2 * options.hidden}, 2, random)) {
    const std::size_t hidden = options.hidden;
    if (options.reset == Reset::before) weight_hn.emplace("weight_hn", orthogonal<T>({hidden, hidden}, random));
    if (!options.bias) return;
    bias.emplace("bias", zeros<T>({3 * hidden}));
    if (options.reset == Reset::after) bias_hn.emplace("bias_hn", zeros<T>({hidden}));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const;

  Parameters<T> parameters() {
    Parameters<T> all{weight_ih, weight_hh};
    for (auto* p : {&weight_hn, &bias, &bias_hn}) {
      if (*p) all.add(**p);
    }
    return all;
  }

  Keep keep;
  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> weight_hn, bias, bias_hn;
};

template <class T>
Step<T, typename Gru<T>::State> Gru<T>::step(const Variable<T>& x, const State& s) const {
  const double sign = keep == Keep::old ? 1 : -1;  // z is the share of h: 1 − σ(a) = σ(−a)
  const Variable<T> uh = matmul(s.h, weight_hh);
  if (weight_hn) {  // reset before
    const auto [reset, z, xn] = fuse(
        [sign](auto xr, auto xz, auto xn, auto hr, auto hz, auto h) {
          return std::tuple{sigmoid(xr + hr) * h, sigmoid(sign * (xz + hz)), xn};
        },
        blocks<3>(x), blocks<2>(uh), s.h);
    const Variable<T> n = affine<T>(reset, *weight_hn, xn);
    const Variable<T> h = fuse([](auto z, auto n, auto h) { return (1 - z) * tanh(n) + z * h; }, z, n, s.h);
    return {h, {h}};
  }
  const Variable<T> b_hn = bias_hn ? Variable<T>(*bias_hn) : scalar<T>(0);
  const Variable<T> h = fuse(
      [sign](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto b_hn, auto h) {
        auto r = sigmoid(xr + hr);
        auto z = sigmoid(sign * (xz + hz));
        auto n = tanh(xn + r * (hn + b_hn));
        return (1 - z) * n + z * h;
      },
      blocks<3>(x), blocks<3>(uh), b_hn, s.h);
  return {h, {h}};
}

extern template struct Gru<float>;
extern template struct Gru<double>;

}  // namespace rw::nn
