#pragma once

#include <bit>
#include <tuple>

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
  static constexpr bool constant = false, moves = false;
  static constexpr std::array<unsigned, 3> reads{7, 7, 7};  // bit k of the j-th: the j-th derivative reads input k
  static constexpr std::array<bool, 3> same{};              // the j-th derivative is dy itself
};

/// Stands in the call of a derivative for an input that it does not read.
struct Unread {};

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
  if constexpr (K == 0) {
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
Variable<T> pointwise(const Into<T>& into, const char* op, const F& f, const Variable<T>& x, const Xs&... xs) {
  if (Tape<T>::current() != nullptr) return f(x, static_cast<const Variable<T>&>(xs)...);
  constexpr std::size_t n = 1 + sizeof...(Xs);
  return map_lanes<T, n>(
      op, {x.view(), xs.view()...}, [&](const std::array<Lane<T>, n>& lanes) { return std::apply(f, lanes); }, into);
}
template <class T, class F, class... Xs>
Variable<T> pointwise(const char* op, const F& f, const Variable<T>& x, const Xs&... xs) {
  return pointwise(Into<T>(), op, f, x, xs...);
}

namespace detail {

/// Calls f(k) with k = 0 ... N-1 as compile-time constants.
template <std::size_t N, class F>
constexpr void for_constants(F&& f) {
  [&]<std::size_t... K>(std::index_sequence<K...>) { (f(std::integral_constant<std::size_t, K>()), ...); }
  (std::make_index_sequence<N>());
}

template <class Rule, class T, class... Xs>
Variable<T> rule_value(const Rule& rule, const Variable<T>& x, const Xs&... xs) {
  constexpr std::size_t n = 1 + sizeof...(Xs);
  return map_lanes<T, n>(Rule::name, {x.view(), xs.view()...}, [&](const std::array<Lane<T>, n>& lanes) {
    return std::apply([&](const auto&... lane) { return elementwise(rule, lane...); }, lanes);
  });
}

// How many of the inputs named by `reads` stand before the J-th.
constexpr std::size_t rank_of(unsigned reads, std::size_t j) { return std::popcount(reads & ((1u << j) - 1u)); }

// The K-th derivative of a rule of N inputs, from dy and those inputs alone that it reads.
template <std::size_t K, std::size_t N, class Rule>
struct NthDerivative {
  static constexpr unsigned reads = Rule::reads[K] & ((1u << N) - 1u);
  Rule rule;

  template <std::size_t J, class Given>
  static decltype(auto) input(const Given& given) {
    if constexpr ((reads >> J & 1u) != 0) {
      return std::get<rank_of(reads, J)>(given);
    } else {
      return rules::Unread{};
    }
  }

  template <class D, class... Read>
  auto operator()(const D& dy, const Read&... read) const {
    const auto given = std::tie(read...);
    return [&]<std::size_t... J>(std::index_sequence<J...>) { return derive_nth<K>(rule, dy, input<J>(given)...); }
    (std::make_index_sequence<N>());
  }
};

// The derivative with respect to the K-th of several inputs, summed over the axes along which that input repeats.
template <std::size_t K, class Rule, class T, class... Xs>
void attach_nth(Tape<T>& tape, const Rule& rule, const Variable<T>& y, const Xs&... xs) {
  using Dx = NthDerivative<K, sizeof...(Xs), Rule>;
  const auto all = std::tie(static_cast<const Variable<T>&>(xs)...);
  const Variable<T>& input = std::get<K>(all);
  if (!tape.holds(input)) return;
  if (Rule::same[K]) return attach(tape, repeated(input), y);
  std::array<Variable<T>, std::popcount(Dx::reads)> read;
  for_constants<sizeof...(Xs)>([&](auto j) {
    if constexpr ((Dx::reads >> j & 1u) != 0) read[rank_of(Dx::reads, j)] = std::get<j>(all);
  });
  attach(tape,
         wrt(input,
             [dx = Dx{rule}, read = std::move(read)](const Variable<T>& dy, const Into<T>& into) {
               const auto derive = [&](const Into<T>& to) {
                 return std::apply([&](const auto&... x) { return pointwise(to, Rule::name, dx, dy, x...); }, read);
               };
               if (dy.shape() == into.input_shape()) return derive(into);
               // A copy, because recording moves the tape's own.
               const Shape shape = into.input_shape();  // NOLINT(performance-unnecessary-copy-initialization)
               return sum_to(derive(Into<T>()), shape);
             }),
         y);
}

template <class Rule, class T, class... Xs>
Variable<T> record_rule(const Rule& rule, const Xs&... xs) {
  Variable<T> y = rule_value(rule, xs...);
  if constexpr (!Rule::constant) {
    Tape<T>* tape = Tape<T>::current();
    if (tape == nullptr || !(... || tape->holds(xs))) return y;
    tape->open({Rule::name, Rule::moves}, {&y, 1});
    [&]<std::size_t... K>(std::index_sequence<K...>) { (attach_nth<K>(*tape, rule, y, xs...), ...); }
    (std::index_sequence_for<Xs...>());
  }
  return y;
}

}  // namespace detail

// On variables: the value, and the derivatives where a tape records.
template <class Rule, class T>
Variable<T> elementwise(const Rule& rule, const Variable<T>& x) {
  Variable<T> y = detail::rule_value(rule, x);
  const auto dx = [rule](const auto& dy, const auto& saved) { return detail::derive_unary(rule, dy, saved); };
  if constexpr (Rule::constant) {
    return y;
  } else if constexpr (Rule::reads == Reads::nothing) {
    return record(Rule::name, std::move(y), wrt(x, [rule](const Variable<T>& dy, const Into<T>& into) {
                    return pointwise(
                        into, Rule::name, [rule](const auto& d) { return rule.dx(d); }, dy);
                  }));
  } else if constexpr (Rule::reads == Reads::input) {
    return record(Rule::name, std::move(y), wrt(x, [dx, x = x](const Variable<T>& dy, const Into<T>& into) {
                    return pointwise(into, Rule::name, dx, dy, x);
                  }));
  } else {
    return record(Rule::name, std::move(y),
                  wrt(x, [dx](const Variable<T>& dy, const Variable<T>& y, const Into<T>& into) {
                    return pointwise(into, Rule::name, dx, dy, y);
                  }));
  }
}

template <class Rule, class T>
Variable<T> elementwise(const Rule& rule, const Variable<T>& a, const Variable<T>& b) {
  return detail::record_rule<Rule, T>(rule, a, b);
}

template <class Rule, class T>
Variable<T> elementwise(const Rule& rule, const Variable<T>& a, const Variable<T>& b, const Variable<T>& c) {
  return detail::record_rule<Rule, T>(rule, a, b, c);
}

// A number beside an operand becomes an operand of its kind.
template <class T>
Variable<T> lift(const Variable<T>&, double s) {
  return Variable<T>(scalar<T>(static_cast<T>(s)));
}
template <class T>
Lane<T> lift(const Lane<T>&, double s) {
  return {Simd<T>(static_cast<T>(s))};
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
