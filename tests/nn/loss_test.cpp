#include "nn/loss.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/ops/softmax.hpp"
#include "tests/nn/loss_checks.hpp"

namespace {

using common::check_gradients;
using common::distance;
using common::equals;
using common::numbers;
using common::says;
using rw::Indices;
using rw::Tape;
using rw::Tensor;
using rw::nn::cross_entropy;
using rw::nn::cross_entropy_rows;
using rw::nn::cross_entropy_sum;
using rw::nn::CrossEntropyOptions;
using V = rw::Variable<double>;

constexpr std::int64_t ignored = -7;

Indices indices(const rw::Shape& shape, std::initializer_list<std::int64_t> values) {
  return rw::tensor<std::int64_t>(shape, values);
}

/// −Σ q·log p of a row by its definition, in long double.
double row_loss(const double* x, std::size_t v, std::int64_t target, double smoothing) {
  long double largest = x[0], total = 0, loss = 0;
  for (std::size_t i = 0; i < v; ++i) largest = std::max(largest, static_cast<long double>(x[i]));
  for (std::size_t i = 0; i < v; ++i) total += std::exp(x[i] - largest);
  for (std::size_t i = 0; i < v; ++i) {
    const double q = (static_cast<std::int64_t>(i) == target ? 1 - smoothing : 0) + smoothing / double(v);
    loss -= q * (x[i] - largest - std::log(total));
  }
  return static_cast<double>(loss);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loss)

// Widths around the SIMD groups.
BOOST_AUTO_TEST_CASE(rows_equal_a_scalar_loop) {
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    for (const std::size_t v : {1, 2, 3, 7, 8, 9, 16, 33}) {
      const Tensor<double> logits = numbers({2, 3, v}, v);
      const auto n = static_cast<std::int64_t>(v);
      const Indices targets = indices({2, 3}, {0, n - 1, ignored, n / 2, n / 3, ignored});
      const V rows = cross_entropy_rows(V(logits), targets, {.ignore = ignored, .smoothing = smoothing});
      BOOST_TEST(bool(rows.shape() == rw::Shape{2, 3}));
      for (std::size_t i = 0; i < 6; ++i) {
        const std::int64_t target = targets.data()[i];
        const double expected = target == ignored ? 0 : row_loss(logits.data() + i * v, v, target, smoothing);
        BOOST_TEST(std::abs(rows.value().data()[i] - expected) < 1e-12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sum_and_mean_are_of_the_targets_that_count) {
  const V logits = numbers({4, 3});
  const Indices targets = indices({4}, {2, ignored, 0, 1});
  const CrossEntropyOptions options{.ignore = ignored};
  const V rows = cross_entropy_rows(logits, targets, options);
  const double total = sum(rows).item();
  BOOST_TEST(rw::nn::counted_targets(targets, options) == 3u);
  BOOST_TEST(rw::nn::counted_targets(targets, {}) == 4u);
  BOOST_TEST(std::abs(cross_entropy_sum(logits, targets, options).item() - total) < 1e-15);
  BOOST_TEST(std::abs(cross_entropy(logits, targets, options).item() - total / 3) < 1e-15);
}

BOOST_AUTO_TEST_CASE(gradients_are_right) {
  const Indices targets = indices({2, 2}, {4, ignored, 0, 2});
  for (const double smoothing : {0.0, 0.2}) {
    const CrossEntropyOptions options{.ignore = ignored, .smoothing = smoothing};
    const auto report = rw::check_gradients("cross_entropy",
                                            [&](const std::vector<V>& x) {
                                              return std::vector<V>{cross_entropy_rows(x[0], targets, options),
                                                                    cross_entropy_sum(x[0], targets, options),
                                                                    cross_entropy(x[0], targets, options)};
                                            },
                                            {numbers({2, 2, 5})});
    BOOST_TEST(report.ok, report.message);
  }
}

// The kernel against the formula that a recorded pass uses.
BOOST_AUTO_TEST_CASE(recorded_gradient_equals_the_kernel) {
  const Indices targets = indices({3}, {10, ignored, 3});
  Tape<double> tape;
  const V x = tape.watch(numbers({3, 19}));
  const V y = common::weighed(cross_entropy_rows(x, targets, {.ignore = ignored, .smoothing = 0.1}), 2);
  BOOST_TEST(distance(tape.backward(y)[x], tape.backward(y, {.record = true})[x]) < 1e-15);
}

BOOST_AUTO_TEST_CASE(ignored_rows_receive_exactly_nothing) {
  Tape<double> tape;
  const V x = tape.watch(numbers({3, 4}));
  const auto g = tape.backward(cross_entropy(x, indices({3}, {1, ignored, 2}), {.ignore = ignored, .smoothing = 0.1}));
  for (std::size_t i = 0; i < 12; ++i) BOOST_TEST((g[x].value().data()[i] == 0) == (i / 4 == 1));
}

BOOST_AUTO_TEST_CASE(without_any_target_the_loss_is_zero) {
  for (const rw::Shape& shape : {rw::Shape{2, 4}, rw::Shape{0, 4}}) {
    Tape<double> tape;
    const V x = tape.watch(numbers(shape));
    const Indices targets = rw::full<std::int64_t>({shape[0]}, ignored);
    const V y = cross_entropy(x, targets, {.ignore = ignored, .smoothing = 0.1});
    BOOST_TEST(y.item() == 0);
    BOOST_TEST(distance(tape.backward(y)[x].value(), rw::zeros<double>(shape)) == 0);
  }
}

BOOST_AUTO_TEST_CASE(extreme_logits_stay_finite) {
  const auto check = [](auto zero) {
    using T = decltype(zero);
    const T big = T(1e4);
    const Tensor<T> logits = rw::tensor<T>({3, 3}, {big, -big, 0, big, -big, 0, -big, -big, -big});
    Tape<T> tape;
    const rw::Variable<T> x = tape.watch(logits);
    const auto rows = cross_entropy_rows(x, indices({3}, {0, 1, 2}));
    const auto& y = rows.value();
    BOOST_TEST(y.data()[0] == T(0));
    BOOST_TEST(y.data()[1] == T(2e4));
    BOOST_TEST(std::abs(y.data()[2] - std::log(T(3))) <= T(2e-3));  // what a float of 10⁴ leaves
    const auto g = tape.backward(sum(rows));
    const Tensor<T>& dx = g[x].value();
    const std::vector<double> expected = {0, 0, 0, 1, -1, 0, 1.0 / 3, 1.0 / 3, -2.0 / 3};
    for (std::size_t i = 0; i < expected.size(); ++i) BOOST_TEST(std::abs(double(dx.data()[i]) - expected[i]) < 1e-6);
  };
  check(0.0);
  check(0.0f);
}

BOOST_AUTO_TEST_CASE(nll_of_log_softmax_is_cross_entropy) {
  const V x = numbers({2, 3, 5});
  const Indices targets = indices({2, 3}, {0, 4, ignored, 2, 1, ignored});
  const auto ours = rw::nn::nll_rows(log_softmax(x), targets, {.ignore = ignored});
  BOOST_TEST(distance(ours, cross_entropy_rows(x, targets, {.ignore = ignored})) < 1e-14);
  BOOST_TEST(std::abs(rw::nn::nll(log_softmax(x), targets, {.ignore = ignored}).item() - sum(ours).item() / 4) < 1e-15);
  BOOST_TEST(rw::nn::nll(x, rw::full<std::int64_t>({2, 3}, ignored), {.ignore = ignored}).item() == 0);
  check_gradients("nll",
                  [&](const auto& x) { return rw::nn::nll_rows(log_softmax(x[0]), targets, {.ignore = ignored}); },
                  {numbers({2, 3, 5})});
  // A class that is impossible and not asked for does not matter.
  const V certain = rw::tensor<double>({1, 2}, {0, -INFINITY});
  Tape<double> tape;
  const V log_p = tape.watch(certain.value());
  const V y = rw::nn::nll(log_p, indices({1}, {0}));
  BOOST_TEST(y.item() == 0);
  BOOST_TEST(distance(tape.backward(y)[log_p].value(), rw::tensor<double>({1, 2}, {-1, 0})) == 0);
}

BOOST_AUTO_TEST_CASE(multiclass_hinge_equals_a_scalar_loop) {
  const Tensor<double> x = numbers({5, 4}, 3);
  const std::vector<std::int64_t> right{1, 3, ignored, 0, 2};
  const Indices targets = indices({5}, {1, 3, ignored, 0, 2});
  for (const double margin : {1.0, 0.3}) {
    const rw::nn::MulticlassHingeOptions options{.ignore = ignored, .margin = margin};
    const V rows = rw::nn::multiclass_hinge_rows(V(x), targets, options);
    equals(rows, {5}, [&](std::size_t n) {
      double loss = 0;
      for (std::int64_t j = 0; j < 4 && right[n] != ignored; ++j) {
        if (j != right[n]) loss += std::max(0.0, margin + x(n, j) - x(n, right[n])) / 4;
      }
      return loss;
    });
    BOOST_TEST(std::abs(rw::nn::multiclass_hinge(V(x), targets, options).item() - sum(rows).item() / 4) < 1e-15);
    check_gradients("multiclass_hinge",
                    [&](const auto& x) { return rw::nn::multiclass_hinge_rows(x[0], targets, options); }, {x});
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const auto refused = [](const rw::Shape& logits, const Indices& targets, const CrossEntropyOptions& options,
                          const std::string& text) {
    BOOST_CHECK_EXCEPTION(cross_entropy(V(rw::zeros<double>(logits)), targets, options), std::invalid_argument,
                          says("cross_entropy: expected " + text));
  };
  const std::string shapes = "logits [..., V] and targets [...]; got logits ";
  refused({2, 3}, indices({3}, {0, 0, 0}), {}, shapes + "[2, 3], targets [3]");
  refused({2, 3}, indices({2, 1}, {0, 0}), {}, shapes + "[2, 3], targets [2, 1]");
  refused({2, 0}, indices({2}, {0, 0}), {}, shapes + "[2, 0], targets [2]");
  refused({}, indices({}, {0}), {}, shapes + "[], targets []");
  refused({2, 3}, indices({2}, {0, 3}), {}, "targets in [0, 3); got target 3");
  refused({2, 3}, indices({2}, {-1, 0}), {}, "targets in [0, 3); got target -1");
  refused({2, 3}, indices({2}, {-1, 0}), {.ignore = ignored}, "targets in [0, 3); got target -1");
  refused({2, 3}, indices({2}, {0, 0}), {.smoothing = -0.1}, "a smoothing in [0, 1]; got -0.1");
  refused({2, 3}, indices({2}, {0, 0}), {.smoothing = 1.5}, "a smoothing in [0, 1]; got 1.5");
  refused({2, 3}, indices({2}, {0, 0}), {.smoothing = NAN}, "a smoothing in [0, 1]; got nan");
  BOOST_CHECK_EXCEPTION(rw::nn::nll(V(rw::zeros<double>({2, 3})), indices({2}, {0, 3})), std::invalid_argument,
                        says("nll: expected targets in [0, 3); got target 3"));
  BOOST_CHECK_EXCEPTION(
      rw::nn::multiclass_hinge(V(rw::zeros<double>({2, 3})), indices({1}, {0})), std::invalid_argument,
      says("multiclass_hinge: expected logits [..., V] and targets [...]; got logits [2, 3], targets [1]"));
}

BOOST_AUTO_TEST_SUITE_END()
