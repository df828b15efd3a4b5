#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/variable.hpp"

namespace rw::test {

/// The largest difference of two elements; infinite where the shapes differ or a difference is not finite.
inline double distance(const Tensor<double>& a, const Tensor<double>& b) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (a.shape() != b.shape()) return infinity;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a.data()[i] - b.data()[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : infinity;
  }
  return worst;
}
inline double distance(const Variable<double>& a, const Variable<double>& b) { return distance(a.value(), b.value()); }

}  // namespace rw::test
