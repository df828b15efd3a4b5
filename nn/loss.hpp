#pragma once

#include <optional>

#include "autograd/ops/softmax.hpp"
#include "autograd/record.hpp"

namespace rw::nn {

struct CrossEntropyOptions {
  std::optional<std::int64_t> ignore = {};  // rows with this target count nothing
  double smoothing = 0;                     // share of the target spread evenly over all classes (Szegedy et al. 2016)
};

namespace kernels {

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
/// logits [..., V], targets [...] -> [...]; ignored rows are 0.
/// Throws std::invalid_argument where the shapes do not fit or a target is neither ignored nor below V.
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

/// The sum of cross_entropy_rows.
template <class T>
Variable<T> cross_entropy_sum(const Variable<T>& logits, const Indices& targets,
                              const CrossEntropyOptions& options = {}) {
  return sum(cross_entropy_rows(logits, targets, options));
}

/// The mean of cross_entropy_rows over the targets that count; 0 where none does.
template <class T>
Variable<T> cross_entropy(const Variable<T>& logits, const Indices& targets, const CrossEntropyOptions& options = {}) {
  const double n = static_cast<double>(counted_targets(targets, options));
  return cross_entropy_sum(logits, targets, options) * (n == 0 ? 0.0 : 1 / n);
}

}  // namespace rw::nn
