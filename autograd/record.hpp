#pragma once

#include <algorithm>
#include <type_traits>

#include "autograd/tape.hpp"

namespace rw {
namespace detail {

template <class Inputs, class F, bool joint = false>
struct Wrt {
  Inputs inputs;  // an array or vector of pointers to variables
  F f;            // joint: returns the derivatives of all of them, though there be only one
};

template <class T, class F>
struct OneInput final : Derivative<T> {
  explicit OneInput(F f) : f(std::move(f)) {}
  void operator()(std::span<const Variable<T>> dys, std::span<Term<T>> terms) const override { terms[0] = f(dys[0]); }
  F f;
};

template <class T, class F>
struct OneInputByOutput final : Derivative<T> {
  OneInputByOutput(F f, Variable<T> y) : f(std::move(f)), y(std::move(y)) {}
  void operator()(std::span<const Variable<T>> dys, std::span<Term<T>> terms) const override {
    terms[0] = f(dys[0], y);
  }
  F f;
  Variable<T> y;
};

template <class T, class F>
struct OneInputManyOutputs final : Derivative<T> {
  explicit OneInputManyOutputs(F f) : f(std::move(f)) {}
  void operator()(std::span<const Variable<T>> dys, std::span<Term<T>> terms) const override { terms[0] = f(dys); }
  F f;
};

template <class T, class F>
struct ManyInputs final : Derivative<T> {
  explicit ManyInputs(F f) : f(std::move(f)) {}
  void operator()(std::span<const Variable<T>> dys, std::span<Term<T>> terms) const override {
    auto results = f(dys);
    if (results.size() != terms.size()) {
      fail("wrt", "a derivative for each of the " + std::to_string(terms.size()) + " inputs", results.size());
    }
    for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = std::move(results[i]);
  }
  F f;
};

template <class V>
inline constexpr bool is_term = false;
template <class T>
inline constexpr bool is_term<Variable<T>> = true;
template <class T>
inline constexpr bool is_term<Product<T>> = true;
template <class T>
inline constexpr bool is_term<RowSparse<T>> = true;
template <class T>
inline constexpr bool is_term<Term<T>> = true;

template <class T, class W>
bool holds_any(const Tape<T>& tape, const W& w) {
  return std::any_of(w.inputs.begin(), w.inputs.end(), [&](const Variable<T>* x) { return tape.holds(*x); });
}

// Attaches one derivative to the node just opened, in the form its function asks for.
template <class T, class Inputs, class F, bool joint, class Y>
void attach(Tape<T>& tape, Wrt<Inputs, F, joint>&& w, const Y& y) {
  if (!holds_any(tape, w)) return;
  const auto bind = [&](auto derivative) { tape.attach(w.inputs, std::move(derivative)); };
  using Span = std::span<const Variable<T>>;
  using Dy = const Variable<T>&;
  if constexpr (joint) {
    bind(ManyInputs<T, F>(std::move(w.f)));
  } else if constexpr (!std::is_same_v<Y, Variable<T>>) {
    static_assert(is_term<std::decay_t<std::invoke_result_t<F, Span>>>,
                  "wrt: a derivative is a Variable, never a lazy expression");
    bind(OneInputManyOutputs<T, F>(std::move(w.f)));
  } else if constexpr (std::is_invocable_v<F, Dy, Dy>) {
    static_assert(is_term<std::decay_t<std::invoke_result_t<F, Dy, Dy>>>,
                  "wrt: a derivative is a Variable, never a lazy expression");
    bind(OneInputByOutput<T, F>(std::move(w.f), y));
  } else {
    static_assert(is_term<std::decay_t<std::invoke_result_t<F, Dy>>>,
                  "wrt: a derivative is a Variable, never a lazy expression");
    bind(OneInput<T, F>(std::move(w.f)));
  }
}

}  // namespace detail

/// The derivative of an op with respect to its input x: f(dy), or f(dy, y) where it needs the result y; in an op of
/// several results f(dys). f is written with ops, so that a backward pass can be recorded itself, and returns a
/// Variable of x's shape, a Product or a RowSparse. It is never called where x needs no gradient.
template <class T, class F>
detail::Wrt<std::array<const Variable<T>*, 1>, F> wrt(const Variable<T>& x, F f) {
  return {{&x}, std::move(f)};
}

/// One function for the derivatives of several inputs at once: f(dys) returns them as an array or vector of Variables.
template <class T, class F, std::size_t N>
detail::Wrt<std::array<const Variable<T>*, N>, F, true> wrt(const std::array<const Variable<T>*, N>& inputs, F f) {
  return {inputs, std::move(f)};
}
template <class T, class F>
detail::Wrt<std::vector<const Variable<T>*>, F, true> wrt(std::vector<const Variable<T>*> inputs, F f) {
  return {std::move(inputs), std::move(f)};
}

/// The one door by which an op enters a tape: its name, its value, and a wrt() for each differentiable input.
/// Without a recording tape, or where no input is on it, the result is a constant.
template <class V, class... W>
auto record(const char* op, V value, W&&... derivatives) {
  static_assert(is_tensor<V>, "record: the value is a Tensor, never a lazy expression; evaluate it first");
  using T = typename V::value_type;
  Tape<T>* tape = Tape<T>::current();
  if (tape == nullptr || !(... || detail::holds_any(*tape, derivatives))) return Variable<T>(std::move(value));
  Variable<T> y = tape->open(op, std::move(value));
  (detail::attach(*tape, std::forward<W>(derivatives), y), ...);
  return y;
}

/// record() for an op of several results.
template <class T, class... W>
std::vector<Variable<T>> record_many(const char* op, std::vector<Tensor<T>> values, W&&... derivatives) {
  Tape<T>* tape = Tape<T>::current();
  if (tape == nullptr || !(... || detail::holds_any(*tape, derivatives))) {
    return {std::make_move_iterator(values.begin()), std::make_move_iterator(values.end())};
  }
  std::vector<Variable<T>> ys = tape->open(op, std::move(values));
  (detail::attach(*tape, std::forward<W>(derivatives), ys), ...);
  return ys;
}

}  // namespace rw
