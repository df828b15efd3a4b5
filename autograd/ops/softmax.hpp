#pragma once

#include <limits>

#include "autograd/kernels/softmax.hpp"
#include "autograd/ops/reduce.hpp"

// Softmax and its logarithm along one axis, without overflow. A mask is a constant that broadcasts to x, 0 where x does
// not take part: no gradient passes there, nor to the mask. Each throws std::invalid_argument where the axis is out of
// range or the mask does not broadcast to x.

namespace rw {
namespace detail {

// x as a constant, −∞ where the mask is 0.
template <class T>
Variable<T> masked_logits(const char* op, const Variable<T>& x, const Variable<T>& mask) {
  if (broadcast_shape(op, x.shape(), mask.shape()) != x.shape()) {
    fail(op, "a mask that broadcasts to x", "x ", x.shape(), ", mask ", mask.shape());
  }
  return where(mask.detached(), x.detached(), -std::numeric_limits<double>::infinity());
}

template <class T>
Variable<T> record_softmax(const Variable<T>& x, const Variable<T>& logits, std::size_t axis) {
  return record("softmax", kernels::softmax(logits.view(), axis),
                wrt(x, [axis](const Variable<T>& dy, const Variable<T>& y) {
                  if (Tape<T>::current() == nullptr) {
                    return Variable<T>(kernels::softmax_backward(dy.view(), y.view(), axis));
                  }
                  return y * (dy - sum(dy * y, {{static_cast<std::ptrdiff_t>(axis)}, true}));
                }));
}

template <class T>
Variable<T> log_softmax_derivative(const Variable<T>& dy, const Variable<T>& y, std::size_t axis) {
  const auto dx = [](const auto& dy, const auto& y, const auto& total) { return dy - exp(y) * total; };
  return pointwise("log_softmax", dx, dy, y, sum(dy, {{static_cast<std::ptrdiff_t>(axis)}, true}));
}

}  // namespace detail

/// yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along `axis`. Where every x is −∞, zeros with gradient 0.
template <class T>
Variable<T> softmax(const Variable<T>& x, std::ptrdiff_t axis = -1) {
  return detail::record_softmax(x, x, check_axis("softmax", axis, x.shape()));
}

/// The softmax of those elements where the mask is not 0; exactly 0 elsewhere, so a line masked altogether is zeros
/// with gradient 0.
template <class T>
Variable<T> softmax(const Variable<T>& x, const std::type_identity_t<Variable<T>>& mask, std::ptrdiff_t axis = -1) {
  const std::size_t along = check_axis("softmax", axis, x.shape());
  return detail::record_softmax(x, detail::masked_logits("softmax", x, mask), along);
}

/// yᵢ = xᵢ − log Σⱼ exp(xⱼ) along `axis`.
template <class T>
Variable<T> log_softmax(const Variable<T>& x, std::ptrdiff_t axis = -1) {
  const std::size_t along = check_axis("log_softmax", axis, x.shape());
  return record("log_softmax", kernels::log_softmax(x.view(), along),
                wrt(x, [along](const Variable<T>& dy, const Variable<T>& y) {
                  return detail::log_softmax_derivative(dy, y, along);
                }));
}

/// The log-softmax of those elements where the mask is not 0. Elsewhere the lowest finite number: its exponential is 0
/// and no choice of the largest picks it, as with −∞, but a loss that multiplies it by 0 gets 0 and not NaN.
template <class T>
Variable<T> log_softmax(const Variable<T>& x, const std::type_identity_t<Variable<T>>& mask, std::ptrdiff_t axis = -1) {
  const std::size_t along = check_axis("log_softmax", axis, x.shape());
  const Variable<T> y = kernels::log_softmax(detail::masked_logits("log_softmax", x, mask).view(), along);
  return record("log_softmax", where(mask.detached(), y, double(std::numeric_limits<T>::lowest())).value(),
                wrt(x, [along, mask = mask.detached()](const Variable<T>& dy, const Variable<T>& y) {
                  return detail::log_softmax_derivative(where(mask, dy, 0), y, along);
                }));
}

}  // namespace rw
