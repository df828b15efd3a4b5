#pragma once

#include "autograd/gradcheck.hpp"
#include "tests/nn/common.hpp"

namespace common {

/// Checks every element of ours against f(i).
template <class F>
void equals(const rw::Variable<double>& ours, const rw::Shape& shape, const F& f) {
  BOOST_REQUIRE(bool(ours.shape() == shape));
  for (std::size_t i = 0; i < ours.size(); ++i) BOOST_TEST(std::abs(ours.value().data()[i] - f(i)) < 1e-12);
}

/// Gradients and second gradients of f by the inputs.
template <class F>
void check_gradients(const char* name, const F& f, const std::vector<rw::Tensor<double>>& inputs) {
  const auto report = rw::check_gradients(name, f, inputs);
  BOOST_TEST(report.ok, report.message);
}

}  // namespace common
