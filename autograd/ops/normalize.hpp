#pragma once

#include "autograd/kernels/normalize.hpp"
#include "autograd/ops/reduce.hpp"

namespace rw {
namespace detail {

/// The way back of layer_norm, with x̂ = (x − x̄)/σ and g = dy ⊙ gain:
/// dx = (g − mean(g) − x̂ ⊙ mean(g ⊙ x̂))/σ, dgain = Σ dy ⊙ x̂ over the rows.
template <class T>
struct LayerNormDerivative {
  Variable<T> x, gain;
  Tensor<T> moments;
  double epsilon;

  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const {
    Tape<T>::current() != nullptr ? recorded(dys[0], flow) : at_once(dys[0], flow);
  }

  void at_once(const Variable<T>& dy, Flow<T>& flow) const {
    Variable<T> dx = flow.room(0, x.shape());
    Tensor<T> dgain = zeros<T>(gain.shape());
    kernels::layer_norm_backward<T>(dy.view(), x.view(), gain.view(), moments, dx.fresh(), dgain);
    flow.add(0, std::move(dx));
    flow.add(1, Variable<T>(std::move(dgain)));
  }

  void recorded(const Variable<T>& dy, Flow<T>& flow) const {
    const Reduce row{{-1}, true};
    const Variable<T> sigma = sqrt(variance(x, row) + epsilon), xhat = (x - mean(x, row)) / sigma, g = dy * gain;
    flow.add(0, (g - mean(g, row) - xhat * mean(g * xhat, row)) / sigma);
    flow.add(1, sum_to(dy * xhat, gain.shape()));
  }
};

}  // namespace detail

/// y = (x − x̄)/σ ⊙ gain + shift with σ = √(variance + ε), the mean x̄ and the biased variance taken over the last axis
/// (Ba, Kiros & Hinton 2016).   x [..., n], gain [n], shift [n] or [..., n] -> y [..., n]. A shift of x's shape is what
/// would be added to y, as the other sum of a gate is.
/// Throws std::invalid_argument where rows are empty, gain or shift is of another shape, or ε is not at least 0.
template <class T>
Variable<T> layer_norm(const Variable<T>& x, const std::type_identity_t<Variable<T>>& gain,
                       const std::type_identity_t<Variable<T>>& shift, double epsilon = 1e-5) {
  if (x.rank() == 0 || x.shape().back() == 0) fail("layer_norm", "rows of at least one element", "x ", x.shape());
  const Shape row{x.shape().back()};
  if (gain.shape() != row || (shift.shape() != row && shift.shape() != x.shape())) {
    const std::string or_x = x.rank() > 1 ? " or shift " + to_string(x.shape()) : "";
    fail("layer_norm", "gain and shift " + to_string(row) + or_x, "gain ", gain.shape(), ", shift ", shift.shape());
  }
  if (!(epsilon >= 0)) fail("layer_norm", "epsilon of at least 0", epsilon);
  auto [y, moments] = kernels::layer_norm(x.view(), gain.view(), shift.view(), epsilon);
  const std::array<const Variable<T>*, 2> inputs{&x, &gain};
  const auto derivative = [&, kept = &moments] {
    return detail::LayerNormDerivative<T>{x, gain, std::move(*kept), epsilon};
  };
  return record("layer_norm", std::move(y), wrt(inputs, derivative), repeated(shift));
}

}  // namespace rw
