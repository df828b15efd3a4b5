#pragma once

#include "autograd/kernels/reduce.hpp"
#include "autograd/ops/shape.hpp"

namespace rw {

template <class T>
Variable<T> broadcast_to(const Variable<T>& x, const Shape& shape);

/// Sums x over the axes along which `shape` broadcasts to x's shape; the derivative of broadcasting.
/// Throws std::invalid_argument where `shape` does not broadcast to x's.
template <class T>
Variable<T> sum_to(const Variable<T>& x, const Shape& shape) {
  if (alike_but_ones(x.shape(), shape) && x.rank() >= shape.size()) return reshape(x, shape);
  return record("sum_to", kernels::sum_to("sum_to", x.view(), shape),
                wrt(x, [from = x.shape()](const Variable<T>& dy) { return broadcast_to(dy, from); }));
}

/// Repeats x along new axes and axes of extent 1 until it has the given shape.
/// Throws std::invalid_argument where x's shape does not broadcast to it.
template <class T>
Variable<T> broadcast_to(const Variable<T>& x, const Shape& shape) {
  if (alike_but_ones(x.shape(), shape) && x.rank() <= shape.size()) return reshape(x, shape);
  return record(moving("broadcast_to"), kernels::broadcast_to("broadcast_to", x.view(), shape),
                wrt(x, [from = x.shape()](const Variable<T>& dy) { return sum_to(dy, from); }));
}

namespace detail {

template <class T>
struct Repeated {
  std::array<const Variable<T>*, 1> inputs;
};

template <class T>
void attach(Tape<T>& tape, Repeated<T>&& repeated, const Variable<T>& y) {
  const Variable<T>& x = *repeated.inputs[0];
  if (x.shape() == y.shape()) return attach(tape, same(x), y);
  attach(tape, wrt(x, [shape = x.shape()](const Variable<T>& dy) { return sum_to(dy, shape); }), y);
}

}  // namespace detail

/// The derivative with respect to a term of a sum that broadcasting repeated: dy summed over the axes added.
template <class T>
detail::Repeated<T> repeated(const Variable<T>& x) {
  return {{&x}};
}

}  // namespace rw
