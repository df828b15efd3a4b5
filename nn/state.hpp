#pragma once

#include <array>
#include <tuple>
#include <vector>

#include "autograd/variable.hpp"

// A state is a plain struct of Variables, or of further states, vectors and arrays of them. What is done to every
// Variable of a state is written once, here; a user's struct needs neither macro nor registration.

namespace rw::nn {
namespace detail {

struct AnyField {
  template <class U>
  operator U() const;
};

template <std::size_t>
using Repeat = AnyField;

template <class S, std::size_t... I>
constexpr bool takes_fields(std::index_sequence<I...>) {
  return requires { S{Repeat<I>{}...}; };
}

template <class S, std::size_t N = 8>
constexpr std::size_t field_count() {
  if constexpr (takes_fields<S>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return field_count<S, N - 1>();
  }
}

/// References to the fields of an aggregate of at most eight fields.
template <class S>
auto fields(S& s) {
  constexpr std::size_t n = field_count<std::remove_const_t<S>>();
  if constexpr (n == 0) {
    return std::tie();
  } else if constexpr (n == 1) {
    auto& [a] = s;
    return std::tie(a);
  } else if constexpr (n == 2) {
    auto& [a, b] = s;
    return std::tie(a, b);
  } else if constexpr (n == 3) {
    auto& [a, b, c] = s;
    return std::tie(a, b, c);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = s;
    return std::tie(a, b, c, d);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = s;
    return std::tie(a, b, c, d, e);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, f] = s;
    return std::tie(a, b, c, d, e, f);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, f, g] = s;
    return std::tie(a, b, c, d, e, f, g);
  } else {
    auto& [a, b, c, d, e, f, g, h] = s;
    return std::tie(a, b, c, d, e, f, g, h);
  }
}

template <class S>
inline constexpr bool is_variable = false;
template <class T>
inline constexpr bool is_variable<Variable<T>> = true;

template <class S>
inline constexpr bool is_list = false;
template <class S, class A>
inline constexpr bool is_list<std::vector<S, A>> = true;
template <class S, std::size_t N>
inline constexpr bool is_list<std::array<S, N>> = true;

}  // namespace detail

/// The state whose Variables are f(v, others...) for every Variable v of `state` and its likes in `others`.
/// Throws std::invalid_argument where a vector in `others` is not as long as its like.
template <class F, class State, class... Others>
State map_state(const F& f, const State& state, const Others&... others) {
  if constexpr (detail::is_variable<State>) {
    return f(state, others...);
  } else if constexpr (detail::is_list<State>) {
    if (((others.size() != state.size()) || ...)) {
      fail("map_state", "lists of " + std::to_string(state.size()) + " states", others.size()..., " states");
    }
    State result = state;
    for (std::size_t i = 0; i < state.size(); ++i) result[i] = map_state(f, state[i], others[i]...);
    return result;
  } else {
    State result = state;
    constexpr std::size_t n = detail::field_count<State>();
    auto to = detail::fields(result);
    const auto from = std::make_tuple(detail::fields(state), detail::fields(others)...);
    const auto map_field = [&](auto k) {
      std::get<k>(to) = std::apply([&](const auto&... tuples) { return map_state(f, std::get<k>(tuples)...); }, from);
    };
    [&]<std::size_t... K>(std::index_sequence<K...>) { (map_field(std::integral_constant<std::size_t, K>()), ...); }
    (std::make_index_sequence<n>());
    return result;
  }
}

/// The same state as constants: what is carried into the next window of truncated backpropagation through time.
template <class State>
State detached(const State& state) {
  return map_state([](const auto& v) { return v.detached(); }, state);
}

}  // namespace rw::nn
