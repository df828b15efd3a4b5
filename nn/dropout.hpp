#pragma once

#include "autograd/ops/arithmetic.hpp"
#include "autograd/random.hpp"

namespace rw::nn {
namespace detail {

/// 0 with probability `rate`, else 1/(1 − rate).
template <class T>
Variable<T> dropout_mask(const Shape& shape, double rate, Random& random) {
  Tensor<T> mask = rw::empty<T>(shape);
  const T kept = static_cast<T>(1 / (1 - rate));
  for (T& element : mask) element = random.uniform() < rate ? T(0) : kept;
  return mask;
}

inline void check_rate(const char* op, double rate) {
  if (!(rate >= 0 && rate < 1)) fail(op, "a rate in [0, 1)", rate);
}

}  // namespace detail

/// Sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate), so that the expectation stays
/// (Srivastava et al. 2014). Without a random source x passes unchanged: that is evaluation.
/// Throws std::invalid_argument where rate is not in [0, 1).
template <class T>
Variable<T> dropout(const Variable<T>& x, double rate, Random* random) {
  detail::check_rate("dropout", rate);
  if (random == nullptr || rate == 0) return x;
  return x * detail::dropout_mask<T>(x.shape(), rate, *random);
}

/// The same for xs [T, B, I] with one mask [B, I] for all steps of a sequence (Gal & Ghahramani 2016).
/// Throws std::invalid_argument where rate is not in [0, 1) or xs has not three axes.
template <class T>
Variable<T> variational_dropout(const Variable<T>& xs, double rate, Random* random) {
  detail::check_rate("variational_dropout", rate);
  check_rank("variational_dropout", xs.shape(), 3);
  if (random == nullptr || rate == 0) return xs;
  return xs * detail::dropout_mask<T>({1, xs.shape()[1], xs.shape()[2]}, rate, *random);
}

}  // namespace rw::nn
