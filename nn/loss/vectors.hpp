#pragma once

#include "nn/loss/elements.hpp"

// Losses of two tensors [..., n] of rows that belong together. Each throws std::invalid_argument where their shapes
// differ; nothing is broadcast. Means are over the rows, and throw where there is none.

namespace rw::nn {

/// KL(P ‖ Q) = Σᵢ pᵢ (log pᵢ − log qᵢ) of each row, in nats, from logarithms as log_softmax() gives them: log_p of the
/// distribution aimed at, log_q of the model's (Kullback & Leibler 1951).   [..., n] -> [...].
/// Where pᵢ = 0 the term is 0, whatever qᵢ is.
template <class T>
Variable<T> kl_divergence_rows(const Variable<T>& log_p, const std::type_identity_t<Variable<T>>& log_q) {
  check_same_shape("kl_divergence", log_p.shape(), log_q.shape());
  const auto term = [](const auto& log_p, const auto& log_q) {
    const auto none = equal(log_p, -std::numeric_limits<double>::infinity());
    const auto a = where(none, 0, log_p);  // so that there is no ∞ − ∞, not even in a gradient
    const auto b = where(none, 0, log_q);
    return where(none, 0, exp(a) * (a - b));
  };
  return sum(fuse(term, log_p, log_q), {.axes = {-1}});
}

/// The mean of kl_divergence_rows.
template <class T>
Variable<T> kl_divergence(const Variable<T>& log_p, const std::type_identity_t<Variable<T>>& log_q) {
  return mean(kl_divergence_rows(log_p, log_q));
}

/// a·b / (‖a‖‖b‖) of each row.   a, b [..., n] -> [...]. 0 with gradient 0 where a or b is the zero vector.
template <class T>
Variable<T> cosine_similarity(const Variable<T>& a, const std::type_identity_t<Variable<T>>& b) {
  check_same_shape("cosine_similarity", a.shape(), b.shape());
  const auto unit = [](const Variable<T>& x) {
    const auto divided = [](const auto& x, const auto& length) {
      const auto zero = equal(length, 0);
      return where(zero, 0, x) / where(zero, 1, length);
    };
    return fuse(divided, x, norm(x, {.axes = {-1}, .keep = true}));
  };
  return sum(unit(a) * unit(b), {.axes = {-1}});
}

struct CosineEmbeddingOptions {
  double margin = 0;  // the similarity up to which rows that do not belong together cost nothing
};

/// 1 − cos(a, b) of rows that belong together, y = 1; max(0, cos(a, b) − margin) of those that do not, y = −1.
/// a, b [..., n], y [...] -> [...].   Throws std::invalid_argument also for any other y.
template <class T>
Variable<T> cosine_embedding_rows(const Variable<T>& a, const std::type_identity_t<Variable<T>>& b,
                                  const std::type_identity_t<Variable<T>>& y,
                                  const CosineEmbeddingOptions& options = {}) {
  const Variable<T> similarity = cosine_similarity(a, b);
  check_same_shape("cosine_embedding", similarity.shape(), y.shape());
  detail::check_signs("cosine_embedding", y);
  const auto cost = [margin = options.margin](const auto& similarity, const auto& y) {
    return where(greater(y, 0), 1 - similarity, relu(similarity - margin));
  };
  return fuse(cost, similarity, y.detached());
}

/// The mean of cosine_embedding_rows.
template <class T>
Variable<T> cosine_embedding(const Variable<T>& a, const std::type_identity_t<Variable<T>>& b,
                             const std::type_identity_t<Variable<T>>& y, const CosineEmbeddingOptions& options = {}) {
  return mean(cosine_embedding_rows(a, b, y, options));
}

}  // namespace rw::nn
