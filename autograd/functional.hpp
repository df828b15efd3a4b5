#pragma once

#include "autograd/tape.hpp"

// Derivatives of functions as plain functions. f takes a Variable and returns one; what it captures is held constant.
// Each opens a tape of its own, so the results are plain tensors. x has the shape [n...], f(x) the shape [m...] and
// J = df/dx the shape [m..., n...].

namespace rw {

namespace detail {

// The gradient of ⟨seed, y⟩ by x; zeros where y does not depend on x.
template <class T>
Variable<T> gradient(Tape<T>& tape, const Variable<T>& y, const Variable<T>& x, const BackwardOptions<T>& options) {
  if (tape.holds(y)) return tape.backward(y, options)[x];
  check_same_shape("gradient", y.shape(), options.seed.defined() ? options.seed.shape() : Shape{});
  return zeros<T>(x.shape());
}

// Row after row of dy/dx: [y..., x...].
template <class T>
Tensor<T> all_rows(Tape<T>& tape, const Variable<T>& y, const Variable<T>& x) {
  Shape shape = y.shape();
  shape.insert(shape.end(), x.shape().begin(), x.shape().end());
  Tensor<T> rows = rw::empty<T>(shape);
  T* to = rows.data();
  for (std::size_t i = 0; i < y.size(); ++i) {
    Tensor<T> unit = zeros<T>(y.shape());
    unit.data()[i] = 1;
    const Variable<T> row = gradient(tape, y, x, {.seed = std::move(unit)});
    to = std::copy_n(row.value().data(), row.size(), to);
  }
  return rows;
}

}  // namespace detail

/// vᵀ·J, one backward pass.   v [m...] -> [n...]. Throws std::invalid_argument where v is not of f(x)'s shape.
template <class T, class F>
Tensor<T> vjp(const F& f, const Tensor<T>& x, const Tensor<T>& v) {
  Tape<T> tape;
  const Variable<T> at = tape.watch(x);
  return detail::gradient<T>(tape, f(at), at, {.seed = v}).value();
}

/// J·v, by two backward passes: wᵀ·J is linear in w, and J·v the gradient of ⟨wᵀ·J, v⟩ by w.   v [n...] -> [m...].
/// Throws std::invalid_argument where v is not of x's shape.
template <class T, class F>
Tensor<T> jvp(const F& f, const Tensor<T>& x, const Tensor<T>& v) {
  check_same_shape("jvp", x.shape(), v.shape());
  Tape<T> tape;
  const Variable<T> at = tape.watch(x), y = f(at), w = tape.watch(zeros<T>(y.shape()));
  const Variable<T> back = detail::gradient<T>(tape, y, at, {.seed = w, .record = true});
  return detail::gradient<T>(tape, back, w, {.seed = v}).value();
}

/// J, one backward pass an element of f(x).   -> [m..., n...].
template <class T, class F>
Tensor<T> jacobian(const F& f, const Tensor<T>& x) {
  Tape<T> tape;
  const Variable<T> at = tape.watch(x);
  return detail::all_rows(tape, f(at), at);
}

/// H = d²f/dx² of a function with one element, one backward pass an element of x.   -> [n..., n...].
/// Throws std::invalid_argument where f(x) has several elements.
template <class T, class F>
Tensor<T> hessian(const F& f, const Tensor<T>& x) {
  Tape<T> tape;
  const Variable<T> at = tape.watch(x);
  return detail::all_rows(tape, detail::gradient<T>(tape, f(at), at, {.record = true}), at);
}

/// H·v without forming H.   v [n...] -> [n...]. Throws std::invalid_argument where f(x) has several elements or v is
/// not of x's shape.
template <class T, class F>
Tensor<T> hvp(const F& f, const Tensor<T>& x, const Tensor<T>& v) {
  check_same_shape("hvp", x.shape(), v.shape());
  Tape<T> tape;
  const Variable<T> at = tape.watch(x);
  const Variable<T> slope = detail::gradient<T>(tape, f(at), at, {.record = true});
  return detail::gradient<T>(tape, slope, at, {.seed = v}).value();
}

}  // namespace rw
