#include "autograd/functional.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/ops/join.hpp"
#include "autograd/ops/reduce.hpp"

BOOST_AUTO_TEST_SUITE(functional)

using namespace rw;
using Types = boost::mpl::list<float, double>;

namespace {

// f(x) = (x₀·x₁², sin x₂ + x₀): J = ((x₁², 2x₀x₁, 0), (1, 0, cos x₂)).
const auto f = [](const auto& x) {
  const auto e = unstack(x);
  return stack({e[0] * square(e[1]), sin(e[2]) + e[0]});
};

// g(x) = Σ xᵢ³ + x₀·x₁: H = diag(6x) + 1 at (0, 1) and (1, 0).
const auto g = [](const auto& x) {
  const auto e = unstack(x);
  return sum(x * square(x)) + e[0] * e[1];
};

template <class T>
Tensor<T> at() {
  return tensor<T>({3}, {T(0.5), T(-1.25), T(2)});
}

template <class T>
Tensor<T> direction() {
  return tensor<T>({3}, {1, -2, T(0.5)});
}

template <class T>
void check_close(const Tensor<T>& got, const Shape& shape, const std::vector<double>& want) {
  BOOST_REQUIRE(got.shape() == shape);
  for (std::size_t i = 0; i < want.size(); ++i) {
    BOOST_TEST(std::abs(double(got.data()[i]) - want[i]) < (sizeof(T) == 4 ? 1e-5 : 1e-13));
  }
}

template <class F>
void check_error(const F& call, const std::string& text) {
  BOOST_CHECK_EXCEPTION(call(), std::invalid_argument, [&](const std::invalid_argument& e) {
    BOOST_TEST(e.what() == text);
    return true;
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(jacobians, T, Types) {
  check_close(jacobian(f, at<T>()), {2, 3}, {1.5625, -1.25, 0, 1, 0, std::cos(2.0)});
  check_close(vjp(f, at<T>(), tensor<T>({2}, {3, T(-0.25)})), {3}, {4.4375, -3.75, -0.25 * std::cos(2.0)});
  check_close(jvp(f, at<T>(), direction<T>()), {2}, {4.0625, 1 + 0.5 * std::cos(2.0)});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(hessians, T, Types) {
  check_close(hessian(g, at<T>()), {3, 3}, {3, 1, 0, 1, -7.5, 0, 0, 0, 12});
  check_close(hvp(g, at<T>(), direction<T>()), {3}, {1, 16, 6});
}

BOOST_AUTO_TEST_CASE(shapes_of_matrices) {
  const auto square_sum = [](const auto& x) { return sum(square(x), {{0}}); };  // [2, 3] -> [3]
  const Tensor<double> x = tensor<double>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor<double> j = jacobian(square_sum, x);
  BOOST_REQUIRE((j.shape() == Shape{3, 2, 3}));
  BOOST_TEST(j(1, 1, 1) == 10);
  BOOST_TEST(j(1, 1, 2) == 0);
  const auto cubes = [](const auto& y) { return sum(y * square(y)); };
  const Tensor<double> h = hessian(cubes, x);
  BOOST_REQUIRE((h.shape() == Shape{2, 3, 2, 3}));
  BOOST_TEST(h(1, 2, 1, 2) == 36);
  BOOST_TEST(h(1, 2, 0, 2) == 0);
}

BOOST_AUTO_TEST_CASE(what_does_not_depend_on_x) {
  const Variable<double> c = full<double>({2}, 3);
  const auto constant = [&](const auto&) { return c; };
  const auto linear = [&](const auto& x) { return sum(2 * x); };
  check_close(jacobian(constant, at<double>()), {2, 3}, {0, 0, 0, 0, 0, 0});
  check_close(jvp(constant, at<double>(), direction<double>()), {2}, {0, 0});
  check_close(hvp(linear, at<double>(), direction<double>()), {3}, {0, 0, 0});
  check_close(hessian(linear, scalar(1.0)), {}, {0});
}

BOOST_AUTO_TEST_CASE(a_tape_outside_sees_nothing) {
  Tape<double> tape;
  const Variable<double> c = tape.watch(scalar(2.0));
  const auto scaled = [&](const auto& x) { return sum(c * square(x)); };
  check_close(hvp(scaled, at<double>(), direction<double>()), {3}, {4, -8, 2});
  BOOST_TEST(tape.size() == 0u);
}

BOOST_AUTO_TEST_CASE(wrong_shapes) {
  check_error([] { jvp(f, at<double>(), scalar(1.0)); }, "jvp: expected equal shapes; got a [3], b []");
  check_error([] { hvp(g, at<double>(), scalar(1.0)); }, "hvp: expected equal shapes; got a [3], b []");
  check_error([] { vjp(f, at<double>(), scalar(1.0)); },
              "backward: expected a seed of the result's shape; got y [2], seed []");
  check_error([] { hessian(f, at<double>()); }, "backward: expected one element, or a seed; got y [2]");
}

BOOST_AUTO_TEST_SUITE_END()
