#include "nn/valid.hpp"

#include "autograd/kernels/finite.hpp"

namespace rw::nn::detail {

ValidSteps::ValidSteps(std::size_t steps, std::size_t batch, const std::vector<std::size_t>& lengths,
                       const std::optional<Indices>& mask, const char* op)
    : batch_(batch) {
  if (mask && !lengths.empty()) fail(op, "lengths or a mask", "both");
  if (mask && mask->shape() != Shape{steps, batch}) {
    fail(op, "a mask " + to_string(Shape{steps, batch}), mask->shape());
  }
  if (!mask && lengths.empty()) return;
  if (!mask && lengths.size() != batch) {
    fail(op, "a length for each of the " + std::to_string(batch) + " rows", lengths.size(), " lengths");
  }
  for (const std::size_t length : lengths) {
    if (length > steps) {
      // A negative number that became a size.
      const auto given = static_cast<std::ptrdiff_t>(length);
      fail(op, "lengths of 0 to " + std::to_string(steps) + " steps", given);
    }
  }
  valid_.resize(steps * batch);
  counts_.resize(steps);
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < batch; ++b) {
      const std::int64_t one = mask ? mask->data()[t * batch + b] : t < lengths[b];
      if (one != 0 && one != 1) fail(op, "a mask of zeros and ones", one);
      valid_[t * batch + b] = static_cast<char>(one);
      counts_[t] += static_cast<std::size_t>(one);
    }
  }
}

template <class T>
Variable<T> finite_inputs(const Variable<T>& xs, const ValidSteps& valid) {
  const T* x = xs.view().data();
  if (rw::kernels::all_finite(x, xs.size())) return xs;
  const std::size_t steps = xs.shape()[0], batch = xs.shape()[1], width = xs.shape()[2];
  Tensor<T> own = rw::empty<T>({steps, batch, 1});
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < batch; ++b) {
      const T* row = x + (t * batch + b) * width;
      if (valid.has(t, b) && !rw::kernels::all_finite(row, width)) {
        const T* bad = std::find_if(row, row + width, [](T v) { return !std::isfinite(v); });
        fail("unroll", "finite inputs", *bad, " at step ", t, ", row ", b, ", feature ", bad - row);
      }
      own.data()[t * batch + b] = valid.has(t, b) ? T(1) : T(0);
    }
  }
  return where(Variable<T>(std::move(own)), xs, Variable<T>(scalar<T>(0)));
}

template Variable<float> finite_inputs(const Variable<float>&, const ValidSteps&);
template Variable<double> finite_inputs(const Variable<double>&, const ValidSteps&);

}  // namespace rw::nn::detail
