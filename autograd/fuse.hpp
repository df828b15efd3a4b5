#pragma once

#include <bit>
#include <tuple>

#include "autograd/ops/activation.hpp"

namespace rw {

/// A value with its partial derivatives by those inputs of a fused function that it depends on: bit k of Mask says
/// whether there is one by input k. B is a Lane, or a Variable where the backward pass is itself recorded.
template <class B, unsigned Mask>
struct Dual {
  struct is_dual_number;

  B value;
  std::array<B, std::popcount(Mask)> partials;

  static constexpr bool depends_on(std::size_t k) { return (Mask >> k & 1u) != 0; }
  const B& partial(std::size_t k) const { return partials[std::popcount(Mask & ((1u << k) - 1u))]; }
  B& partial(std::size_t k) { return partials[std::popcount(Mask & ((1u << k) - 1u))]; }
};

template <class B, unsigned Mask>
Dual<B, 0> lift(const Dual<B, Mask>& x, double s) {
  return {lift(x.value, s), {}};
}

namespace detail {

/// Calls f(k) with k = 0 ... N-1 as compile-time constants.
template <std::size_t N, class F>
constexpr void for_constants(F&& f) {
  [&]<std::size_t... K>(std::index_sequence<K...>) { (f(std::integral_constant<std::size_t, K>()), ...); }
  (std::make_index_sequence<N>());
}

constexpr std::size_t fuse_inputs_limit = 16;

// The chain rule for argument number K, whose own partials are those in `x`.
template <std::size_t K, class Rule, class B, unsigned Mask, unsigned Own, class... Values>
void add_partials(const Rule& rule, Dual<B, Mask>& y, std::array<bool, fuse_inputs_limit>& begun, const Dual<B, Own>& x,
                  const Values&... values) {
  for_constants<fuse_inputs_limit>([&](auto k) {
    if constexpr (Dual<B, Own>::depends_on(k)) {
      B term = derive_nth<K>(rule, x.partial(k), values...);
      y.partial(k) = begun[k] ? y.partial(k) + term : term;
      begun[k] = true;
    }
  });
}

}  // namespace detail

template <class Rule, class B, unsigned Mask>
auto elementwise(const Rule& rule, const Dual<B, Mask>& x) {
  if constexpr (Rule::constant) {
    return Dual<B, 0>{elementwise(rule, x.value), {}};
  } else {
    Dual<B, Mask> y{elementwise(rule, x.value), {}};
    for (std::size_t i = 0; i < y.partials.size(); ++i) {
      y.partials[i] = detail::derive_unary(rule, x.partials[i], Rule::reads == Reads::output ? y.value : x.value);
    }
    return y;
  }
}

template <class Rule, class B, unsigned M, unsigned... Ms>
auto elementwise(const Rule& rule, const Dual<B, M>& x, const Dual<B, Ms>&... xs) {
  if constexpr (Rule::constant) {
    return Dual<B, 0>{elementwise(rule, x.value, xs.value...), {}};
  } else {
    Dual<B, (M | ... | Ms)> y{elementwise(rule, x.value, xs.value...), {}};
    std::array<bool, detail::fuse_inputs_limit> begun{};
    const auto all = std::tie(x, xs...);
    detail::for_constants<1 + sizeof...(Ms)>(
        [&](auto k) { detail::add_partials<k>(rule, y, begun, std::get<k>(all), x.value, xs.value...); });
    return y;
  }
}

namespace detail {

template <class R>
inline constexpr std::size_t result_count = 1;
template <class... R>
inline constexpr std::size_t result_count<std::tuple<R...>> = sizeof...(R);

template <class R>
auto as_tuple(R result) {
  return std::tuple<R>(std::move(result));
}
template <class... R>
std::tuple<R...> as_tuple(std::tuple<R...> results) {
  return results;
}

/// Σₘ dyₘ · ∂fₘ/∂xₖ for every input k, by forward-mode dual numbers: which partials exist is known at compile time.
template <std::size_t N, class B, class F, class Dy, class One>
std::array<B, N> fused_derivatives(const F& f, const std::array<B, N>& xs, const Dy& dys, const One& one) {
  const auto results = [&]<std::size_t... K>(std::index_sequence<K...>) {
    return as_tuple(f(Dual<B, (1u << K)>{xs[K], {one(xs[K])}}...));
  }
  (std::make_index_sequence<N>());
  std::array<B, N> dxs;
  for_constants<N>([&](auto k) {
    bool begun = false;
    for_constants<std::tuple_size_v<std::decay_t<decltype(results)>>>([&](auto m) {
      const auto& y = std::get<m>(results);
      if constexpr (std::decay_t<decltype(y)>::depends_on(k)) {
        B term = dys[m] * y.partial(k);
        dxs[k] = begun ? dxs[k] + term : term;
        begun = true;
      }
    });
    if (!begun) dxs[k] = lift(xs[k], 0);
  });
  return dxs;
}

}  // namespace detail

/// f(x, xs...) elementwise with broadcasting, as one pass over memory forward and one backward. f is a generic lambda
/// of the elementwise functions and operators of this library that returns one value or a std::tuple of several;
/// numbers it captures are constants. The result is a Variable, or a std::array of Variables.
/// Throws std::invalid_argument where the shapes do not broadcast.
template <class F, class T, class... Xs>
auto fuse(const F& f, const Variable<T>& x, const Xs&... xs) {
  constexpr std::size_t n = 1 + sizeof...(Xs);
  static_assert(n <= detail::fuse_inputs_limit, "fuse: at most 16 inputs");
  const std::array<const Variable<T>*, n> inputs{&x, &xs...};
  constexpr std::size_t outputs = detail::result_count<decltype(f(Lane<T>(), ((void)xs, Lane<T>())...))>;

  auto values =
      map_lanes<outputs, T, n>("fuse", {&x.value(), &xs.value()...}, [&](const std::array<Lane<T>, n>& lanes) {
        return std::apply([](const auto&... y) { return std::array<Lane<T>, outputs>{y...}; },
                          detail::as_tuple(std::apply(f, lanes)));
      });

  const auto derivatives = [f, own = std::array<Variable<T>, n>{x, xs...}](std::span<const Variable<T>> dys) {
    std::array<Variable<T>, n> dxs;
    if (Tape<T>::current() != nullptr) {
      dxs = detail::fused_derivatives<n, Variable<T>>(f, own, dys, [](const Variable<T>& x) { return lift(x, 1); });
      for (std::size_t k = 0; k < n; ++k) dxs[k] = sum_to(broadcast_to(dxs[k], dys[0].shape()), own[k].shape());
      return dxs;
    }
    std::array<const Tensor<T>*, n + outputs> all;
    for (std::size_t k = 0; k < n; ++k) all[k] = &own[k].value();
    for (std::size_t m = 0; m < outputs; ++m) all[n + m] = &dys[m].value();
    // flatten: the chain rule inlined throughout is worth a third of the time.
    auto results = map_lanes<n, T, n + outputs>(
        "fuse", all, [&](const std::array<Lane<T>, n + outputs>& lanes) __attribute__((flatten)) {
          std::array<Lane<T>, n> values;
          std::array<Lane<T>, outputs> seeds;
          std::copy_n(lanes.begin(), n, values.begin());
          std::copy_n(lanes.begin() + n, outputs, seeds.begin());
          return detail::fused_derivatives<n, Lane<T>>(f, values, seeds, [](const Lane<T>& x) { return lift(x, 1); });
        });
    for (std::size_t k = 0; k < n; ++k) dxs[k] = sum_to(Variable<T>(std::move(results[k])), own[k].shape());
    return dxs;
  };
  if constexpr (outputs == 1) {
    return record("fuse", std::move(values[0]), wrt(inputs, derivatives));
  } else {
    auto ys = record_many(
        "fuse", std::vector<Tensor<T>>(std::make_move_iterator(values.begin()), std::make_move_iterator(values.end())),
        wrt(inputs, derivatives));
    std::array<Variable<T>, outputs> results;
    std::move(ys.begin(), ys.end(), results.begin());
    return results;
  }
}

}  // namespace rw
