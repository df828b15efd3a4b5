#pragma once

#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/softmax.hpp"

// Losses of scores or log-probabilities x [..., V] with the number of the right class of each row, targets [...].
// Rows whose target is `ignore` cost 0 and receive no gradient, and a mean does not count them. Each throws
// std::invalid_argument where the shapes do not fit or a target is neither ignored nor below V.

namespace rw::nn {

struct CrossEntropyOptions {
  std::optional<std::int64_t> ignore = {};  // rows with this target count nothing
  double smoothing = 0;                     // share of the target spread evenly over all classes (Szegedy et al. 2016)
};

namespace kernels {

/// Throws as above, naming `op`.
void check_targets(const char* op, const Shape& logits, const Indices& targets, std::optional<std::int64_t> ignore);

/// The loss of each row of logits [N, V]; 0 where the target is ignored.
template <class T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Indices& targets, const CrossEntropyOptions& options);

/// dy[n] · (softmax(logits) − target distribution) of each row; 0 where the target is ignored.
template <class T>
Tensor<T> cross_entropy_gradient(const Tensor<T>& logits, const Indices& targets, const CrossEntropyOptions& options,
                                 const Tensor<T>& dy);

/// The distributions that the targets stand for [N, V]; zero rows where they are ignored.
template <class T>
Tensor<T> target_distribution(const Shape& logits, const Indices& targets, const CrossEntropyOptions& options);

}  // namespace kernels

/// −Σᵥ qᵥ·log softmax(logits)ᵥ of each row, q = (1 − ε)·one-hot(target) + ε/V.
/// logits [..., V], targets [...] -> [...]. Throws std::invalid_argument also for a smoothing ε outside [0, 1].
template <class T>
Variable<T> cross_entropy_rows(const Variable<T>& logits, const Indices& targets,
                               const CrossEntropyOptions& options = {}) {
  return record("cross_entropy", kernels::cross_entropy(logits.value(), targets, options),
                wrt(logits, [=](const Variable<T>& dy) -> Variable<T> {
                  if (Tape<T>::current() == nullptr) {
                    return kernels::cross_entropy_gradient(logits.value(), targets, options, dy.value());
                  }
                  Shape column = dy.shape();
                  column.push_back(1);
                  const Variable<T> q = kernels::target_distribution<T>(logits.shape(), targets, options);
                  const Variable<T> counted = sum(q, {.axes = {-1}, .keep = true});  // 1, or 0 where ignored
                  return reshape(dy, column) * (counted * softmax(logits) - q);
                }));
}

/// The number of targets that count.
std::size_t counted_targets(const Indices& targets, const CrossEntropyOptions& options);

namespace detail {

// The mean of the rows that count; 0 where none does.
template <class T>
Variable<T> counted_mean(const Variable<T>& rows, const Indices& targets, std::optional<std::int64_t> ignore) {
  const double n = static_cast<double>(counted_targets(targets, {.ignore = ignore}));
  return sum(rows) * (n == 0 ? 0.0 : 1 / n);
}

}  // namespace detail

/// The sum of cross_entropy_rows.
template <class T>
Variable<T> cross_entropy_sum(const Variable<T>& logits, const Indices& targets,
                              const CrossEntropyOptions& options = {}) {
  return sum(cross_entropy_rows(logits, targets, options));
}

/// The mean of cross_entropy_rows over the targets that count; 0 where none does.
template <class T>
Variable<T> cross_entropy(const Variable<T>& logits, const Indices& targets, const CrossEntropyOptions& options = {}) {
  return detail::counted_mean(cross_entropy_rows(logits, targets, options), targets, options.ignore);
}

struct NllOptions {
  std::optional<std::int64_t> ignore = {};
};

/// The negative log-likelihood −log p(target) of each row, from log-probabilities.   log_p [..., V], targets [...] ->
/// [...]. What is not a target is not read: it may be −∞.
template <class T>
Variable<T> nll_rows(const Variable<T>& log_p, const Indices& targets, const NllOptions& options = {}) {
  kernels::check_targets("nll", log_p.shape(), targets, options.ignore);
  const Variable<T> q = kernels::target_distribution<T>(log_p.shape(), targets, {.ignore = options.ignore});
  return -sum(where(q, log_p, 0), {.axes = {-1}});
}

/// The mean of nll_rows over the targets that count; 0 where none does.
template <class T>
Variable<T> nll(const Variable<T>& log_p, const Indices& targets, const NllOptions& options = {}) {
  return detail::counted_mean(nll_rows(log_p, targets, options), targets, options.ignore);
}

struct MulticlassHingeOptions {
  std::optional<std::int64_t> ignore = {};
  double margin = 1;  // by which the right class should lead
};

/// 1/V Σⱼ max(0, margin + xⱼ − x_target) over the wrong classes j of each row (Weston & Watkins 1999).
/// scores [..., V], targets [...] -> [...].
template <class T>
Variable<T> multiclass_hinge_rows(const Variable<T>& scores, const Indices& targets,
                                  const MulticlassHingeOptions& options = {}) {
  kernels::check_targets("multiclass_hinge", scores.shape(), targets, options.ignore);
  const Reduce row{.axes = {-1}, .keep = true};
  const Variable<T> q = kernels::target_distribution<T>(scores.shape(), targets, {.ignore = options.ignore});
  const Variable<T> wrong = sum(q, row) - q;  // 1, or 0 for the target and in ignored rows
  const Variable<T> violations =
      fuse([margin = options.margin](const auto& x, const auto& right,
                                     const auto& wrong) { return where(wrong, relu(margin + x - right), 0); },
           scores, sum(where(q, scores, 0), row), wrong);
  return mean(violations, {.axes = {-1}});
}

/// The mean of multiclass_hinge_rows over the targets that count; 0 where none does.
template <class T>
Variable<T> multiclass_hinge(const Variable<T>& scores, const Indices& targets,
                             const MulticlassHingeOptions& options = {}) {
  return detail::counted_mean(multiclass_hinge_rows(scores, targets, options), targets, options.ignore);
}

}  // namespace rw::nn
