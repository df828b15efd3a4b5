#pragma once

#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/shape.hpp"
#include "autograd/record.hpp"

// h[t] = a[t] ⊙ h[t − 1] + b[t] twice: as one op with derivatives of its own, and composed of the library's ops.

namespace custom {

template <class T>
void check(const char* op, const rw::Variable<T>& a, const rw::Variable<T>& b) {
  rw::check_rank(op, a.shape(), 3);
  if (a.shape() != b.shape()) rw::fail(op, "equal shapes", "a ", a.shape(), ", b ", b.shape());
}

enum class Time { forward, backward };

/// The value: tensors in, tensor out, no tape.
template <class T>
rw::Tensor<T> recurrence_value(const rw::Tensor<T>& a, const rw::Tensor<T>& b, Time time) {
  rw::Tensor<T> h = b;
  const std::size_t steps = b.shape(0), width = b.shape(1) * b.shape(2);
  for (std::size_t i = 1; i < steps; ++i) {
    const std::size_t t = time == Time::forward ? i : steps - 1 - i, last = time == Time::forward ? t - 1 : t + 1;
    T* const to = h.data() + t * width;
    for (std::size_t k = 0; k < width; ++k) to[k] += a.data()[t * width + k] * h.data()[last * width + k];
  }
  return h;
}

/// x[t − 1] at t, or x[t + 1] backward in time; zero where there is no such step.
template <class T>
rw::Variable<T> previous(const rw::Variable<T>& x, Time time) {
  if (time == Time::forward) return pad(slice(x, 0, 0, -1), {{1, 0}, {}, {}});
  return pad(slice(x, 0, 1), {{0, 1}, {}, {}});
}

/// h[t] = a[t] ⊙ h[t − 1] + b[t] with h[−1] = 0, or backward in time h[t] = a[t] ⊙ h[t + 1] + b[t].
/// a, b [T, B, H] -> [T, B, H].  The gradient of h[t] with all that comes of it obeys the same law the other way round,
///     g[t] = dy[t] + a[t + 1] ⊙ g[t + 1],   ∂a[t] = g[t] ⊙ h[t − 1],   ∂b[t] = g[t]
/// Throws std::invalid_argument where the shapes differ or have not three axes.
template <class T>
rw::Variable<T> linear_recurrence(const rw::Variable<T>& a, const rw::Variable<T>& b, Time time) {
  check("linear_recurrence", a, b);
  return record("linear_recurrence", recurrence_value(a.value(), b.value(), time),
                wrt(std::array{&a, &b}, [a, b, time](std::span<const rw::Variable<T>> dys) {
                  const Time other = time == Time::forward ? Time::backward : Time::forward;
                  const auto g = linear_recurrence(previous(a, other), dys[0], other);
                  return std::array{g * previous(linear_recurrence(a, b, time), time), g};
                }));
}
template <class T>
rw::Variable<T> linear_recurrence(const rw::Variable<T>& a, const rw::Variable<T>& b) {
  return linear_recurrence(a, b, Time::forward);
}

/// The same of ops that are there: two of them a step, all on the tape.
template <class T>
rw::Variable<T> composed_recurrence(const rw::Variable<T>& a, const rw::Variable<T>& b) {
  check("composed_recurrence", a, b);
  const auto as = unstack(a), bs = unstack(b);
  rw::List<rw::Variable<T>> h{bs[0]};
  for (std::size_t t = 1; t < as.size(); ++t) h.push_back(as[t] * h.back() + bs[t]);
  return stack(h);
}

}  // namespace custom
