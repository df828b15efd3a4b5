#pragma once

#include "autograd/lane_math.hpp"
#include "autograd/ops/exponential.hpp"

// Activation functions, elementwise, without overflow for any finite x.

namespace rw {
namespace rules {

struct Tanh : Unary {
  static constexpr const char* name = "tanh";
  static constexpr Reads reads = Reads::output;
  auto value(const auto& x) const { return fast_tanh(x); }
  auto dx(const auto& dy, const auto& y) const { return dy * (1 - square(y)); }
};

struct Sigmoid : Unary {
  static constexpr const char* name = "sigmoid";
  static constexpr Reads reads = Reads::output;
  auto value(const auto& x) const { return fast_sigmoid(x); }
  auto dx(const auto& dy, const auto& y) const { return dy * (y * (1 - y)); }
};

struct Relu : Unary {
  static constexpr const char* name = "relu";
  static constexpr Reads reads = Reads::output;
  template <class Batch>
  Batch value(const Batch& x) const {
    return xsimd::select(x < Batch(0), Batch(0), x);
  }
  auto dx(const auto& dy, const auto& y) const { return where(greater(y, 0), dy, 0); }
};

struct LeakyRelu : Unary {
  static constexpr const char* name = "leaky_relu";
  double slope;
  template <class Batch>
  Batch value(const Batch& x) const {
    return xsimd::select(x < Batch(0), x * Batch(typename Batch::value_type(slope)), x);
  }
  auto dx(const auto& dy, const auto& x) const { return where(greater(x, 0), dy, slope * dy); }
};

struct Elu : Unary {
  static constexpr const char* name = "elu";
  double alpha;
  template <class Batch>
  Batch value(const Batch& x) const {
    return xsimd::select(x < Batch(0), Batch(typename Batch::value_type(alpha)) * xsimd::expm1(x), x);
  }
  auto dx(const auto& dy, const auto& x) const { return where(greater(x, 0), dy, dy * (alpha * exp(minimum(x, 0)))); }
};

struct Gelu : Unary {
  static constexpr const char* name = "gelu";
  template <class Batch>
  Batch value(const Batch& x) const {
    using T = typename Batch::value_type;
    return x * (Batch(T(0.5)) * (Batch(1) + xsimd::erf(x * Batch(T(0.7071067811865476)))));
  }
  auto dx(const auto& dy, const auto& x) const {
    const auto cdf = 0.5 * (1 + erf(0.7071067811865476 * x));
    const auto pdf = 0.3989422804014327 * exp(-0.5 * square(x));
    return dy * (cdf + x * pdf);
  }
};

struct Softplus : Unary {
  static constexpr const char* name = "softplus";
  template <class Batch>
  Batch value(const Batch& x) const {
    return xsimd::max(x, Batch(0)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
  }
  auto dx(const auto& dy, const auto& x) const { return dy * sigmoid(x); }
};

struct HardSigmoid : Unary {
  static constexpr const char* name = "hard_sigmoid";
  template <class Batch>
  Batch value(const Batch& x) const {
    using T = typename Batch::value_type;
    const Batch line = x * Batch(T(1.0 / 6)) + Batch(T(0.5));
    return xsimd::select(line < Batch(0), Batch(0), xsimd::select(line > Batch(1), Batch(1), line));
  }
  auto dx(const auto& dy, const auto& x) const { return where(less(abs(x), 3), dy * (1.0 / 6), 0); }
};

}  // namespace rules

/// tanh x.
auto tanh(const Operand auto& x) { return elementwise(rules::Tanh{}, x); }

/// The logistic function 1 / (1 + e⁻ˣ).
auto sigmoid(const Operand auto& x) { return elementwise(rules::Sigmoid{}, x); }

/// max(x, 0); the gradient at 0 is 0.
auto relu(const Operand auto& x) { return elementwise(rules::Relu{}, x); }

/// x for x > 0, else slope·x.
auto leaky_relu(const Operand auto& x, double slope = 0.01) { return elementwise(rules::LeakyRelu{{}, slope}, x); }

/// x for x > 0, else α(eˣ − 1) (Clevert et al. 2016).
auto elu(const Operand auto& x, double alpha = 1) { return elementwise(rules::Elu{{}, alpha}, x); }

/// x·Φ(x) with the exact Gaussian distribution function (Hendrycks & Gimpel 2016).
auto gelu(const Operand auto& x) { return elementwise(rules::Gelu{}, x); }

/// log(1 + eˣ).
auto softplus(const Operand auto& x) { return elementwise(rules::Softplus{}, x); }

/// x/6 + 1/2 limited to [0, 1].
auto hard_sigmoid(const Operand auto& x) { return elementwise(rules::HardSigmoid{}, x); }

}  // namespace rw
