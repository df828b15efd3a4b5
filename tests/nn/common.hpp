#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <exception>
#include <string>
#include <vector>

#include "autograd/ops/reduce.hpp"
#include "autograd/random.hpp"
#include "nn/parameters.hpp"
#include "nn/state.hpp"
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

/// The Variables of a state in their order.
template <class State>
std::vector<rw::Variable<double>> list(const State& state) {
  std::vector<rw::Variable<double>> all;
  rw::nn::map_state([&](const rw::Variable<double>& v) { return all.push_back(v), v; }, state);
  return all;
}

/// The largest difference between two states, or lists of Variables.
template <class State>
double difference(const State& a, const State& b) {
  const auto as = list(a), bs = list(b);
  BOOST_REQUIRE(as.size() == bs.size());
  double worst = 0;
  for (std::size_t k = 0; k < as.size(); ++k) worst = std::max(worst, distance(as[k], bs[k]));
  return worst;
}

using ::says;

}  // namespace common
