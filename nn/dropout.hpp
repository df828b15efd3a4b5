#pragma once

#include "autograd/ops/arithmetic.hpp"
#include "autograd/random.hpp"

namespace rw::nn {

/// Sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate), so that the expectation stays
/// (Srivastava et al. 2014). Without a random source x passes unchanged: that is evaluation.
/// Throws std::invalid_argument where rate is not in [0, 1).
template <class T>
Variable<T> dropout(const Variable<T>& x, double rate, Random* random) {
  if (!(rate >= 0 && rate < 1)) fail("dropout", "a rate in [0, 1)", rate);
  if (random == nullptr || rate == 0) return x;
  Tensor<T> mask = rw::empty<T>(x.shape());
  const T kept = static_cast<T>(1 / (1 - rate));
  for (T& element : mask) element = random->uniform() < rate ? T(0) : kept;
  return x * Variable<T>(std::move(mask));
}

}  // namespace rw::nn
