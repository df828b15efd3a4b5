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

/// The derivative that hands its input the gradient as it is.
template <class T>
struct Same {
  std::array<const Variable<T>*, 1> inputs;
};

/// The derivative xᵀ·dy, or dyᵀ·x, of a weight.
template <class T>
struct Weighed {
  std::array<const Variable<T>*, 1> inputs;
  const Variable<T>& x;
  bool transposed;
};

// hidden: nobody looks for their long names in a library that holds ops.
template <class T, class F>
struct [[gnu::visibility("hidden")]] OneInput final : Derivative<T> {
  explicit OneInput(F f) : f(std::move(f)) {}
  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const override {
    if constexpr (std::is_invocable_v<F, const Variable<T>&, const Into<T>&>) {
      flow.add(0, f(dys[0], Into<T>(flow, 0)));
    } else {
      flow.add(0, f(dys[0]));
    }
  }
  F f;
};

template <class T, class F>
struct [[gnu::visibility("hidden")]] OneInputByOutput final : Derivative<T> {
  OneInputByOutput(F f, Variable<T> y) : f(std::move(f)), y(std::move(y)) {}
  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const override {
    if constexpr (std::is_invocable_v<F, const Variable<T>&, const Variable<T>&, const Into<T>&>) {
      flow.add(0, f(dys[0], y, Into<T>(flow, 0)));
    } else {
      flow.add(0, f(dys[0], y));
    }
  }
  F f;
  Variable<T> y;
};

template <class T, class F>
struct [[gnu::visibility("hidden")]] OneInputManyOutputs final : Derivative<T> {
  explicit OneInputManyOutputs(F f) : f(std::move(f)) {}
  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const override { flow.add(0, f(dys)); }
  F f;
};

template <class T, class F>
struct [[gnu::visibility("hidden")]] ManyInputs final : Derivative<T> {
  ManyInputs(F f, std::size_t inputs) : f(std::move(f)), inputs(inputs) {}
  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const override {
    if constexpr (std::is_invocable_v<F, std::span<const Variable<T>>, Flow<T>&>) {
      f(dys, flow);
    } else {
      auto results = f(dys);
      if (results.size() != inputs) {
        fail("wrt", "a derivative for each of the " + std::to_string(inputs) + " inputs", results.size());
      }
      for (std::size_t i = 0; i < inputs; ++i) flow.add(i, std::move(results[i]));
    }
  }
  F f;
  std::size_t inputs;
};

template <class T>
struct [[gnu::visibility("hidden")]] WeightDerivative final : Derivative<T> {
  WeightDerivative(const Variable<T>& x, bool transposed) : x(x), transposed(transposed) {}
  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const override {
    flow.add(0, transposed ? Product<T>{dys[0], x} : Product<T>{x, dys[0]});
  }
  Variable<T> x;
  bool transposed;
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

template <class... Args>
struct Derives {
  template <class F>
  static constexpr bool by = [] {
    if constexpr (std::is_invocable_v<F, Args...>) return is_term<std::decay_t<std::invoke_result_t<F, Args...>>>;
    return false;
  }();
};

template <class T, class Y>
void attach(Tape<T>& tape, Same<T>&& same, const Y&) {
  if (tape.holds(*same.inputs[0])) tape.attach_same(*same.inputs[0]);
}

template <class T>
void attach(Tape<T>& tape, Weighed<T>&& w, const Variable<T>&) {
  if (!tape.holds(*w.inputs[0])) return;
  tape.template attach<WeightDerivative<T>>(w.inputs, w.x, w.transposed);
  tape.attach_factor(*w.inputs[0]);
}

// Attaches one derivative to the node just opened, in the form its function asks for.
template <class T, class Inputs, class F, bool joint, class Y>
void attach_function(Tape<T>& tape, Wrt<Inputs, F, joint>&& w, const Y& y) {
  using Dys = std::span<const Variable<T>>;
  using Dy = const Variable<T>&;
  constexpr bool by_dys = Derives<Dys>::template by<F>;
  constexpr bool by_y = Derives<Dy, Dy>::template by<F> || Derives<Dy, Dy, const Into<T>&>::template by<F>;
  constexpr bool by_dy = Derives<Dy>::template by<F> || Derives<Dy, const Into<T>&>::template by<F>;
  if constexpr (joint) {
    tape.template attach<ManyInputs<T, F>>(w.inputs, std::move(w.f), w.inputs.size());
  } else if constexpr (!std::is_same_v<Y, Variable<T>>) {
    static_assert(by_dys, "wrt: a derivative is a Variable, never a lazy expression");
    tape.template attach<OneInputManyOutputs<T, F>>(w.inputs, std::move(w.f));
  } else if constexpr (by_y) {
    tape.template attach<OneInputByOutput<T, F>>(w.inputs, std::move(w.f), y.sole() ? y.twin() : y);
  } else {
    static_assert(by_dy, "wrt: a derivative is a Variable, never a lazy expression");
    tape.template attach<OneInput<T, F>>(w.inputs, std::move(w.f));
  }
}

template <class T, class Inputs, class F, bool joint, class Y>
void attach(Tape<T>& tape, Wrt<Inputs, F, joint>&& w, const Y& y) {
  if (!holds_any(tape, w)) return;
  if constexpr (std::is_invocable_v<F>) {  // makes the derivative
    attach_function(tape, Wrt<Inputs, std::invoke_result_t<F>, joint>{std::move(w.inputs), w.f()}, y);
  } else {
    attach_function(tape, std::move(w), y);
  }
}

// Whether anything is to be recorded; else the results stay constants.
template <class T, class... W>
Tape<T>* recording(const W&... derivatives) {
  Tape<T>* tape = Tape<T>::current();
  return tape != nullptr && (... || holds_any(*tape, derivatives)) ? tape : nullptr;
}

}  // namespace detail

/// The derivative of an op with respect to its input x: f(dy), or f(dy, y) where it needs the result y; in an op of
/// several results f(dys). f is written with ops, so that a backward pass can be recorded itself, and returns a
/// Variable of x's shape, a Product or a RowSparse. It is never called where x needs no gradient. What it keeps it
/// captures as [x = x]: what [x] captures of a const reference is const, and copied each time that f is moved. Where
/// counting the references to what is kept is a cost, a function without arguments may stand for f, which returns it:
/// it is called only where x needs a gradient.
template <class T, class F>
detail::Wrt<std::array<const Variable<T>*, 1>, F> wrt(const Variable<T>& x, F f) {
  return {{&x}, std::move(f)};
}

/// One function for the derivatives of several inputs at once: f(dys) returns them as an array or vector of Variables.
template <class T, class F, std::size_t N>
detail::Wrt<std::array<const Variable<T>*, N>, F, true> wrt(const std::array<const Variable<T>*, N>& inputs, F f) {
  return {inputs, std::move(f)};
}
template <class T, class A, class F>
detail::Wrt<std::vector<const Variable<T>*, A>, F, true> wrt(std::vector<const Variable<T>*, A> inputs, F f) {
  return {std::move(inputs), std::move(f)};
}

/// The derivative dw = xᵀ·dy of a weight, or dyᵀ·x where it was read transposed: an open product, whose factors dy are
/// written side by side where w is used several times.
template <class T>
detail::Weighed<T> weight(const Variable<T>& w, const Variable<T>& x, bool transposed = false) {
  return {{&w}, x, transposed};
}

/// The derivative dx = dy.
template <class T>
detail::Same<T> same(const Variable<T>& x) {
  return {{&x}};
}

/// The one door by which an op enters a tape: its name, `moving` where it makes no elements, its value, and a wrt() for
/// each differentiable input. Without a recording tape, or where no input is on it, the result is a constant.
template <class T, class... W>
Variable<T> record(OpName op, Variable<T> y, W&&... derivatives) {
  y.stand_at({});
  if (Tape<T>* tape = detail::recording<T>(derivatives...)) {
    tape->open(op, {&y, 1});
    using detail::attach;
    (attach(*tape, std::forward<W>(derivatives), y), ...);
  }
  return y;
}
template <class V, class... W>
auto record(OpName op, V value, W&&... derivatives) {
  static_assert(is_tensor<V>, "record: the value is a Tensor, never a lazy expression; evaluate it first");
  return record(op, Variable<typename V::value_type>(std::move(value)), std::forward<W>(derivatives)...);
}

/// record() for an op of several results, which are given in `ys` and stand on the tape afterwards.
template <class T, class... W>
void record_all(OpName op, std::span<Variable<T>> ys, W&&... derivatives) {
  Tape<T>* tape = detail::recording<T>(derivatives...);
  if (tape == nullptr) return;
  tape->open(op, ys);
  using detail::attach;
  (attach(*tape, std::forward<W>(derivatives), ys), ...);
}

/// The same for results given as tensors.
template <class T, class... W>
std::vector<Variable<T>> record_many(OpName op, std::vector<Tensor<T>> values, W&&... derivatives) {
  std::vector<Variable<T>> ys(std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
  record_all(op, std::span<Variable<T>>(ys), std::forward<W>(derivatives)...);
  return ys;
}

}  // namespace rw
