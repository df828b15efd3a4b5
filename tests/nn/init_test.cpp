#include "nn/init.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "tests/errors.hpp"

BOOST_AUTO_TEST_SUITE(init)

using rw::Random;
using rw::Shape;
using rw::Tensor;
using rw::nn::Fan;

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

// The values follow the distribution function (Kolmogorov and Smirnov): where they do, the largest distance of the
// empirical one is above 1.95/√n once in a thousand seeds.
template <class T>
void check_distribution(const Tensor<T>& x, const std::function<double(double)>& distribution) {
  std::vector<double> sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  const double n = static_cast<double>(sorted.size());
  double distance = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double wanted = distribution(sorted[i]), below = static_cast<double>(i) / n;
    distance = std::max({distance, wanted - below, below + 1 / n - wanted});
  }
  BOOST_TEST(distance < 1.95 / std::sqrt(n));
}

// Φ, the standard normal distribution.
double phi(double x) { return std::erfc(-x / std::sqrt(2)) / 2; }

// Uniform in ±bound: the moments, and the bound is nearly reached but not passed.
template <class T>
void check_uniform(const Tensor<T>& x, double bound) {
  check_moments(x, bound * bound / 3, 9.0 / 5);
  check_distribution(x, [&](double v) { return (v + bound) / (2 * bound); });
  double largest = 0;
  for (const T v : x) largest = std::max(largest, std::abs(double(v)));
  BOOST_TEST(largest <= bound * (1 + 1e-7));
  BOOST_TEST(largest > 0.99 * bound);
}

template <class T>
void check_normal(const Tensor<T>& x, double deviation) {
  check_moments(x, deviation * deviation, 3);
  check_distribution(x, [&](double v) { return phi(v / deviation); });
}

// Gate k of several side by side.
Tensor<double> block(const Tensor<double>& x, std::size_t gates, std::size_t k) {
  const std::size_t rows = x.shape(0), all = x.shape(1), width = all / gates;
  Tensor<double> out = rw::empty<double>({rows, width});
  for (std::size_t i = 0; i < rows; ++i) {
    std::copy_n(x.data() + i * all + k * width, width, out.data() + i * width);
  }
  return out;
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

// The fan-in of [I, O] is I, the fan-out O.
BOOST_AUTO_TEST_CASE(he) {
  Random random(9);
  check_uniform(rw::nn::he_uniform<double>({100, 300}, random), std::sqrt(6.0 / 100));
  check_uniform(rw::nn::he_uniform<float>({100, 300}, random, {.fan = Fan::out}), std::sqrt(6.0 / 300));
  check_uniform(rw::nn::he_uniform<double>({100, 300}, random, {.slope = 2}), std::sqrt(6.0 / 500));
  check_normal(rw::nn::he_normal<double>({100, 300}, random), std::sqrt(2.0 / 100));
  check_normal(rw::nn::he_normal<double>({100, 300}, random, {.fan = Fan::out, .slope = 0.5}),
               std::sqrt(2.0 / (1.25 * 300)));
  BOOST_TEST(rw::nn::he_normal<double>({0, 5}, random).size() == 0u);
}

BOOST_AUTO_TEST_CASE(lecun) {
  Random random(10);
  check_uniform(rw::nn::lecun_uniform<double>({150, 200}, random), std::sqrt(3.0 / 150));
  check_normal(rw::nn::lecun_normal<float>({150, 200}, random), std::sqrt(1.0 / 150));
}

// Of variance 1 − 4·φ(2)/(2Φ(2) − 1), φ the density, and the fourth moment that integration by parts gives.
BOOST_AUTO_TEST_CASE(truncated_normal) {
  Random random(11);
  constexpr double deviation = 0.5;
  const Tensor<double> x = rw::nn::truncated_normal<double>({300, 100}, deviation, random);
  const double inside = 2 * phi(2) - 1, density = std::exp(-2) / std::sqrt(2 * std::acos(-1.0));
  const double variance = 1 - 4 * density / inside, fourth = 3 * variance - 16 * density / inside;
  BOOST_TEST(std::abs(std::sqrt(variance) - 0.8796) < 5e-5);
  check_moments(x, deviation * deviation * variance, fourth / (variance * variance));
  check_distribution(x, [&](double v) { return (phi(v / deviation) - phi(-2)) / inside; });
  const double largest = std::max(*std::max_element(x.begin(), x.end()), -*std::min_element(x.begin(), x.end()));
  BOOST_TEST(largest <= 2 * deviation);
  BOOST_TEST(largest > 1.99 * deviation);
}

// What they are for: sums of many inputs have the variance that the papers promise.
BOOST_AUTO_TEST_CASE(variances_are_kept) {
  Random random(12);
  constexpr std::size_t n = 400, rows = 100;
  const Tensor<double> inputs = rw::nn::normal<double>({rows, n}, 1, random);
  const auto mean_square = [&](const Tensor<double>& weight, bool relu) {
    double all = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const double x = inputs.data()[r * n + i];
          sum += (relu ? std::max(x, 0.0) : x) * weight.data()[i * n + j];
        }
        all += sum * sum / (rows * n);
      }
    }
    return all;
  };
  // Squared standard errors: of the inputs' squares; of the weights, which all rows share; of the inputs' mean 1/√(2π)
  // after relu, which all rows share too.
  const double both = 2.0 / (rows * n) + 2.0 / (rows * n) + 2.0 / (n * n), limit = 4 * std::sqrt(both);
  const double relu_limit = 4 * std::sqrt(both + 3.0 / (rows * n) + 2 / (std::pow(std::acos(-1.0), 2) * n));
  BOOST_TEST(std::abs(mean_square(rw::nn::lecun_normal<double>({n, n}, random), false) - 1) < limit);
  BOOST_TEST(std::abs(mean_square(rw::nn::glorot_uniform<double>({n, n}, random), false) - 1) < limit);
  BOOST_TEST(std::abs(mean_square(rw::nn::he_normal<double>({n, n}, random), true) - 1) < relu_limit);
  BOOST_TEST(std::abs(mean_square(rw::nn::orthogonal<double>({n, n}, random), false) - 1) < limit);
}

BOOST_AUTO_TEST_CASE(identity) {
  BOOST_TEST(bool(rw::nn::identity<double>({2, 2}) == rw::tensor<double>({2, 2}, {1, 0, 0, 1})));
  BOOST_TEST(bool(rw::nn::identity<float>({2, 3}, 0.5) == rw::tensor<float>({2, 3}, {0.5, 0, 0, 0, 0.5, 0})));
  BOOST_TEST(bool(rw::nn::identity<double>({3, 1}, -2) == rw::tensor<double>({3, 1}, {-2, 0, 0})));
  BOOST_TEST(rw::nn::identity<double>({0, 3}).size() == 0u);
}

// Each column has its number of elements, each row by chance its share of them: the number of columns that chose it is
// binomial. The elements are normal.
BOOST_AUTO_TEST_CASE(sparse_normal) {
  Random random(13);
  constexpr std::size_t rows = 50, columns = 2000, connections = 15;
  const Tensor<double> w = rw::nn::sparse_normal<double>({rows, columns}, random, {.deviation = 0.3});
  std::vector<double> chosen;
  std::vector<std::size_t> of_row(rows, 0);
  for (std::size_t j = 0; j < columns; ++j) {
    std::size_t of_column = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const double x = w.data()[i * columns + j];
      if (x == 0) continue;
      chosen.push_back(x);
      ++of_row[i];
      ++of_column;
    }
    BOOST_REQUIRE(of_column == connections);
  }
  const double share = double(connections) / rows, error = std::sqrt(columns * share * (1 - share));
  for (const std::size_t n : of_row) BOOST_TEST(std::abs(double(n) - columns * share) < 4 * error);
  Tensor<double> elements = rw::empty<double>({chosen.size()});
  std::copy(chosen.begin(), chosen.end(), elements.data());
  check_normal(elements, 0.3);

  const Tensor<float> all = rw::nn::sparse_normal<float>({4, 9}, random);  // where there are no more than 15
  BOOST_TEST(std::count(all.begin(), all.end(), 0.0f) == 0);
  double drawn = 0;
  const Tensor<double> few = rw::nn::sparse_columns<double>(
      {6, 3}, 2, [&] { return ++drawn; }, random);
  BOOST_TEST(drawn == 6);
  for (std::size_t j = 0; j < 3; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 6; ++i) sum += few.data()[i * 3 + j];
    BOOST_TEST(sum == 4 * j + 3);  // 1 + 2, 3 + 4, 5 + 6
  }
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
  Random again(15), twice(15);
  const Tensor<double> one = rw::nn::orthogonal<double>({4, 6}, again);
  const Tensor<double> two = rw::nn::orthogonal<double>({4, 6}, twice, 2);
  for (std::size_t i = 0; i < one.size(); ++i) BOOST_TEST(two.data()[i] == 2 * one.data()[i]);
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
  // So is any other fan: the fan-out of [100, 4·75] in blocks is 75, of the same shape as it is 300.
  const auto he = [&](const Shape& shape) { return rw::nn::he_normal<double>(shape, random, {.fan = Fan::out}); };
  check_normal(rw::nn::blocks<double>({100, 300}, 4, he), std::sqrt(2.0 / 75));
  check_normal(he({100, 300}), std::sqrt(2.0 / 300));
}

// W and U of gated cells, gate by gate, and their biases; others are assigned.
BOOST_AUTO_TEST_CASE(cells_begin_as_they_say) {
  Random random(14);
  rw::nn::Lstm<double> lstm({.input = 120, .hidden = 90}, random);
  rw::nn::Gru<double> gru({.input = 120, .hidden = 90}, random);
  for (std::size_t k = 0; k < 4; ++k) {
    check_uniform(block(lstm.weight_ih.value(), 4, k), std::sqrt(6.0 / 210));
    BOOST_TEST(distance_from_orthogonal(block(lstm.weight_hh.value(), 4, k)) < 1e-12);
  }
  for (std::size_t k = 0; k < 3; ++k) {
    check_uniform(block(gru.weight_ih.value(), 3, k), std::sqrt(6.0 / 210));
    BOOST_TEST(distance_from_orthogonal(block(gru.weight_hh.value(), 3, k)) < 1e-12);
  }
  BOOST_TEST(bool(lstm.bias->value() == rw::nn::bias_blocks<double>(90, {0, 1, 0, 0})));
  BOOST_TEST(bool(gru.bias->value() == rw::zeros<double>({270})));

  const auto scaled = [](const Shape& one) { return rw::nn::identity<double>(one, 0.01); };
  lstm.weight_hh.assign(rw::nn::blocks<double>(lstm.weight_hh.shape(), 4, scaled));
  for (std::size_t k = 0; k < 4; ++k) {
    BOOST_TEST(bool(block(lstm.weight_hh.value(), 4, k) == rw::nn::identity<double>({90, 90}, 0.01)));
  }
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
  const std::string slope = "he_uniform: expected a finite slope; got nan";
  BOOST_CHECK_EXCEPTION(rw::nn::he_uniform<double>({4, 4}, random, {.slope = std::nan("")}), std::invalid_argument,
                        says(slope));
  BOOST_CHECK_EXCEPTION(rw::nn::he_normal<float>({4}, random), std::invalid_argument,
                        says("he_normal: expected 2 axes; got x [4]"));
  BOOST_CHECK_EXCEPTION(rw::nn::lecun_uniform<float>({}, random), std::invalid_argument,
                        says("lecun_uniform: expected 2 axes; got x []"));
  BOOST_CHECK_EXCEPTION(rw::nn::lecun_normal<float>({4}, random), std::invalid_argument,
                        says("lecun_normal: expected 2 axes; got x [4]"));
  BOOST_CHECK_EXCEPTION(rw::nn::identity<float>({4}), std::invalid_argument,
                        says("identity: expected 2 axes; got x [4]"));
  BOOST_CHECK_EXCEPTION(rw::nn::sparse_normal<float>({4}, random), std::invalid_argument,
                        says("sparse_normal: expected 2 axes; got x [4]"));
  BOOST_CHECK_EXCEPTION(rw::nn::sparse_normal<float>({4, 4}, random, {.connections = 0}), std::invalid_argument,
                        says("sparse_normal: expected at least one connection; got 0"));
  BOOST_TEST(bool(random == Random(7)));  // nothing was drawn
}

BOOST_AUTO_TEST_SUITE_END()
