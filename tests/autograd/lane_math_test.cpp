#include "autograd/lane_math.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

using namespace rw;

struct Tanh {
  template <class Batch>
  static Batch on(const Batch& x) {
    return fast_tanh(x);
  }
  static long double exact(long double x) { return std::tanh(x); }
  static constexpr double steepness = 2;  // results turn where steepness·x is a multiple of (ln 2) / 2
};

struct Sigmoid {
  template <class Batch>
  static Batch on(const Batch& x) {
    return fast_sigmoid(x);
  }
  static long double exact(long double x) { return 1 / (1 + std::exp(-x)); }
  static constexpr double steepness = 1;
};

/// f of every number in xs.
template <class F, class Batch, class T = typename Batch::value_type>
std::vector<T> apply(std::vector<T> xs) {
  const std::size_t n = xs.size();
  xs.resize((n + Batch::size - 1) / Batch::size * Batch::size);
  for (std::size_t i = 0; i < n; i += Batch::size) F::on(Batch::load_unaligned(&xs[i])).store_unaligned(&xs[i]);
  xs.resize(n);
  return xs;
}

/// |y - exact| in units of the spacing of T at the exact value.
template <class T>
double ulps(T y, long double exact) {
  const int exponent = std::max(std::ilogb(exact), std::numeric_limits<T>::min_exponent - 1);
  return std::abs(double(std::scalbn(y - exact, std::numeric_limits<T>::digits - 1 - exponent)));
}

/// The worst error of ys = f(xs) in ulps; infinity where a result is NaN.
template <class F, class T>
double worst_error(const std::vector<T>& xs, const std::vector<T>& ys) {
  double worst = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (std::isnan(ys[i])) return std::numeric_limits<double>::infinity();
    if (xs[i] != 0) worst = std::max(worst, ulps(ys[i], F::exact(xs[i])));
  }
  return worst;
}

/// The number-th float in ascending order, counted from zero.
float nth_float(std::int64_t number) {
  const float magnitude = std::bit_cast<float>(static_cast<std::uint32_t>(std::abs(number)));
  return number < 0 ? -magnitude : magnitude;
}

std::int64_t number_of(float x) {
  const std::int64_t magnitude = std::bit_cast<std::uint32_t>(std::abs(x));
  return x < 0 ? -magnitude : magnitude;
}

constexpr std::int64_t finite_floats = 0x7f7fffff;  // the number of the largest one

template <class F, class B>
struct On {
  using Function = F;
  using Batch = B;
};

/// Both functions on the widest batch of the machine and on narrower ones.
using Floats = boost::mpl::list<
#if XSIMD_WITH_SSE2 && XSIMD_WITH_AVX
    On<Tanh, xsimd::batch<float, xsimd::sse2>>, On<Sigmoid, xsimd::batch<float, xsimd::sse2>>,
#endif
#if XSIMD_WITH_AVX2 && XSIMD_WITH_AVX512F
    On<Tanh, xsimd::batch<float, xsimd::avx2>>, On<Sigmoid, xsimd::batch<float, xsimd::avx2>>,
#endif
    On<Tanh, xsimd::batch<float>>, On<Sigmoid, xsimd::batch<float>>>;

using Doubles = boost::mpl::list<On<Tanh, xsimd::batch<double>>, On<Sigmoid, xsimd::batch<double>>>;

template <class Batch>
void check_special_values() {
  using T = typename Batch::value_type;
  const T infinity = std::numeric_limits<T>::infinity(), largest = std::numeric_limits<T>::max();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> xs = {0, -T(0), infinity, -infinity, largest, -largest};
  const std::vector<T> tanhs = apply<Tanh, Batch>(xs), sigmoids = apply<Sigmoid, Batch>(xs);
  const std::vector<T> expected_tanhs = {0, -T(0), 1, -1, 1, -1}, expected_sigmoids = {0.5, 0.5, 1, 0, 1, 0};
  BOOST_TEST(tanhs == expected_tanhs, boost::test_tools::per_element());
  BOOST_TEST(!std::signbit(tanhs[0]));
  BOOST_TEST(std::signbit(tanhs[1]));
  BOOST_TEST(sigmoids == expected_sigmoids, boost::test_tools::per_element());
  for (const T y : apply<Tanh, Batch>({nan, -nan})) BOOST_TEST(std::isnan(y));
  for (const T y : apply<Sigmoid, Batch>({nan, -nan})) BOOST_TEST(std::isnan(y));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lane_math)

BOOST_AUTO_TEST_CASE_TEMPLATE(floats_of_all_sizes_are_right_and_ordered, Case, Floats) {
  using F = typename Case::Function;
  std::vector<float> xs;
  for (std::int64_t k = -finite_floats; k <= finite_floats; k += 49999) xs.push_back(nth_float(k));
  for (float x = -110; x < 20; x += 0.0007f) xs.push_back(x);
  std::sort(xs.begin(), xs.end());
  const std::vector<float> ys = apply<F, typename Case::Batch>(xs);
  BOOST_TEST((worst_error<F>(xs, ys)) <= 2.04);
  BOOST_TEST(std::is_sorted(ys.begin(), ys.end()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(neighbouring_floats_are_right_and_ordered, Case, Floats) {
  using F = typename Case::Function;
  std::vector<float> centres = {0};
  for (int k = -302; k <= 80; ++k) centres.push_back(float(k * 0.34657359027997264 / F::steepness));
  for (int k = -100; k <= 100; ++k) centres.push_back(0.0437f * k);
  double worst = 0;
  for (const float centre : centres) {
    std::vector<float> xs;
    for (int k = -64; k <= 64; ++k) xs.push_back(nth_float(number_of(centre) + k));
    const std::vector<float> ys = apply<F, typename Case::Batch>(xs);
    worst = std::max(worst, worst_error<F>(xs, ys));
    BOOST_TEST(std::is_sorted(ys.begin(), ys.end()), "falls near x = " << centre);
  }
  BOOST_TEST(worst <= 2.04);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(special_floats, Case, Floats) { check_special_values<typename Case::Batch>(); }

BOOST_AUTO_TEST_CASE(special_doubles) { check_special_values<xsimd::batch<double>>(); }

BOOST_AUTO_TEST_CASE_TEMPLATE(doubles_are_right, Case, Doubles) {
  using F = typename Case::Function;
  std::vector<double> xs;
  for (double x = 1e-300; x < 1; x *= 7) xs.insert(xs.end(), {x, -x});
  for (double x = -700; x < 40; x += 0.0137) xs.push_back(x);
  BOOST_TEST((worst_error<F>(xs, apply<F, typename Case::Batch>(xs))) <= 4);
}

BOOST_AUTO_TEST_CASE(tanh_is_odd) {
  std::vector<float> xs, opposite;
  for (int k = 0; k <= 1000; ++k) {
    xs.push_back(0.01f * k);
    opposite.push_back(-0.01f * k);
  }
  const std::vector<float> ys = apply<Tanh, xsimd::batch<float>>(xs);
  std::vector<float> opposite_ys = apply<Tanh, xsimd::batch<float>>(opposite);
  for (float& y : opposite_ys) y = -y;
  BOOST_TEST(ys == opposite_ys, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
