#pragma once

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

namespace rw::learning {

/// The adding problem (Hochreiter & Schmidhuber 1997): of the numbers two are marked, one in either half of a sequence,
/// and are to be added.
struct Sums {
  Tensor<float> xs;      // [T, B, 2]: a number, uniform in [low, 1), and its mark
  Tensor<float> target;  // [B, 1]
};

inline Sums sums(std::size_t steps, std::size_t batch, double low, Random& random) {
  Sums made{zeros<float>({steps, batch, 2}), zeros<float>({batch, 1})};
  for (std::size_t i = 0; i < steps * batch; ++i) made.xs.data()[2 * i] = static_cast<float>(random.uniform(low, 1));
  for (std::size_t b = 0; b < batch; ++b) {
    for (const std::size_t half : {std::size_t(0), steps / 2}) {
      const std::size_t t = half + random.below(steps / 2);
      made.xs(t, b, 1) = 1;
      made.target(b, 0) += made.xs(t, b, 0);
    }
  }
  return made;
}

}  // namespace rw::learning
