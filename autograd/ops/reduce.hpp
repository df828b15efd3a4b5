#pragma once

#include "autograd/ops/exponential.hpp"
#include "autograd/ops/shape.hpp"

// Reductions over any axes, e.g. sum(x, {.axes = {0, -1}, .keep = true}); without axes over all of them. Below, the
// derivatives read y and dy as if the reduced axes were kept. Each throws std::invalid_argument where an axis is out of
// range or given twice.

namespace rw {

/// Σ x.
template <class T>
Variable<T> sum(const Variable<T>& x, const Reduce& over = {}) {
  const kernels::Reduction r = kernels::reduction("sum", x.shape(), over);
  return record("sum", reshaped(kernels::sum_to("sum", x.view(), r.kept), r.result),
                wrt(x, [kept = r.kept, from = x.shape()](const Variable<T>& dy) {
                  return broadcast_to(reshape(dy, kept), from);
                }));
}

/// Σ x / n over the n elements that make one. Throws std::invalid_argument where there is none.
template <class T>
Variable<T> mean(const Variable<T>& x, const Reduce& over = {}) {
  const kernels::Reduction r = kernels::reduction_of_some("mean", x.shape(), over);
  return sum(x, over) / static_cast<double>(r.count);
}

/// The largest x; k equal ones receive 1/k of the gradient each. NaN where there is one.
/// Throws std::invalid_argument where there is no element.
template <class T>
Variable<T> max(const Variable<T>& x, const Reduce& over = {}) {
  const kernels::Reduction r = kernels::reduction_of_some("max", x.shape(), over);
  return record("max", reshaped(kernels::max_to("max", x.view(), r.kept), r.result),
                wrt(x, [x, kept = r.kept](const Variable<T>& dy, const Variable<T>& y) {
                  const Variable<T> largest = equal(x, reshape(y.detached(), kept));
                  return largest * (reshape(dy, kept) / sum_to(largest, kept));
                }));
}

/// The smallest x; k equal ones receive 1/k of the gradient each. NaN where there is one.
/// Throws std::invalid_argument where there is no element.
template <class T>
Variable<T> min(const Variable<T>& x, const Reduce& over = {}) {
  kernels::reduction_of_some("min", x.shape(), over);
  return -max(-x, over);
}

/// log Σ eˣ, without overflow. Where every x is −∞, or there is none, −∞ with gradient 0.
template <class T>
Variable<T> logsumexp(const Variable<T>& x, const Reduce& over = {}) {
  const kernels::Reduction r = kernels::reduction("logsumexp", x.shape(), over);
  const auto dx = [](const auto& dy, const auto& x, const auto& y) {
    return dy * exp(x - where(equal(y, -std::numeric_limits<double>::infinity()), 0, y));
  };
  return record("logsumexp", reshaped(kernels::log_sum_exp_to("logsumexp", x.view(), r.kept), r.result),
                wrt(x, [dx, x, kept = r.kept](const Variable<T>& dy, const Variable<T>& y) {
                  return pointwise("logsumexp", dx, reshape(dy, kept), x, reshape(y, kept));
                }));
}

/// Σ (x − x̄)² / (n − correction) over the n elements that make one: 0 for the variance of a whole population, 1 for
/// the unbiased estimate from a sample. Throws std::invalid_argument where n is not above the correction.
template <class T>
Variable<T> variance(const Variable<T>& x, const Reduce& over = {}, std::size_t correction = 0) {
  const kernels::Reduction r = kernels::reduction_of_some("variance", x.shape(), over, correction + 1);
  const auto n = static_cast<double>(r.count - correction);
  const Variable<T> centre = mean(x.detached(), {over.axes, true});
  const auto dx = [n](const auto& dy, const auto& x, const auto& centre) { return dy * (2 / n) * (x - centre); };
  const Variable<T> squares = kernels::sum_squares_to("variance", x.view(), centre.view(), r.kept);
  return record("variance", reshaped((squares / n).value(), r.result),
                wrt(x, [dx, x, over, kept = r.kept](const Variable<T>& dy) {
                  return pointwise("variance", dx, reshape(dy, kept), x, mean(x, {over.axes, true}));
                }));
}

/// The Euclidean norm √Σ x², without overflow of the squares; the gradient at the zero vector is 0.
template <class T>
Variable<T> norm(const Variable<T>& x, const Reduce& over = {}) {
  const kernels::Reduction r = kernels::reduction("norm", x.shape(), over);
  const auto dx = [](const auto& dy, const auto& x, const auto& y) {
    const auto zero = equal(y, 0);
    return where(zero, 0, dy) * (x / where(zero, 1, y));
  };
  return record("norm", reshaped(kernels::norm_to("norm", x.view(), r.kept), r.result),
                wrt(x, [dx, x, kept = r.kept](const Variable<T>& dy, const Variable<T>& y) {
                  return pointwise("norm", dx, reshape(dy, kept), x, reshape(y, kept));
                }));
}

}  // namespace rw
