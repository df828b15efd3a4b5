#include "autograd/gradcheck.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"

// The checker is checked with planted errors: a wrong derivative must be caught, and the message must say where.

BOOST_AUTO_TEST_SUITE(gradcheck)

using namespace rw;
using V = Variable<double>;

namespace {

const Tensor<double> a = tensor<double>({2, 3}, {0.3, -1.2, 0.7, 1.9, -0.4, 0.1});
const Tensor<double> b = tensor<double>({2, 3}, {1.1, 0.6, -0.8, 0.2, 1.4, -1.7});
const Tensor<double> row = tensor<double>({3}, {0.5, -0.9, 1.3});
const Tensor<double> square_matrix = tensor<double>({2, 2}, {0.3, -1.2, 0.7, 1.9});

// An op with a derivative of the test's choice.
template <class D>
V unary(const V& x, const Tensor<double>& y, const D& derivative) {
  return record("planted", y, wrt(x, derivative));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(right_derivatives_pass_with_small_errors) {
  const auto report = check_gradients(
      "mixed", [](auto& x) { return tanh(matmul(x[0], x[1], Transpose::b)) * sigmoid(x[2]); }, {a, b, square_matrix});
  BOOST_TEST(report.ok, report.message);
  BOOST_TEST(report.message == "");
  BOOST_TEST(report.first_error < 1e-8);
  BOOST_TEST(report.second_error < 1e-7);
  BOOST_TEST(report.first_error > 0);
}

BOOST_AUTO_TEST_CASE(wrong_sign) {
  const auto report = check_gradients(
      "wrong_sign",
      [](auto& x) { return unary(x[0], sin(x[0]).value(), [x = x[0]](const V& dy) { return -dy * cos(x); }); }, {a});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "wrong_sign: expected first gradient "), report.message);
  BOOST_TEST(contains(report.message, "relative error 2"), report.message);
  BOOST_TEST(contains(report.message, "6 of 6 elements wrong"), report.message);
}

BOOST_AUTO_TEST_CASE(missing_factor) {
  const auto report = check_gradients(
      "missing_factor",
      [](auto& x) { return unary(x[0], square(x[0]).value(), [x = x[0]](const V& dy) { return dy * x; }); }, {a});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "relative error 0.666"), report.message);
}

BOOST_AUTO_TEST_CASE(one_wrong_element_is_named) {
  const auto wrong = [](auto& x) {
    return record("planted", (x[0] * x[1]).value(), wrt(x[0], [b = x[1]](const V& dy) { return dy * b; }),
                  wrt(x[1], [a = x[0]](const V& dy) {
                    Tensor<double> mask = full<double>({2, 3}, 1);
                    mask(1, 2) = 1.001;
                    return dy * a * V(mask);
                  }));
  };
  const auto report = check_gradients("one_element", wrong, {a, b});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "of input 1 [2, 3] at [1, 2]; got "), report.message);
  BOOST_TEST(contains(report.message, "1 of 6 elements wrong"), report.message);
}

BOOST_AUTO_TEST_CASE(broadcast_without_the_sum) {
  // The derivative by the row takes the first row of dy where it must take the sum of all.
  const auto wrong = [](auto& x) {
    return record("planted", (x[0] + x[1]).value(), wrt(x[0], [](const V& dy) { return dy; }),
                  wrt(x[1], [](const V& dy) {
                    Tensor<double> first = rw::empty<double>({3});
                    std::copy_n(dy.value().data(), 3, first.data());
                    return V(first);
                  }));
  };
  const auto report = check_gradients("broadcast", wrong, {a, row});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "input 1 [3]"), report.message);
}

BOOST_AUTO_TEST_CASE(transposed_derivative) {
  const auto wrong = [](auto& x) {
    return record("planted", matmul(x[0], x[1]).value(),
                  wrt(x[0], [b = x[1]](const V& dc) { return matmul(dc, b, Transpose::b); }),
                  wrt(x[1], [a = x[0]](const V& dc) { return matmul(a, dc); }));
  };
  const auto report = check_gradients("transposed", wrong, {square_matrix, square_matrix});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "input 1 [2, 2]"), report.message);
}

BOOST_AUTO_TEST_CASE(gradient_that_forgets_dy) {
  const auto report = check_gradients(
      "no_dy", [](auto& x) { return unary(x[0], square(x[0]).value(), [x = x[0]](const V&) { return 2 * x; }); }, {a});
  BOOST_TEST(!report);
}

BOOST_AUTO_TEST_CASE(right_first_but_wrong_second_gradient) {
  // The value of the derivative is right, but it was taken off the tape.
  const auto wrong = [](auto& x) {
    return unary(x[0], square(x[0]).value(), [x = x[0].detached()](const V& dy) { return dy * (2 * x); });
  };
  const auto report = check_gradients("second", wrong, {a});
  BOOST_TEST(!report);
  BOOST_TEST(report.first_error < 1e-6);
  BOOST_TEST(contains(report.message, "second: expected second gradient "), report.message);
  BOOST_TEST(contains(report.message, "of input 0 [2, 3] at ["), report.message);
  BOOST_TEST(contains(report.message, "; got 0 (relative error 2"), report.message);
  BOOST_TEST(check_gradients("second", wrong, {a}, {.second_order = false}).ok);
}

BOOST_AUTO_TEST_CASE(second_gradient_by_the_seed) {
  // A linear op has no second gradient by x; its derivative must still pass gradients on to dy.
  const auto wrong = [](auto& x) {
    return unary(x[0], (3 * x[0]).value(), [](const V& dy) { return 3 * dy.detached(); });
  };
  const auto report = check_gradients("by_seed", wrong, {a});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "second gradient "), report.message);
  BOOST_TEST(contains(report.message, "of the result's seed [2, 3]"), report.message);
}

BOOST_AUTO_TEST_CASE(missing_derivative) {
  const auto report = check_gradients("missing",
                                      [](auto& x) {
                                        return record("planted", (x[0] * x[1]).value(),
                                                      wrt(x[0], [b = x[1]](const V& dy) { return dy * b; }));
                                      },
                                      {a, b});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "of input 1 [2, 3]"), report.message);
  BOOST_TEST(contains(report.message, "; got 0 "), report.message);
}

BOOST_AUTO_TEST_CASE(nan_is_wrong) {
  const auto report = check_gradients(
      "nan", [](auto& x) { return unary(x[0], square(x[0]).value(), [](const V& dy) { return dy * double(NAN); }); },
      {a});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "got nan"), report.message);
}

BOOST_AUTO_TEST_CASE(small_gradients_count) {
  // A wrong derivative is wrong however small the function is.
  const auto report = check_gradients("small",
                                      [](auto& x) {
                                        return unary(x[0], (1e-9 * square(x[0])).value(),
                                                     [x = x[0]](const V& dy) { return dy * 1e-9 * x; });
                                      },
                                      {a});
  BOOST_TEST(!report);
}

BOOST_AUTO_TEST_CASE(gradients_of_zero_pass) {
  const auto report = check_gradients("zero", [](auto& x) { return 0 * x[0] + equal(x[1], 7); }, {a, b});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(several_results) {
  const auto pair = [](auto& x) { return std::vector<V>{x[0] * x[1], exp(x[1])}; };
  BOOST_TEST(check_gradients("pair", pair, {a, b}).ok);
  const auto wrong = [](auto& x) {
    return record_many("planted", std::vector<Tensor<double>>{(2 * x[0]).value(), (3 * x[0]).value()},
                       wrt(x[0], [](std::span<const V> dys) { return 3 * dys[0] + 2 * dys[1]; }));
  };
  const auto report = check_gradients("swapped", wrong, {a});
  BOOST_TEST(!report);
  BOOST_TEST(contains(report.message, "swapped: expected first gradient"), report.message);
}

BOOST_AUTO_TEST_CASE(parameters_of_a_model) {
  Parameter<double> w("w", square_matrix), bias("bias", tensor<double>({2}, {0.1, -0.2}));
  const Tensor<double> before = w.value();
  const auto model = [&](auto& x) { return tanh(matmul(x[0], w) + bias); };
  const Tensor<double> x = tensor<double>({3, 2}, {0.2, -0.5, 1.1, 0.4, -0.3, 0.9});
  const auto report = check_gradients("model", model, {x}, {.parameters = {&w, &bias}});
  BOOST_TEST(report.ok, report.message);
  BOOST_TEST(std::equal(before.begin(), before.end(), w.value().begin()));  // put back

  const auto frozen = [&](auto& x) { return tanh(matmul(x[0], w) + bias.detached()); };
  const auto caught = check_gradients("frozen", frozen, {x}, {.parameters = {&w, &bias}});
  BOOST_TEST(!caught);
  BOOST_TEST(contains(caught.message, "of bias [2] at ["), caught.message);
}

BOOST_AUTO_TEST_CASE(errors_pass_through_and_restore_parameters) {
  Parameter<double> w("w", tensor<double>({}, {0.5}));
  int calls = 0;
  const auto model = [&](auto&) -> V {
    if (++calls == 4) throw std::runtime_error("boom");
    return w * w;
  };
  BOOST_CHECK_THROW(check_gradients("model", model, {}, {.parameters = {&w}}), std::runtime_error);
  BOOST_TEST(w.item() == 0.5);
}

BOOST_AUTO_TEST_CASE(a_tape_in_scope_is_left_alone) {
  Tape<double> tape;
  const V x = tape.watch(a);
  BOOST_TEST(check_gradients("inside", [](auto& y) { return exp(y[0]); }, {a}).ok);
  BOOST_TEST(tape.size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
