#pragma once

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <exception>
#include <string>

#include "autograd/ops/reduce.hpp"
#include "autograd/random.hpp"
#include "nn/parameters.hpp"
#include "tests/distance.hpp"
#include "tests/errors.hpp"

// What the tests of the networks share.

namespace common {

/// Numbers of ±[0, 1), others for each stream.
inline rw::Tensor<double> numbers(const rw::Shape& shape, std::uint64_t stream = 1) {
  rw::Random random(stream);
  rw::Tensor<double> x = rw::empty<double>(shape);
  for (double& element : x) element = random.uniform(-1, 1);
  return x;
}

/// Gives every parameter, biases included, values that differ in size and sign.
inline void scatter(const rw::nn::Parameters<double>& parameters, std::uint64_t stream) {
  for (const auto& entry : parameters) entry.parameter->assign(numbers(entry.parameter->shape(), ++stream));
}

using rw::test::distance;

/// ⟨numbers, x⟩: a loss in which no symmetry hides an error.
inline rw::Variable<double> weighed(const rw::Variable<double>& x, std::uint64_t stream) {
  return sum(rw::Variable<double>(numbers(x.shape(), stream)) * x);
}

using ::says;

}  // namespace common
