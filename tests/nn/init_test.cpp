#include "nn/init.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>

#include "tests/errors.hpp"

BOOST_AUTO_TEST_SUITE(init)

using rw::Random;
using rw::Shape;
using rw::Tensor;

// The values have mean 0 and the given variance and kurtosis κ = E x⁴ / variance², all within 4 standard errors; the
// error of the mean square is variance·√((κ − 1)/n).
template <class T>
void check_moments(const Tensor<T>& x, double variance, double kurtosis) {
  const double n = static_cast<double>(x.size());
  double mean = 0, square = 0;
  for (const T v : x) {
    mean += v / n;
    square += double(v) * v / n;
  }
  BOOST_TEST(std::abs(mean) < 4 * std::sqrt(variance / n));
  BOOST_TEST(std::abs(square - variance) < 4 * variance * std::sqrt((kurtosis - 1) / n));
}

// Uniform in ±bound: the moments, and the bound is nearly reached but not passed.
template <class T>
void check_uniform(const Tensor<T>& x, double bound) {
  check_moments(x, bound * bound / 3, 9.0 / 5);
  double largest = 0;
  for (const T v : x) largest = std::max(largest, std::abs(double(v)));
  BOOST_TEST(largest <= bound * (1 + 1e-7));
  BOOST_TEST(largest > 0.99 * bound);
}

template <class T>
void check_normal(const Tensor<T>& x, double deviation) {
  check_moments(x, deviation * deviation, 3);
}

BOOST_AUTO_TEST_CASE(uniform_and_normal) {
  Random random(1);
  check_uniform(rw::nn::uniform<double>({300, 100}, 0.3, random), 0.3);
  check_uniform(rw::nn::uniform<float>({30000}, 2, random), 2);
  check_normal(rw::nn::normal<double>({300, 100}, 0.5, random), 0.5);
  check_uniform(rw::nn::recurrent_uniform<double>({16, 2000}, 16, random), 0.25);
}

BOOST_AUTO_TEST_CASE(glorot) {
  Random random(2);
  check_uniform(rw::nn::glorot_uniform<double>({100, 200}, random), std::sqrt(6.0 / 300));
  check_uniform(rw::nn::glorot_uniform<float>({200, 100}, random), std::sqrt(6.0 / 300));
  check_normal(rw::nn::glorot_normal<double>({100, 200}, random), std::sqrt(2.0 / 300));
  BOOST_TEST(rw::nn::glorot_uniform<double>({0, 0}, random).size() == 0u);
}

BOOST_AUTO_TEST_CASE(float_and_double_agree) {
  Random a(3), b(3);
  const Tensor<float> x = rw::nn::glorot_normal<float>({5, 7}, a);
  const Tensor<double> y = rw::nn::glorot_normal<double>({5, 7}, b);
  for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(x.data()[i] == float(y.data()[i]));
}

// ‖QᵀQ − 1‖ or ‖QQᵀ − 1‖, the largest element.
template <class T>
double distance_from_orthogonal(const Tensor<T>& q) {
  const std::size_t m = q.shape(0), n = q.shape(1), k = std::min(m, n);
  const auto at = [&](std::size_t vector, std::size_t i) {
    return double(m >= n ? q.data()[i * n + vector] : q.data()[vector * n + i]);
  };
  double worst = 0;
  for (std::size_t a = 0; a < k; ++a) {
    for (std::size_t b = 0; b < k; ++b) {
      double dot = 0;
      for (std::size_t i = 0; i < std::max(m, n); ++i) dot += at(a, i) * at(b, i);
      worst = std::max(worst, std::abs(dot - (a == b ? 1 : 0)));
    }
  }
  return worst;
}

BOOST_AUTO_TEST_CASE(orthogonal) {
  Random random(4);
  for (const Shape& shape : {Shape{12, 12}, Shape{20, 7}, Shape{7, 20}, Shape{1, 5}, Shape{1, 1}}) {
    const Tensor<double> q = rw::nn::orthogonal<double>(shape, random);
    BOOST_TEST(bool(q.shape() == shape));
    BOOST_TEST(distance_from_orthogonal(q) < 1e-12);
  }
  BOOST_TEST(distance_from_orthogonal(rw::nn::orthogonal<float>({9, 9}, random)) < 1e-6);
  BOOST_TEST(rw::nn::orthogonal<double>({0, 3}, random).size() == 0u);
}

// Uniformly distributed: each element has mean 0 and mean square 1/n, so no sign is preferred.
BOOST_AUTO_TEST_CASE(orthogonal_has_no_preferred_direction) {
  Random random(5);
  constexpr int draws = 4000;
  for (std::size_t i = 0; i < 9; ++i) {
    Tensor<double> x = rw::empty<double>({draws});
    for (double& v : x) v = rw::nn::orthogonal<double>({3, 3}, random).data()[i];
    check_uniform(x, 1);  // a coordinate on the sphere in 3 dimensions is uniform (Archimedes)
  }
}

BOOST_AUTO_TEST_CASE(blocks_are_drawn_one_by_one) {
  Random random(6), again(6);
  const Tensor<double> all = rw::nn::orthogonal_blocks<double>({5, 15}, 3, random);
  for (std::size_t k = 0; k < 3; ++k) {
    const Tensor<double> one = rw::nn::orthogonal<double>({5, 5}, again);
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t j = 0; j < 5; ++j) BOOST_TEST(all.data()[i * 15 + k * 5 + j] == one.data()[i * 5 + j]);
    }
  }
  // The bound is that of one gate, not of the whole matrix.
  check_uniform(rw::nn::glorot_uniform_blocks<double>({50, 400}, 4, random), std::sqrt(6.0 / 150));
  BOOST_TEST(rw::nn::glorot_uniform_blocks<double>({50, 0}, 4, random).size() == 0u);
}

BOOST_AUTO_TEST_CASE(bias_blocks) {
  const Tensor<float> bias = rw::nn::bias_blocks<float>(2, {0, 1, -0.5});
  BOOST_TEST(bool(bias == rw::tensor<float>({6}, {0, 0, 1, 1, -0.5, -0.5})));
}

// ln U(1, T − 1): e to it is uniform. Blocks of opposite signs are the same numbers.
BOOST_AUTO_TEST_CASE(chrono) {
  Random random(8);
  constexpr std::size_t hidden = 20000;
  const Tensor<double> bias = rw::nn::chrono<double>(hidden, 101, {-1, 1, 0}, random);
  BOOST_REQUIRE(bool(bias.shape() == Shape{3 * hidden}));
  Tensor<double> times = rw::empty<double>({hidden});
  for (std::size_t j = 0; j < hidden; ++j) {
    times.data()[j] = std::exp(bias.data()[hidden + j]) - 50.5;
    BOOST_REQUIRE(bias.data()[j] == -bias.data()[hidden + j]);
    BOOST_REQUIRE(bias.data()[2 * hidden + j] == 0);
  }
  check_uniform(times, 49.5);
  const std::string text = "chrono: expected a longest memory of more than 2 steps; got ";
  BOOST_CHECK_EXCEPTION(rw::nn::chrono<float>(3, 2, {1}, random), std::invalid_argument, says(text + "2"));
  BOOST_CHECK_EXCEPTION(rw::nn::chrono<float>(3, std::nan(""), {1}, random), std::invalid_argument, says(text + "nan"));
}

BOOST_AUTO_TEST_CASE(wrong_shapes) {
  Random random(7);
  BOOST_CHECK_EXCEPTION(rw::nn::glorot_uniform<double>({3}, random), std::invalid_argument,
                        says("glorot_uniform: expected 2 axes; got x [3]"));
  BOOST_CHECK_EXCEPTION(rw::nn::orthogonal<double>({2, 3, 4}, random), std::invalid_argument,
                        says("orthogonal: expected 2 axes; got x [2, 3, 4]"));
  BOOST_CHECK_EXCEPTION(
      rw::nn::orthogonal_blocks<double>({4, 10}, 4, random), std::invalid_argument,
      says("blocks: expected a last extent that is a multiple of the number of blocks; got [4, 10], 4 blocks"));
  BOOST_CHECK_EXCEPTION(rw::nn::recurrent_uniform<double>({4}, 0, random), std::invalid_argument,
                        says("recurrent_uniform: expected a hidden size of at least 1; got 0"));
  BOOST_TEST(bool(random == Random(7)));  // nothing was drawn
}

BOOST_AUTO_TEST_SUITE_END()
