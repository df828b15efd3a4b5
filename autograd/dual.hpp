#pragma once

#include <bit>
#include <tuple>

#include "autograd/ops/activation.hpp"

// How fuse() derives: elementwise functions on values that carry their partial derivatives along.

namespace rw {

/// A value with its partial derivatives by those inputs of a fused function that it depends on: bit k of Mask says
/// whether there is one by input k.
template <class T, unsigned Mask>
struct Dual {
  struct is_dual_number;

  Lane<T> value;
  std::array<Lane<T>, std::popcount(Mask)> partials;

  static constexpr bool depends_on(std::size_t k) { return (Mask >> k & 1u) != 0; }
  const Lane<T>& partial(std::size_t k) const { return partials[std::popcount(Mask & ((1u << k) - 1u))]; }
  Lane<T>& partial(std::size_t k) { return partials[std::popcount(Mask & ((1u << k) - 1u))]; }
};

template <class T, unsigned Mask>
Dual<T, 0> lift(const Dual<T, Mask>& x, double s) {
  return {lift(x.value, s), {}};
}

/// The same on variables, where the backward pass is itself recorded. A partial derivative that there is none of is
/// undefined: known only when it runs, so that all fused functions share the code.
template <class T>
struct RecordedDual {
  struct is_dual_number;

  Variable<T> value;
  List<Variable<T>> partials;  // by each input
};

template <class T>
RecordedDual<T> lift(const RecordedDual<T>& x, double s) {
  return {lift(x.value, s), List<Variable<T>>(x.partials.size())};
}

namespace detail {

constexpr std::size_t fuse_inputs_limit = 16;

// The chain rule for argument number K, whose own partials are those in `x`.
template <std::size_t K, class Rule, class T, unsigned Mask, unsigned Own, class... Values>
void add_partials(const Rule& rule, Dual<T, Mask>& y, std::array<bool, fuse_inputs_limit>& begun, const Dual<T, Own>& x,
                  const Values&... values) {
  for_constants<fuse_inputs_limit>([&](auto k) {
    if constexpr (Dual<T, Own>::depends_on(k)) {
      const Lane<T> term = derive_nth<K>(rule, x.partial(k), values...);
      y.partial(k) = begun[k] ? y.partial(k) + term : term;
      begun[k] = true;
    }
  });
}

}  // namespace detail

template <class Rule, class T, unsigned Mask>
auto elementwise(const Rule& rule, const Dual<T, Mask>& x) {
  if constexpr (Rule::constant) {
    return Dual<T, 0>{elementwise(rule, x.value), {}};
  } else {
    Dual<T, Mask> y;  // no {}: setting a large one to 0 first would keep it out of registers
    y.value = elementwise(rule, x.value);
    detail::for_constants<std::popcount(Mask)>([&](auto i) {
      y.partials[i] = detail::derive_unary(rule, x.partials[i], Rule::reads == Reads::output ? y.value : x.value);
    });
    return y;
  }
}

template <class Rule, class T, unsigned M, unsigned... Ms>
auto elementwise(const Rule& rule, const Dual<T, M>& x, const Dual<T, Ms>&... xs) {
  if constexpr (Rule::constant) {
    return Dual<T, 0>{elementwise(rule, x.value, xs.value...), {}};
  } else {
    Dual<T, (M | ... | Ms)> y;
    y.value = elementwise(rule, x.value, xs.value...);
    std::array<bool, detail::fuse_inputs_limit> begun{};
    const auto all = std::tie(x, xs...);
    detail::for_constants<1 + sizeof...(Ms)>(
        [&](auto k) { detail::add_partials<k>(rule, y, begun, std::get<k>(all), x.value, xs.value...); });
    return y;
  }
}

template <class Rule, class T, class... Xs>
[[gnu::noinline]] RecordedDual<T> elementwise(const Rule& rule, const RecordedDual<T>& x, const Xs&... xs) {
  RecordedDual<T> y{elementwise(rule, x.value, xs.value...), List<Variable<T>>(x.partials.size())};
  if constexpr (!Rule::constant) {
    const auto all = std::tie(x, xs...);
    detail::for_constants<1 + sizeof...(Xs)>([&](auto k) {
      for (std::size_t i = 0; i < y.partials.size(); ++i) {
        const Variable<T>& partial = std::get<k>(all).partials[i];
        if (!partial.defined()) continue;
        Variable<T> term;
        if constexpr (sizeof...(Xs) == 0) {
          term = detail::derive_unary(rule, partial, Rule::reads == Reads::output ? y.value : x.value);
        } else {
          term = detail::derive_nth<k>(rule, partial, x.value, xs.value...);
        }
        y.partials[i] = y.partials[i].defined() ? y.partials[i] + term : std::move(term);
      }
    });
  }
  return y;
}

namespace detail {

// The M-th of a function's results, which are a std::tuple where there are several.
template <std::size_t M, class R>
const R& nth(const R& result) {
  return result;
}
template <std::size_t M, class... R>
const auto& nth(const std::tuple<R...>& results) {
  return std::get<M>(results);
}

template <class R>
inline constexpr std::size_t result_count = 1;
template <class... R>
inline constexpr std::size_t result_count<std::tuple<R...>> = sizeof...(R);

template <class V, class R>
std::array<V, result_count<R>> as_array(const R& results) {
  return [&]<std::size_t... M>(std::index_sequence<M...>) { return std::array<V, result_count<R>>{nth<M>(results)...}; }
  (std::make_index_sequence<result_count<R>>());
}

/// Σₘ dyₘ · ∂fₘ/∂xₖ for every input k, by forward-mode dual numbers: which partials exist is known at compile time.
template <class T, std::size_t N, std::size_t M, class F>
std::array<Lane<T>, N> fused_derivatives(const F& f, const std::array<Lane<T>, N>& xs,
                                         const std::array<Lane<T>, M>& dys) {
  const auto results = [&]<std::size_t... K>(std::index_sequence<K...>) {
    return f(Dual<T, (1u << K)>{xs[K], {lift(xs[K], 1)}}...);
  }
  (std::make_index_sequence<N>());
  std::array<Lane<T>, N> dxs;
  for_constants<N>([&](auto k) {
    bool begun = false;
    for_constants<M>([&](auto m) {
      const auto& y = nth<m>(results);
      if constexpr (std::decay_t<decltype(y)>::depends_on(k)) {
        const Lane<T> term = dys[m] * y.partial(k);
        dxs[k] = begun ? dxs[k] + term : term;
        begun = true;
      }
    });
    if (!begun) dxs[k] = lift(xs[k], 0);
  });
  return dxs;
}

/// The same from results that were recorded, by input k.
template <class T>
Variable<T> recorded_derivative(std::size_t k, std::span<const RecordedDual<T>> results,
                                std::span<const Variable<T>> dys) {
  Variable<T> dx;
  for (std::size_t m = 0; m < results.size(); ++m) {
    if (!results[m].partials[k].defined()) continue;
    const Variable<T> term = dys[m] * results[m].partials[k];
    dx = dx.defined() ? dx + term : term;
  }
  return broadcast_to(dx.defined() ? dx : Variable<T>(scalar<T>(0)), dys[0].shape());
}

}  // namespace detail

}  // namespace rw
