#pragma once

#include "autograd/fuse.hpp"
#include "autograd/ops/reduce.hpp"

// Losses of a prediction x and a target y of the same shape, element by element. Each throws std::invalid_argument
// where the shapes differ: nothing is broadcast, because [N, 1] against [N] is a mistake that would go unseen. Means
// throw where there is no element.

namespace rw::nn {

/// (x − y)².
template <class T>
Variable<T> squared_error_elements(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y) {
  check_same_shape("squared_error", x.shape(), y.shape());
  return fuse([](const auto& x, const auto& y) { return square(x - y); }, x, y);
}

/// The mean squared error, without a factor 1/2.
template <class T>
Variable<T> squared_error(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y) {
  return mean(squared_error_elements(x, y));
}

struct HuberOptions {
  double delta = 1;  // the error from which on the loss grows linearly; in units of x, above 0
};

/// d²/2 for |d| ≤ δ, else δ(|d| − δ/2), with d = x − y (Huber 1964).
/// Throws std::invalid_argument where δ is not above 0.
template <class T>
Variable<T> huber_elements(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y,
                           const HuberOptions& options = {}) {
  if (!(options.delta > 0)) fail("huber", "a delta above 0", options.delta);
  check_same_shape("huber", x.shape(), y.shape());
  return fuse(
      [delta = options.delta](const auto& x, const auto& y) {
        const auto d = x - y;
        const auto limited = clip(d, -delta, delta);
        return limited * (d - 0.5 * limited);
      },
      x, y);
}

/// The mean of huber_elements.
template <class T>
Variable<T> huber(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y, const HuberOptions& options = {}) {
  return mean(huber_elements(x, y, options));
}

namespace detail {

template <class T, class Holds>
void check_elements(const char* op, const char* expectation, const Variable<T>& y, const Holds& holds) {
  for (const T element : y.value()) {
    if (!holds(element)) fail(op, expectation, element);
  }
}

template <class T>
void check_signs(const char* op, const Variable<T>& y) {
  check_elements(op, "targets -1 or 1", y, [](T element) { return element == 1 || element == -1; });
}

}  // namespace detail

/// Weights that broadcast to the logits.
template <class T>
struct BinaryCrossEntropyOptions {
  Variable<T> weight = scalar<T>(1);           // of each element
  Variable<T> positive_weight = scalar<T>(1);  // of the positive part: above 1 it raises recall, e.g. [C], one a class
};

/// w·(−p·y·log σ(x) − (1 − y)·log(1 − σ(x))) with logits x, probabilities y in [0, 1], weight w and positive weight p.
/// It is computed as p·y·softplus(−x) + (1 − y)·softplus(x): exact for logits of any size.
/// Throws std::invalid_argument also for a y outside [0, 1] and where a weight does not broadcast to x.
template <class T>
Variable<T> binary_cross_entropy_elements(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y,
                                          const BinaryCrossEntropyOptions<std::type_identity_t<T>>& options = {}) {
  const char* op = "binary_cross_entropy";
  check_same_shape(op, x.shape(), y.shape());
  for (const Variable<T>* weight : {&options.weight, &options.positive_weight}) {
    if (broadcast_shape(op, x.shape(), weight->shape()) != x.shape()) {
      fail(op, "weights that broadcast to x", "x ", x.shape(), ", weight ", weight->shape());
    }
  }
  detail::check_elements(op, "targets in [0, 1]", y, [](T element) { return element >= 0 && element <= 1; });
  return fuse([](const auto& x, const auto& y, const auto& w,
                 const auto& p) { return w * (p * y * softplus(-x) + (1 - y) * softplus(x)); },
              x, y, options.weight, options.positive_weight);
}

/// The mean of binary_cross_entropy_elements, over all of them whatever their weights.
template <class T>
Variable<T> binary_cross_entropy(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y,
                                 const BinaryCrossEntropyOptions<std::type_identity_t<T>>& options = {}) {
  return mean(binary_cross_entropy_elements(x, y, options));
}

struct HingeOptions {
  double margin = 1;
};

/// max(0, margin − y·x) with scores x and labels y of −1 or 1 (Cortes & Vapnik 1995).
/// Throws std::invalid_argument also for any other label.
template <class T>
Variable<T> hinge_elements(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y,
                           const HingeOptions& options = {}) {
  check_same_shape("hinge", x.shape(), y.shape());
  detail::check_signs("hinge", y);
  return fuse([margin = options.margin](const auto& x, const auto& y) { return relu(margin - y * x); }, x, y);
}

/// The mean of hinge_elements.
template <class T>
Variable<T> hinge(const Variable<T>& x, const std::type_identity_t<Variable<T>>& y, const HingeOptions& options = {}) {
  return mean(hinge_elements(x, y, options));
}

}  // namespace rw::nn
