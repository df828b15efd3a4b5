#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/softmax.hpp"

// What the ops promise where differences tell nothing: at kinks, ties, zeros and infinities.

BOOST_AUTO_TEST_SUITE(kinks)

using namespace rw;
using V = Variable<double>;

namespace {

constexpr double infinity = INFINITY;

// Σ y's derivative by x, element by element.
template <class F>
std::vector<double> derivative(const F& f, const Tensor<double>& at) {
  Tape<double> tape;
  const V x = tape.watch(at), y = f(x);
  const V dx = tape.backward(y, {.seed = full<double>(y.shape(), 1)})[x];
  return {dx.value().begin(), dx.value().end()};
}

template <class F>
double derivative(const F& f, double at) {
  return derivative(f, scalar(at))[0];
}

void check(const std::vector<double>& got, const std::vector<double>& want) {
  BOOST_TEST(got == want, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(at_zero) {
  BOOST_TEST(derivative([](const V& x) { return relu(x); }, 0.0) == 0);
  BOOST_TEST(derivative([](const V& x) { return abs(x); }, 0.0) == 0);
  BOOST_TEST(derivative([](const V& x) { return leaky_relu(x, 0.25); }, 0.0) == 0.25);
  BOOST_TEST(derivative([](const V& x) { return pow(x, 0); }, 0.0) == 0);
  BOOST_TEST(derivative([](const V& x) { return pow(x, 2); }, 0.0) == 0);
  BOOST_TEST(derivative([](const V& x) { return pow(0, x); }, 2.0) == 0);
  check(derivative([](const V& x) { return norm(x); }, zeros<double>({3})), {0, 0, 0});
}

BOOST_AUTO_TEST_CASE(ties_share_the_gradient) {
  const V one = scalar(1.0);
  BOOST_TEST(derivative([&](const V& x) { return maximum(x, one); }, 1.0) == 0.5);
  BOOST_TEST(derivative([&](const V& x) { return maximum(one, x); }, 1.0) == 0.5);
  BOOST_TEST(derivative([&](const V& x) { return minimum(x, one); }, 1.0) == 0.5);
  const Tensor<double> tied = tensor<double>({4}, {1, 3, 3, 0});
  check(derivative([](const V& x) { return max(x); }, tied), {0, 0.5, 0.5, 0});
  check(derivative([](const V& x) { return min(-x); }, tied), {0, -0.5, -0.5, 0});
}

BOOST_AUTO_TEST_CASE(clip_passes_at_its_bounds) {
  check(derivative([](const V& x) { return clip(x, -1, 1); }, tensor<double>({5}, {-1.5, -1, 0, 1, 1.5})),
        {0, 1, 1, 1, 0});
}

BOOST_AUTO_TEST_CASE(no_gradient_to_a_condition) {
  Tape<double> tape;
  const V c = tape.watch(tensor<double>({2}, {0, 2})), a = tape.watch(tensor<double>({2}, {3, 4}));
  const auto g = tape.backward(sum(where(c, a, 5 * a)));
  BOOST_TEST(g[c].value()(0) == 0);
  BOOST_TEST(g[c].value()(1) == 0);
  BOOST_TEST(g[a].value()(0) == 5);
  BOOST_TEST(g[a].value()(1) == 1);
}

BOOST_AUTO_TEST_CASE(infinities) {
  BOOST_TEST(logsumexp(V(full<double>({3}, -infinity))).item() == -infinity);
  check(derivative([](const V& x) { return logsumexp(x); }, full<double>({2}, -infinity)), {0, 0});
  check(derivative([](const V& x) { return logsumexp(x); }, tensor<double>({2}, {-infinity, 1})), {0, 1});
  check(derivative([](const V& x) { return softmax(x); }, full<double>({2}, -infinity)), {0, 0});
  BOOST_TEST(logsumexp(V(zeros<double>({0}))).item() == -infinity);
  BOOST_TEST(std::isnan(max(V(tensor<double>({3}, {1, NAN, 2}))).item()));
  BOOST_TEST(std::isnan(sign(V(scalar(double(NAN)))).item()));
}

BOOST_AUTO_TEST_CASE(masked_lines) {
  const V mask = tensor<double>({2, 3}, {1, 0, 1, 0, 0, 0});
  const Tensor<double> x = tensor<double>({2, 3}, {1, 1000, 1, 2, 3, 4});
  const V y = softmax(V(x), mask), log_y = log_softmax(V(x), mask);
  for (std::size_t j = 0; j < 3; ++j) {
    BOOST_TEST(y.value()(1, j) == 0);
    BOOST_TEST(log_y.value()(1, j) == std::numeric_limits<double>::lowest());
  }
  BOOST_TEST(y.value()(0, 0) == 0.5);
  BOOST_TEST(y.value()(0, 1) == 0);
  check(derivative([&](const V& x) { return softmax(x, mask) * mask; }, x), {0, 0, 0, 0, 0, 0});
  // A gradient that arrives where the mask is 0 goes nowhere.
  check(derivative([&](const V& x) { return log_softmax(x, mask) * (1 - mask); }, x), {0, 0, 0, 0, 0, 0});
}

BOOST_AUTO_TEST_SUITE_END()
