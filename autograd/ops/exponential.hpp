#pragma once

#include "autograd/ops/arithmetic.hpp"

// Powers, roots, exponentials, logarithms and trigonometry, elementwise. Outside their domain they give NaN or ±∞ as
// IEEE arithmetic does.

namespace rw {
namespace rules {

struct Square : Unary {
  static constexpr const char* name = "square";
  auto value(const auto& x) const { return x * x; }
  auto dx(const auto& dy, const auto& x) const { return dy * (2 * x); }
};

struct Sqrt : Unary {
  static constexpr const char* name = "sqrt";
  static constexpr Reads reads = Reads::output;
  auto value(const auto& x) const { return xsimd::sqrt(x); }
  auto dx(const auto& dy, const auto& y) const { return dy * (0.5 / y); }
};

struct Abs : Unary {
  static constexpr const char* name = "abs";
  auto value(const auto& x) const { return xsimd::abs(x); }
  auto dx(const auto& dy, const auto& x) const { return dy * sign(x); }
};

struct Exp : Unary {
  static constexpr const char* name = "exp";
  static constexpr Reads reads = Reads::output;
  auto value(const auto& x) const { return xsimd::exp(x); }
  auto dx(const auto& dy, const auto& y) const { return dy * y; }
};

struct Log : Unary {
  static constexpr const char* name = "log";
  auto value(const auto& x) const { return xsimd::log(x); }
  auto dx(const auto& dy, const auto& x) const { return dy / x; }
};

struct Log1p : Unary {
  static constexpr const char* name = "log1p";
  auto value(const auto& x) const { return xsimd::log1p(x); }
  auto dx(const auto& dy, const auto& x) const { return dy / (1 + x); }
};

struct Sin : Unary {
  static constexpr const char* name = "sin";
  auto value(const auto& x) const { return xsimd::sin(x); }
  auto dx(const auto& dy, const auto& x) const { return dy * cos(x); }
};

struct Cos : Unary {
  static constexpr const char* name = "cos";
  auto value(const auto& x) const { return xsimd::cos(x); }
  auto dx(const auto& dy, const auto& x) const { return -dy * sin(x); }
};

struct Erf : Unary {
  static constexpr const char* name = "erf";
  auto value(const auto& x) const { return xsimd::erf(x); }
  auto dx(const auto& dy, const auto& x) const { return dy * (1.1283791670955126 * exp(-square(x))); }  // 2/√π
};

struct Pow : Nary {
  static constexpr const char* name = "pow";
  auto value(const auto& a, const auto& b) const { return xsimd::pow(a, b); }
  // 0^0 and 0^b leave 0·∞ in the textbook formulas; their limits from a > 0 are 0.
  auto da(const auto& dy, const auto& a, const auto& b) const {
    return where(equal(b, 0), 0, dy * (b * pow(a, b - 1)));
  }
  auto db(const auto& dy, const auto& a, const auto& b) const {
    return where(equal(a, 0), 0, dy * (pow(a, b) * log(where(equal(a, 0), 1, a))));
  }
};

}  // namespace rules

/// x².
auto square(const Operand auto& x) { return elementwise(rules::Square{}, x); }

/// √x.
auto sqrt(const Operand auto& x) { return elementwise(rules::Sqrt{}, x); }

/// |x|; the gradient at 0 is 0.
auto abs(const Operand auto& x) { return elementwise(rules::Abs{}, x); }

/// eˣ.
auto exp(const Operand auto& x) { return elementwise(rules::Exp{}, x); }

/// The natural logarithm.
auto log(const Operand auto& x) { return elementwise(rules::Log{}, x); }

/// log(1 + x), exact for small x.
auto log1p(const Operand auto& x) { return elementwise(rules::Log1p{}, x); }

/// sin x, x in radians.
auto sin(const Operand auto& x) { return elementwise(rules::Sin{}, x); }

/// cos x, x in radians.
auto cos(const Operand auto& x) { return elementwise(rules::Cos{}, x); }

/// The error function 2/√π ∫₀ˣ exp(−t²) dt.
auto erf(const Operand auto& x) { return elementwise(rules::Erf{}, x); }

/// aᵇ, with broadcasting; either may be a plain number.
template <class A, class B>
requires Operands<A, B>
auto pow(const A& a, const B& b) { return detail::binary(rules::Pow{}, a, b); }

}  // namespace rw
