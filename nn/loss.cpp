#include "nn/loss.hpp"

namespace rw::nn {
namespace {

bool counts(std::int64_t target, std::optional<std::int64_t> ignore) { return !ignore || target != *ignore; }

}  // namespace

namespace kernels {

void check_targets(const char* op, const Shape& logits, const Indices& targets, std::optional<std::int64_t> ignore) {
  if (logits.empty() || logits.back() == 0 || Shape(logits.begin(), logits.end() - 1) != targets.shape()) {
    fail(op, "logits [..., V] and targets [...]", "logits ", logits, ", targets ", Shape(targets.shape()));
  }
  for (const std::int64_t target : targets) {
    if (counts(target, ignore) && (target < 0 || static_cast<std::size_t>(target) >= logits.back())) {
      fail(op, "targets in [0, " + std::to_string(logits.back()) + ")", "target ", target);
    }
  }
}

template <class T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Indices& targets, const CrossEntropyOptions& options) {
  if (!(options.smoothing >= 0 && options.smoothing <= 1))
    fail("cross_entropy", "a smoothing in [0, 1]", options.smoothing);
  check_targets("cross_entropy", logits.shape(), targets, options.ignore);
  const std::size_t v = logits.shape().back();
  const T smoothing = static_cast<T>(options.smoothing);
  Shape column = logits.shape();
  column.back() = 1;
  const Tensor<T> normaliser = rw::kernels::log_sum_exp_to<T>("cross_entropy", logits, column);
  Tensor<T> losses = zeros<T>(targets.shape());
  for (std::size_t n = 0; n < targets.size(); ++n) {
    if (!counts(targets.data()[n], options.ignore)) continue;
    const T* x = logits.data() + n * v;
    const T z = normaliser.data()[n];
    T loss = (1 - smoothing) * (z - x[targets.data()[n]]);
    if (smoothing > 0) loss += smoothing * (z - rw::kernels::sum(x, v) / static_cast<T>(v));
    losses.data()[n] = loss;
  }
  return losses;
}

template <class T>
Tensor<T> cross_entropy_gradient(const Tensor<T>& logits, const Indices& targets, const CrossEntropyOptions& options,
                                 const Tensor<T>& dy) {
  const std::size_t v = logits.shape().back();
  const T spread = static_cast<T>(options.smoothing / static_cast<double>(v));
  Tensor<T> dx = rw::kernels::softmax<T>(logits, logits.dimension() - 1);
  for (std::size_t n = 0; n < targets.size(); ++n) {
    T* to = dx.data() + n * v;
    const std::int64_t target = targets.data()[n];
    if (!counts(target, options.ignore)) {
      std::fill_n(to, v, T(0));
      continue;
    }
    const T scale = dy.data()[n], shift = scale * spread;
    for (std::size_t i = 0; i < v; ++i) to[i] = to[i] * scale - shift;
    to[target] -= scale * static_cast<T>(1 - options.smoothing);
  }
  return dx;
}

template <class T>
Tensor<T> target_distribution(const Shape& logits, const Indices& targets, const CrossEntropyOptions& options) {
  Tensor<T> q = zeros<T>(logits);
  const std::size_t v = logits.back();
  for (std::size_t n = 0; n < targets.size(); ++n) {
    const std::int64_t target = targets.data()[n];
    if (!counts(target, options.ignore)) continue;
    std::fill_n(q.data() + n * v, v, static_cast<T>(options.smoothing / double(v)));
    q.data()[n * v + static_cast<std::size_t>(target)] += static_cast<T>(1 - options.smoothing);
  }
  return q;
}

template Tensor<float> cross_entropy(const Tensor<float>&, const Indices&, const CrossEntropyOptions&);
template Tensor<double> cross_entropy(const Tensor<double>&, const Indices&, const CrossEntropyOptions&);
template Tensor<float> cross_entropy_gradient(const Tensor<float>&, const Indices&, const CrossEntropyOptions&,
                                              const Tensor<float>&);
template Tensor<double> cross_entropy_gradient(const Tensor<double>&, const Indices&, const CrossEntropyOptions&,
                                               const Tensor<double>&);
template Tensor<float> target_distribution(const Shape&, const Indices&, const CrossEntropyOptions&);
template Tensor<double> target_distribution(const Shape&, const Indices&, const CrossEntropyOptions&);

}  // namespace kernels

std::size_t counted_targets(const Indices& targets, const CrossEntropyOptions& options) {
  return static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(),
                                                [&](std::int64_t target) { return counts(target, options.ignore); }));
}

}  // namespace rw::nn
