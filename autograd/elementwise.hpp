#pragma once

#include "autograd/lane.hpp"
#include "autograd/ops/broadcast.hpp"
#include "autograd/record.hpp"

// How an elementwise op is made of a rule: a struct with its name, its value on SIMD batches, and one derivative an
// input. The same derivative serves lanes (a plain backward pass), dual numbers (fuse) and variables (a recorded
// backward pass), because the functions of ops/ are defined for all three.

namespace rw {

/// What the derivative of a one-input rule reads besides dy: dx(dy), dx(dy, x) or dx(dy, y).
enum class Reads { nothing, input, output };

namespace detail {

template <class T>
std::true_type variable_test(const Variable<T>*);
std::false_type variable_test(...);
template <class X>
inline constexpr bool is_variable = decltype(variable_test(static_cast<X*>(nullptr)))::value;

template <class X>
inline constexpr bool is_lane = false;
template <class T>
inline constexpr bool is_lane<Lane<T>> = true;

/// Numbers of other files (the duals of fuse) say so by a nested type.
template <class X>
concept DualNumber = requires {
  typename X::is_dual_number;
};

}  // namespace detail

/// What elementwise functions work on: variables, parameters, lanes, dual numbers.
template <class X>
concept Operand = detail::is_variable<X> || detail::is_lane<X> || detail::DualNumber<X>;

template <class X>
concept Number = std::is_arithmetic_v<X>;

namespace rules {

/// Base of rules of one input.
struct Unary {
  static constexpr bool constant = false;  // no gradient passes
  static constexpr Reads reads = Reads::input;
};

/// Base of rules of several inputs with derivatives da(dy, a, b, ...), db(...), dc(...).
struct Nary {
  static constexpr bool constant = false;
  static constexpr bool linear = false;  // the derivatives are da(dy), db(dy), ...: they read no input
};

}  // namespace rules

namespace detail {

template <class Rule, class X>
auto derive_unary(const Rule& rule, const X& dy, const X& saved) {
  if constexpr (Rule::reads == Reads::nothing) {
    return rule.dx(dy);
  } else {
    return rule.dx(dy, saved);
  }
}

template <std::size_t K, class Rule, class X, class... Xs>
auto derive_nth(const Rule& rule, const X& dy, const Xs&... xs) {
  if constexpr (Rule::linear && sizeof...(Xs) > 0) {
    return derive_nth<K>(rule, dy);
  } else if constexpr (K == 0) {
    return rule.da(dy, xs...);
  } else if constexpr (K == 1) {
    return rule.db(dy, xs...);
  } else {
    return rule.dc(dy, xs...);
  }
}

}  // namespace detail

// On lanes: the value.
template <class Rule, class T, class... Xs>
Lane<T> elementwise(const Rule& rule, const Lane<T>& x, const Xs&... xs) {
  return {rule.value(x.v, xs.v...)};
}

/// f(xs...) elementwise, where f is written with the functions of ops/: one pass over memory, or op by op where a tape
/// records. This is what derivatives are made of.
template <class T, class F, class... Xs>
Variable<T> pointwise(const char* op, const F& f, const Variable<T>& x, const Xs&... xs) {
  if (Tape<T>::current() != nullptr) return f(x, static_cast<const Variable<T>&>(xs)...);
  constexpr std::size_t n = 1 + sizeof...(Xs);
  auto out = map_lanes<1, T, n>(op, {&x.value(), &xs.value()...}, [&](const std::array<Lane<T>, n>& lanes) {
    return std::array<Lane<T>, 1>{std::apply(f, lanes)};
  });
  return Variable<T>(std::move(out[0]));
}

namespace detail {

template <class Rule, class T, class... Xs>
Tensor<T> rule_value(const Rule& rule, const Variable<T>& x, const Xs&... xs) {
  constexpr std::size_t n = 1 + sizeof...(Xs);
  auto out = map_lanes<1, T, n>(Rule::name, {&x.value(), &xs.value()...}, [&](const std::array<Lane<T>, n>& lanes) {
    return std::array<Lane<T>, 1>{std::apply([&](const auto&... lane) { return elementwise(rule, lane...); }, lanes)};
  });
  return std::move(out[0]);
}

// The derivative with respect to the K-th of several inputs, summed over the axes along which that input repeats.
template <std::size_t K, class Rule, class T, class... Xs>
auto wrt_nth(const Rule& rule, const Variable<T>& input, const Xs&... xs) {
  if constexpr (Rule::linear) {
    return wrt(input, [rule, shape = input.shape()](const Variable<T>& dy) {
      return sum_to(pointwise(
                        Rule::name, [rule](const auto& d) { return derive_nth<K>(rule, d); }, dy),
                    shape);
    });
  } else {
    return wrt(input, [rule, shape = input.shape(), xs...](const Variable<T>& dy) {
      const auto dx = [rule](const auto& d, const auto&... x) { return derive_nth<K>(rule, d, x...); };
      return sum_to(pointwise(Rule::name, dx, dy, xs...), shape);
    });
  }
}

}  // namespace detail

// On variables: the value, and the derivatives where a tape records.
template <class Rule, class T>
Variable<T> elementwise(const Rule& rule, const Variable<T>& x) {
  Tensor<T> y = detail::rule_value(rule, x);
  const auto dx = [rule](const auto& dy, const auto& saved) { return detail::derive_unary(rule, dy, saved); };
  if constexpr (Rule::constant) {
    return y;
  } else if constexpr (Rule::reads == Reads::nothing) {
    return record(Rule::name, std::move(y), wrt(x, [rule](const Variable<T>& dy) {
                    return pointwise(
                        Rule::name, [rule](const auto& d) { return rule.dx(d); }, dy);
                  }));
  } else if constexpr (Rule::reads == Reads::input) {
    return record(Rule::name, std::move(y),
                  wrt(x, [dx, x](const Variable<T>& dy) { return pointwise(Rule::name, dx, dy, x); }));
  } else {
    return record(Rule::name, std::move(y), wrt(x, [dx](const Variable<T>& dy, const Variable<T>& y) {
                    return pointwise(Rule::name, dx, dy, y);
                  }));
  }
}

template <class Rule, class T>
Variable<T> elementwise(const Rule& rule, const Variable<T>& a, const Variable<T>& b) {
  Tensor<T> y = detail::rule_value(rule, a, b);
  if constexpr (Rule::constant) {
    return y;
  } else {
    return record(Rule::name, std::move(y), detail::wrt_nth<0>(rule, a, a, b), detail::wrt_nth<1>(rule, b, a, b));
  }
}

template <class Rule, class T>
Variable<T> elementwise(const Rule& rule, const Variable<T>& a, const Variable<T>& b, const Variable<T>& c) {
  return record(Rule::name, detail::rule_value(rule, a, b, c), detail::wrt_nth<0>(rule, a, a, b, c),
                detail::wrt_nth<1>(rule, b, a, b, c), detail::wrt_nth<2>(rule, c, a, b, c));
}

// A number beside an operand becomes an operand of its kind.
template <class T>
Variable<T> lift(const Variable<T>&, double s) {
  return Variable<T>(scalar<T>(static_cast<T>(s)));
}
template <class T>
Lane<T> lift(const Lane<T>&, double s) {
  return {xsimd::batch<T>(static_cast<T>(s))};
}

namespace detail {

template <class Rule, class A, class B>
auto binary(const Rule& rule, const A& a, const B& b) {
  if constexpr (std::is_arithmetic_v<A>) {
    return elementwise(rule, lift(b, a), b);
  } else if constexpr (std::is_arithmetic_v<B>) {
    return elementwise(rule, a, lift(a, b));
  } else {
    return elementwise(rule, a, b);
  }
}

}  // namespace detail

/// The arguments of a two-input function: two operands, or an operand and a number.
template <class A, class B>
concept Operands = (Operand<A> && (Operand<B> || Number<B>)) || (Number<A> && Operand<B>);

}  // namespace rw
