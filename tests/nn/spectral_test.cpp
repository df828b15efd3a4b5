#include "nn/spectral.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/errors.hpp"

BOOST_AUTO_TEST_SUITE(spectral)

using rw::Random;
using rw::Tensor;
using rw::tensor;
using rw::nn::scaled_to_radius;
using rw::nn::sparse;
using rw::nn::spectral_radius;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

// Triangular: the diagonal. A turn by any angle: its length, from complex eigenvalues. Not symmetric: the positive root
// of λ² − λ − 6. A cyclic shift by roots of unity. A shift without a cycle: none but 0.
BOOST_AUTO_TEST_CASE(radius_of_matrices_with_known_eigenvalues) {
  BOOST_TEST(std::abs(spectral_radius(tensor<double>({2, 2}, {0.5, 7, 0, -3})) - 3) < 1e-14);
  const double c = 0.8 * std::cos(0.3), s = 0.8 * std::sin(0.3);
  BOOST_TEST(std::abs(spectral_radius(tensor<double>({2, 2}, {c, -s, s, c})) - 0.8) < 1e-14);
  BOOST_TEST(std::abs(spectral_radius(tensor<double>({2, 2}, {0, 2, 3, 1})) - 3) < 1e-14);
  BOOST_TEST(std::abs(spectral_radius(tensor<float>({3, 3}, {0, 2, 0, 0, 0, 2, 2, 0, 0})) - 2) < 1e-6);
  BOOST_TEST(spectral_radius(tensor<double>({2, 2}, {0, 1, 0, 0})) == 0);
  BOOST_TEST(spectral_radius(tensor<double>({1, 1}, {-4})) == 4);
}

BOOST_AUTO_TEST_CASE(sparse_has_its_radius_and_connectivity) {
  Random random(1);
  for (const double connectivity : {0.05, 0.3, 1.0}) {
    const Tensor<double> w = sparse<double>({60, 60}, connectivity, 0.7, random);
    BOOST_TEST(std::abs(spectral_radius(w) - 0.7) < 1e-12);
    double sum = 0, largest = 0;
    for (std::size_t j = 0; j < 60; ++j) {
      std::size_t heard = 0;
      for (std::size_t i = 0; i < 60; ++i) {
        const double element = w.data()[i * 60 + j];
        heard += element != 0;
        sum += element;
        largest = std::max(largest, std::abs(element));
      }
      BOOST_TEST(heard == std::size_t(std::round(60 * connectivity)));
    }
    const double n = 3600 * connectivity;
    BOOST_TEST(std::abs(sum) < 4 * largest * std::sqrt(n / 3));  // no sign is preferred
  }
  // Each unit hears one, however few that is of all: so there is a loop, and a radius to scale.
  BOOST_TEST(std::abs(spectral_radius(sparse<double>({1, 1}, 0.01, 0.5, random)) - 0.5) < 1e-15);
  BOOST_TEST(std::abs(spectral_radius(sparse<float>({7, 7}, 0.01, 2, random)) - 2) < 1e-5);
  BOOST_TEST(bool(sparse<double>({9, 9}, 0.5, 0, random) == rw::zeros<double>({9, 9})));
}

BOOST_AUTO_TEST_CASE(float_and_double_agree) {
  Random a(2), b(2);
  const Tensor<double> x = sparse<double>({8, 8}, 0.4, 0.9, a);
  const Tensor<float> y = sparse<float>({8, 8}, 0.4, 0.9, b);
  for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(float(x.data()[i]) == y.data()[i]);
}

BOOST_AUTO_TEST_CASE(scaled) {
  const Tensor<double> w = scaled_to_radius(tensor<double>({2, 2}, {2, 5, 0, 1}), 0.5);
  BOOST_TEST(bool(w == tensor<double>({2, 2}, {0.5, 1.25, 0, 0.25})));
}

BOOST_AUTO_TEST_CASE(bad_arguments) {
  Random random(3);
  const auto bad = [](const auto& call, const std::string& text) {
    BOOST_TEST(message<std::invalid_argument>(call) == text);
  };
  bad([] { spectral_radius(rw::zeros<double>({2, 3})); }, "spectral_radius: expected a square matrix; got [2, 3]");
  bad([] { spectral_radius(rw::zeros<double>({4})); }, "spectral_radius: expected a square matrix; got [4]");
  bad([] { spectral_radius(rw::zeros<double>({0, 0})); }, "spectral_radius: expected a square matrix; got [0, 0]");
  bad(
      [] {
        spectral_radius(tensor<double>({2, 2}, {1, 2, nan, 3}));
      },
      "spectral_radius: expected finite elements; got nan");
  bad(
      [] {
        spectral_radius(tensor<float>({1, 1}, {float(infinity)}));
      },
      "spectral_radius: expected finite elements; got inf");
  bad(
      [] {
        scaled_to_radius(rw::zeros<double>({3, 3}), 0.9);
      },
      "scaled_to_radius: expected a matrix of a spectral radius above 0; got 0");
  bad(
      [] {
        scaled_to_radius(tensor<double>({2, 2}, {0, 1, 0, 0}), 0.9);
      },
      "scaled_to_radius: expected a matrix of a spectral radius above 0; got 0");
  bad(
      [] {
        scaled_to_radius(tensor<double>({1, 1}, {nan}), 0.9);
      },
      "scaled_to_radius: expected finite elements; got nan");
  bad(
      [] {
        scaled_to_radius(tensor<double>({1, 1}, {1}), -1);
      },
      "scaled_to_radius: expected a finite radius of at least 0; got -1");
  bad([&] { sparse<double>({3, 4}, 0.5, 0.9, random); }, "sparse: expected a square matrix; got [3, 4]");
  bad([&] { sparse<double>({3, 3}, 0, 0.9, random); }, "sparse: expected a connectivity in (0, 1]; got 0");
  bad([&] { sparse<double>({3, 3}, nan, 0.9, random); }, "sparse: expected a connectivity in (0, 1]; got nan");
  bad(
      [&] {
        sparse<double>({3, 3}, 0.5, infinity, random);
      },
      "sparse: expected a finite radius of at least 0; got inf");
  BOOST_TEST(bool(random == Random(3)));  // nothing was drawn
}

BOOST_AUTO_TEST_SUITE_END()
