#pragma once

#include "autograd/elementwise.hpp"

// Comparisons, elementwise with broadcasting: 1 where they hold, else 0. Their results are constants: no gradient
// passes.

namespace rw {
namespace rules {

struct Comparison : Nary {
  static constexpr bool constant = true;
  template <class Batch, class Mask>
  static Batch one_where(const Mask& holds, const Batch&) {
    return xsimd::select(holds, Batch(1), Batch(0));
  }
};

struct Greater : Comparison {
  static constexpr const char* name = "greater";
  auto value(const auto& a, const auto& b) const { return one_where(a > b, a); }
};

struct GreaterEqual : Comparison {
  static constexpr const char* name = "greater_equal";
  auto value(const auto& a, const auto& b) const { return one_where(a >= b, a); }
};

struct Equal : Comparison {
  static constexpr const char* name = "equal";
  auto value(const auto& a, const auto& b) const { return one_where(a == b, a); }
};

struct Sign : Unary {
  static constexpr const char* name = "sign";
  static constexpr bool constant = true;
  template <class Batch>
  Batch value(const Batch& x) const {
    return xsimd::select(x > Batch(0), Batch(1), xsimd::select(x < Batch(0), Batch(-1), x));
  }
};

}  // namespace rules

/// a > b.
template <class A, class B>
requires Operands<A, B>
auto greater(const A& a, const B& b) { return detail::binary(rules::Greater{}, a, b); }

/// a ≥ b.
template <class A, class B>
requires Operands<A, B>
auto greater_equal(const A& a, const B& b) { return detail::binary(rules::GreaterEqual{}, a, b); }

/// a < b.
template <class A, class B>
requires Operands<A, B>
auto less(const A& a, const B& b) { return greater(b, a); }

/// a ≤ b.
template <class A, class B>
requires Operands<A, B>
auto less_equal(const A& a, const B& b) { return greater_equal(b, a); }

/// a = b.
template <class A, class B>
requires Operands<A, B>
auto equal(const A& a, const B& b) { return detail::binary(rules::Equal{}, a, b); }

/// −1, 0 or 1; NaN stays NaN. A constant: no gradient passes.
auto sign(const Operand auto& x) { return elementwise(rules::Sign{}, x); }

}  // namespace rw
