#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "autograd/autograd.hpp"

using namespace rw;

BOOST_AUTO_TEST_SUITE(normalize)

BOOST_AUTO_TEST_CASE(a_first_element_far_from_all_others_costs_no_digits) {
  const std::size_t n = 20000;
  Tensor<float> x = zeros<float>({1, n});
  x.data()[0] = 1000;
  for (std::size_t i = 1; i < n; ++i) x.data()[i] = i % 2 == 0 ? 1 : -1;
  const Tensor<float> y = layer_norm(Variable<float>(x), full<float>({n}, 1), zeros<float>({n}), 0).value();

  const double count = static_cast<double>(n), mean = std::accumulate(x.begin(), x.end(), 0.0) / count;
  const double squares =
      std::accumulate(x.begin(), x.end(), 0.0, [&](double s, double v) { return s + (v - mean) * (v - mean); });
  const double sigma = std::sqrt(squares / count);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{2}, n - 1}) {
    // Differences from the first element are rounded to 6e-5.
    BOOST_TEST(y.data()[i] == (x.data()[i] - mean) / sigma, boost::test_tools::tolerance(1e-4));
  }
}

BOOST_AUTO_TEST_SUITE_END()
