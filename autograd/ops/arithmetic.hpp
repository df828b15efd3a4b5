#pragma once

#include "autograd/ops/compare.hpp"

// Arithmetic, elementwise with NumPy broadcasting. Either argument may be a plain number.
// Each throws std::invalid_argument where the shapes do not broadcast.

namespace rw {
namespace rules {

struct Add : Nary {
  static constexpr const char* name = "add";
  static constexpr std::array<unsigned, 3> reads{0, 0, 0};
  static constexpr std::array<bool, 3> same{true, true, false};
  auto value(const auto& a, const auto& b) const { return a + b; }
  auto da(const auto& dy, const auto&, const auto&) const { return dy; }
  auto db(const auto& dy, const auto&, const auto&) const { return dy; }
};

struct Subtract : Nary {
  static constexpr const char* name = "subtract";
  static constexpr std::array<unsigned, 3> reads{0, 0, 0};
  static constexpr std::array<bool, 3> same{true, false, false};
  auto value(const auto& a, const auto& b) const { return a - b; }
  auto da(const auto& dy, const auto&, const auto&) const { return dy; }
  auto db(const auto& dy, const auto&, const auto&) const { return -dy; }
};

struct Multiply : Nary {
  static constexpr const char* name = "multiply";
  static constexpr std::array<unsigned, 3> reads{0b10, 0b01, 0};
  auto value(const auto& a, const auto& b) const { return a * b; }
  auto da(const auto& dy, const auto&, const auto& b) const { return dy * b; }
  auto db(const auto& dy, const auto& a, const auto&) const { return dy * a; }
};

struct Divide : Nary {
  static constexpr const char* name = "divide";
  static constexpr std::array<unsigned, 3> reads{0b10, 0b11, 0};
  auto value(const auto& a, const auto& b) const { return a / b; }
  auto da(const auto& dy, const auto&, const auto& b) const { return dy / b; }
  auto db(const auto& dy, const auto& a, const auto& b) const { return -dy * (a / (b * b)); }
};

struct Negate : Unary {
  static constexpr const char* name = "negate";
  static constexpr Reads reads = Reads::nothing;
  auto value(const auto& x) const { return -x; }
  auto dx(const auto& dy) const { return -dy; }
};

struct Maximum : Nary {
  static constexpr const char* name = "maximum";
  auto value(const auto& a, const auto& b) const { return xsimd::select((a >= b) | !(a == a), a, b); }
  auto da(const auto& dy, const auto& a, const auto& b) const { return dy * (greater(a, b) + 0.5 * equal(a, b)); }
  auto db(const auto& dy, const auto& a, const auto& b) const { return dy * (greater(b, a) + 0.5 * equal(a, b)); }
};

struct Minimum : Nary {
  static constexpr const char* name = "minimum";
  auto value(const auto& a, const auto& b) const { return xsimd::select(a <= b, a, b); }
  auto da(const auto& dy, const auto& a, const auto& b) const { return dy * (less(a, b) + 0.5 * equal(a, b)); }
  auto db(const auto& dy, const auto& a, const auto& b) const { return dy * (less(b, a) + 0.5 * equal(a, b)); }
};

struct Where : Nary {
  static constexpr const char* name = "where";
  static constexpr bool moves = true;
  static constexpr std::array<unsigned, 3> reads{0, 0b001, 0b001};
  auto value(const auto& condition, const auto& a, const auto& b) const {
    return xsimd::select(condition != std::decay_t<decltype(condition)>(0), a, b);
  }
  auto da(const auto& dy, const auto&, const auto&, const auto&) const { return 0 * dy; }
  auto db(const auto& dy, const auto& condition, const auto&, const auto&) const { return where(condition, dy, 0); }
  auto dc(const auto& dy, const auto& condition, const auto&, const auto&) const { return where(condition, 0, dy); }
};

struct Clip : Unary {
  static constexpr const char* name = "clip";
  double low, high;
  template <class Batch>
  Batch value(const Batch& x) const {
    using T = typename Batch::value_type;
    return xsimd::select(x < Batch(T(low)), Batch(T(low)), xsimd::select(x > Batch(T(high)), Batch(T(high)), x));
  }
  auto dx(const auto& dy, const auto& x) const { return where(greater_equal(x, low) * less_equal(x, high), dy, 0); }
};

}  // namespace rules

/// a + b.
template <class A, class B>
requires Operands<A, B>
auto operator+(const A& a, const B& b) { return detail::binary(rules::Add{}, a, b); }

/// a − b.
template <class A, class B>
requires Operands<A, B>
auto operator-(const A& a, const B& b) { return detail::binary(rules::Subtract{}, a, b); }

/// a ⊙ b.
template <class A, class B>
requires Operands<A, B>
auto operator*(const A& a, const B& b) { return detail::binary(rules::Multiply{}, a, b); }

/// a / b.
template <class A, class B>
requires Operands<A, B>
auto operator/(const A& a, const B& b) { return detail::binary(rules::Divide{}, a, b); }

/// −x.
auto operator-(const Operand auto& x) { return elementwise(rules::Negate{}, x); }

/// The larger of a and b, NaN where one is; where they are equal each receives half of the gradient.
template <class A, class B>
requires Operands<A, B>
auto maximum(const A& a, const B& b) { return detail::binary(rules::Maximum{}, a, b); }

/// The smaller of a and b, NaN where one is; where they are equal each receives half of the gradient.
template <class A, class B>
requires Operands<A, B>
auto minimum(const A& a, const B& b) { return detail::binary(rules::Minimum{}, a, b); }

/// a where the condition is not 0, else b. No gradient passes to the condition.
template <Operand C, class A, class B>
auto where(const C& condition, const A& a, const B& b) {
  if constexpr (std::is_arithmetic_v<A>) {
    return where(condition, lift(condition, a), b);
  } else if constexpr (std::is_arithmetic_v<B>) {
    return where(condition, a, lift(condition, b));
  } else {
    return elementwise(rules::Where{}, condition, a, b);
  }
}

/// x limited to [low, high]; no gradient passes outside. Throws std::invalid_argument where low > high.
auto clip(const Operand auto& x, double low, double high) {
  if (!(low <= high)) fail("clip", "low <= high", "low ", low, ", high ", high);
  return elementwise(rules::Clip{{}, low, high}, x);
}

}  // namespace rw
