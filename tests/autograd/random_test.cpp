#include "autograd/random.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>

BOOST_AUTO_TEST_SUITE(random_numbers)

using rw::Random;

// The standard fixes the 10,000th number of std::mt19937_64 with its default seed.
BOOST_AUTO_TEST_CASE(bits_are_those_of_the_standard_engine) {
  Random random(5489);
  for (int i = 1; i < 10000; ++i) random.bits();
  BOOST_TEST(random.bits() == 9981545732273789042ull);
}

BOOST_AUTO_TEST_CASE(a_seed_fixes_the_numbers) {
  Random a(7), b(7), c(8);
  BOOST_TEST(bool(a == b));
  BOOST_TEST(!bool(a == c));
  for (int i = 0; i < 100; ++i) BOOST_TEST(a.uniform() == b.uniform());
  BOOST_TEST(bool(a == b));
  a.bits();
  BOOST_TEST(!bool(a == b));
}

BOOST_AUTO_TEST_CASE(uniform_numbers) {
  Random random(1);
  constexpr int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.uniform();
    BOOST_REQUIRE(x >= 0);
    BOOST_REQUIRE(x < 1);
    sum += x;
    squares += x * x;
  }
  BOOST_TEST(std::abs(sum / n - 1.0 / 2) < 4 * std::sqrt(1.0 / 12 / n));
  BOOST_TEST(std::abs(squares / n - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / n));
  for (int i = 0; i < 1000; ++i) {
    const double x = random.uniform(-3, 5);
    BOOST_REQUIRE(x >= -3);
    BOOST_REQUIRE(x < 5);
  }
}

BOOST_AUTO_TEST_CASE(normal_numbers) {
  Random random(2);
  constexpr int n = 100000;
  std::array<double, 5> moment{};
  int beyond = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    BOOST_REQUIRE(std::isfinite(x));
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(x, k) / n;
    beyond += std::abs(x) > 1.959963984540054;
  }
  BOOST_TEST(std::abs(moment[1]) < 4 * std::sqrt(1.0 / n));
  BOOST_TEST(std::abs(moment[2] - 1) < 4 * std::sqrt(2.0 / n));
  BOOST_TEST(std::abs(moment[3]) < 4 * std::sqrt(15.0 / n));
  BOOST_TEST(std::abs(moment[4] - 3) < 4 * std::sqrt(96.0 / n));
  BOOST_TEST(std::abs(beyond - 0.05 * n) < 4 * std::sqrt(0.05 * 0.95 * n));
}

BOOST_AUTO_TEST_CASE(below_is_even) {
  Random random(3);
  constexpr int n = 60000;
  std::array<int, 6> count{};
  for (int i = 0; i < n; ++i) ++count.at(random.below(6));
  for (const int c : count) BOOST_TEST(std::abs(c - n / 6.0) < 4 * std::sqrt(n * 5.0 / 36));
  BOOST_TEST(random.below(1) == 0u);
  // Three quarters of 2⁶⁴: without rejection a third would fall below 2⁶².
  constexpr std::size_t big = std::size_t{3} << 62;
  int low = 0;
  for (int i = 0; i < 9000; ++i) low += random.below(big) < (std::size_t{1} << 62);
  BOOST_TEST(std::abs(low - 3000) < 4 * std::sqrt(9000 * 2.0 / 9));
  BOOST_CHECK_EXCEPTION(random.below(0), std::invalid_argument, [](const std::exception& e) {
    return std::string(e.what()) == "below: expected n of at least 1; got 0";
  });
}

BOOST_AUTO_TEST_CASE(shuffles_are_even) {
  Random random(4);
  constexpr int n = 24000;
  std::array<std::array<int, 4>, 4> at{};  // how often element i came to place j
  for (int i = 0; i < n; ++i) {
    std::vector<int> v{0, 1, 2, 3};
    random.shuffle(v);
    for (int j = 0; j < 4; ++j) ++at.at(v.at(j)).at(j);
  }
  for (const auto& row : at) {
    for (const int c : row) BOOST_TEST(std::abs(c - n / 4.0) < 4 * std::sqrt(n * 3.0 / 16));
  }
  std::vector<int> none;
  random.shuffle(none);
  BOOST_TEST(none.empty());
}

BOOST_AUTO_TEST_CASE(splits_are_apart) {
  Random a(5), b(5);
  Random first = a.split(), second = a.split();
  BOOST_TEST(!bool(first == second));
  b.split();
  b.split();
  first.bits();  // moves nothing in its source
  BOOST_TEST(bool(a == b));
}

BOOST_AUTO_TEST_CASE(a_stored_state_goes_on) {
  Random random(6);
  for (int i = 0; i < 1000; ++i) random.bits();
  Random again = Random::restored(random.state());
  BOOST_TEST(bool(again == random));
  for (int i = 0; i < 1000; ++i) BOOST_REQUIRE(again.normal() == random.normal());
}

BOOST_AUTO_TEST_CASE(other_text_is_no_state) {
  for (const std::string& text : {std::string(), std::string("1 2 3"), Random(1).state() + " x"}) {
    BOOST_CHECK_EXCEPTION(Random::restored(text), std::invalid_argument, [](const std::exception& e) {
      return std::string(e.what()).find("restored: expected a state of Random; got ") == 0;
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()
