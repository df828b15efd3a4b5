#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Independently recurrent network (Li et al. 2018, arXiv 1803.04831): a unit hears itself and no other.
///     h' = relu(x·W + u ⊙ h + b)
/// x [B, I], h [B, H]; W [I, H], u [H], b [H]. With relu, ∂h_T/∂h_0 of a unit is u^T while it is active, so a bound on
/// |u| is one on the gradient. Another activation is given by its rule: IndRnn<float, rules::Tanh>.
template <class T, class Activation = rules::Relu>
struct IndRnn {
  struct Options {
    std::size_t input, hidden;
    bool bias = true;
    double bound = 0;  // of |u|, see ind_rnn_bound(); 0: none
    double least = 0;  // u begins uniform in [least, bound], or [least, 1] without a bound; near 1 it remembers long
  };
  struct State {
    Variable<T> h;
  };

  /// W from Glorot's uniform distribution; b zero.
  /// Throws std::invalid_argument where the bound is negative or not finite, or `least` not from 0 up to the greatest
  /// u.
  IndRnn(const Options& options, Random& random)
      : bound(checked(options).bound),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)),
        weight_hh("weight_hh", zeros<T>({options.hidden})) {
    weight_hh.update([&](Tensor<T>& u) {
      for (T& element : u) element = static_cast<T>(random.uniform(options.least, greatest(options)));
    });
    if (options.bias) bias.emplace("bias", zeros<T>({options.hidden}));
  }

  std::size_t hidden() const { return weight_hh.size(); }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const auto h = fuse([](auto x, auto u, auto h) { return elementwise(Activation{}, x + u * h); }, x, weight_hh, s.h);
    return {h, {h}};
  }

  /// Brings u back into [−bound, bound]; to be called after an optimiser's step.
  void clamp() {
    if (bound == 0) return;
    const T most = static_cast<T>(bound);
    weight_hh.update([&](Tensor<T>& u) {
      for (T& element : u) element = std::clamp(element, -most, most);
    });
  }

  Parameters<T> parameters() {
    return bias ? Parameters<T>{weight_ih, weight_hh, *bias} : Parameters<T>{weight_ih, weight_hh};
  }

  double bound;
  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> bias;

 private:
  static double greatest(const Options& options) { return options.bound == 0 ? 1 : options.bound; }

  static const Options& checked(const Options& options) {
    if (!(options.bound >= 0 && std::isfinite(options.bound))) {
      fail("ind_rnn", "a finite bound of at least 0", options.bound);
    }
    if (!(options.least >= 0 && options.least <= greatest(options))) {
      fail("ind_rnn", "a least u between 0 and the greatest", "least ", options.least, ", greatest ",
           greatest(options));
    }
    return options;
  }
};

/// The bound on |u| under which `steps` steps multiply a gradient by at most `growth`: growth^(1/steps).
/// Throws std::invalid_argument where there are no steps or the growth is not above 0.
inline double ind_rnn_bound(std::size_t steps, double growth = 2) {
  if (steps == 0 || !(growth > 0)) {
    fail("ind_rnn_bound", "at least one step and a growth above 0", steps, " steps, growth ", growth);
  }
  return std::pow(growth, 1 / static_cast<double>(steps));
}

}  // namespace rw::nn
