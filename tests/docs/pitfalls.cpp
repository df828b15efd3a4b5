// The code of docs/pitfalls.md.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <thread>
#include <type_traits>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

using namespace rw;

namespace {

// [capture]
template <class T>
Variable<T> plus_scaled(const Variable<T>& a, const Variable<T>& b, double factor) {
  const Tensor<T> y = a.value() + factor * b.value();  // a Tensor, not auto: xtensor computes it here
  return record("plus_scaled", y, wrt(a, [](const Variable<T>& dy) { return dy; }),
                wrt(b, [factor](const Variable<T>& dy) { return factor * dy; }));  // by value, never [&]
}
// [end]

}  // namespace

BOOST_AUTO_TEST_SUITE(pitfalls)

BOOST_AUTO_TEST_CASE(shape_or_data) {
  // [braces]
  const auto x = zeros<float>({2, 3});                       // a matrix of zeros
  const auto y = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});  // the same shape with values
  const auto ids = full<std::int64_t>({2, 3}, 7);            // Indices
  const auto data = Tensor<float>({2, 3});                   // two numbers, 2 and 3
  // [end]
  BOOST_TEST(x.size() == 6u);
  BOOST_TEST(y(1, 2) == 6);
  BOOST_TEST(ids.size() == 6u);
  BOOST_TEST(data.size() == 2u);
  BOOST_TEST(data(1) == 3);
}

BOOST_AUTO_TEST_CASE(derivatives_own_what_they_read) {
  const auto a = tensor<double>({2}, {1, 2}), b = tensor<double>({2}, {3, -4});
  const auto report = check_gradients("plus_scaled", [](auto& x) { return plus_scaled(x[0], x[1], 0.5); }, {a, b});
  BOOST_TEST(report.ok, report.message);
  // A lazy expression neither enters a tape nor leaves a derivative.
  static_assert(!std::is_same_v<decltype(a + b), Tensor<double>>);
}

BOOST_AUTO_TEST_CASE(gradients_are_returned_by_value) {
  Parameter<double> w("w", scalar(3.0));
  Tape<double> tape;
  const auto g = tape.backward(w * w);
  // [lifetime]
  const auto dw = g[w];                  // keep the Variable ...
  const Tensor<double>& t = dw.value();  // ... as long as you read its tensor
  // [end]
  BOOST_TEST(t() == 6);
}

BOOST_AUTO_TEST_CASE(parameters_are_taken_by_reference) {
  static_assert(!std::is_copy_constructible_v<Parameter<double>> && !std::is_copy_assignable_v<Parameter<double>>);
  Random random(1);
  nn::Linear<double> layer({.input = 2, .output = 2}, random);
  // [reference]
  const Parameter<double>& w = layer.weight;  // the parameter itself
  const Variable<double> before = w;          // its value now, and its place among the parameters
  // [end]
  layer.weight.update([](Tensor<double>& x) { x.fill(0); });
  BOOST_TEST(w.value()(0, 0) == 0);
  BOOST_TEST(before.value()(0, 0) != 0);
}

BOOST_AUTO_TEST_CASE(intermediates_are_kept_on_demand) {
  // [keep]
  Tape<double> tape;
  const auto x = tape.watch(scalar(3.0));
  const auto h = x * x;
  const auto y = h * h;
  const auto g = tape.backward(y, {.keep = {h}});  // without keep, g[h] throws
  // [end]
  BOOST_TEST(g[h].item() == 18);
  BOOST_TEST(g[x].item() == 108);
  BOOST_CHECK_THROW(tape.backward(y)[h], std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(numbers_take_the_type_of_the_variable) {
  const Variable<float> x = full<float>({2}, 3);
  static_assert(std::is_same_v<decltype(0.5 * x), Variable<float>>);
  static_assert(std::is_same_v<decltype(scalar(0.5)), Tensor<double>>);
  BOOST_TEST((0.5 * x).value()(0) == 1.5f);
}

BOOST_AUTO_TEST_CASE(a_tape_records_its_own_thread) {
  Tape<double> tape;
  std::thread([] { BOOST_TEST(Tape<double>::current() == nullptr); }).join();
  BOOST_TEST(Tape<double>::current() == &tape);
}

BOOST_AUTO_TEST_CASE(only_the_innermost_tape_records) {
  Tape<double> outer;
  const auto x = outer.watch(scalar(2.0));
  {
    Tape<double> inner;
    const auto y = x * x;
    BOOST_TEST(!outer.holds(y));
    BOOST_TEST(!inner.holds(y));  // x is a constant here, so y is one
  }
  BOOST_TEST(outer.holds(x * x));
}

BOOST_AUTO_TEST_CASE(pause_holds_to_the_end_of_its_scope) {
  Tape<double> tape;
  const auto x = tape.watch(scalar(2.0));
  Variable<double> metric;
  // [pause]
  {
    const Pause<double> pause;  // with a name: without one it would end at once
    metric = x * x;             // a constant
  }
  const auto y = x * x;  // recorded
  // [end]
  BOOST_TEST(!tape.holds(metric));
  BOOST_TEST(tape.holds(y));
}

BOOST_AUTO_TEST_CASE(cleared_records_are_gone) {
  Tape<double> tape;
  const auto x = tape.watch(scalar(2.0));
  const auto y = x * x;
  tape.clear();
  BOOST_CHECK_THROW(tape.backward(y), std::invalid_argument);
  BOOST_TEST(!tape.holds(x));  // watch it again
}

BOOST_AUTO_TEST_CASE(choices_in_fused_code_are_where) {
  const Variable<double> x = tensor<double>({3}, {-2, 0.5, 2}), y = tensor<double>({3}, {1, 1, 1});
  // [fuse]
  const auto z = fuse([](auto x, auto y) { return where(greater(x, 0), x * y, 0.1 * x); }, x, y);
  // [end]
  BOOST_TEST(z.value()(0) == 0.1 * -2);
  BOOST_TEST(z.value()(2) == 2);
}

BOOST_AUTO_TEST_CASE(both_sides_of_where_are_computed) {
  Tape<double> tape;
  const auto x = tape.watch(scalar(0.0));
  const auto taken = greater(x, 0);
  BOOST_TEST(std::isnan(tape.backward(where(taken, sqrt(x), 0))[x].item()));
  BOOST_TEST(tape.backward(where(taken, sqrt(where(taken, x, 1)), 0))[x].item() == 0);
}

BOOST_AUTO_TEST_CASE(values_held_by_a_tape_are_copied_by_the_optimiser) {
  Parameter<double> w("w", full<double>({4}, 1));
  const double* before = w.value().data();
  optim::Sgd<double> sgd;
  Gradients<double> gradients;
  // [release]
  {
    Tape<double> tape;
    gradients = tape.backward(sum(square(w)));
  }                           // the tape lets go of w's value ...
  sgd.step({&w}, gradients);  // ... so that it is changed in place
  // [end]
  BOOST_TEST(w.value().data() == before);
}

BOOST_AUTO_TEST_CASE(subnormal_numbers_can_count_as_zero) {
  Parameter<float> tiny("tiny", full<float>({4}, 1e-30f));
  BOOST_TEST((tiny * 1e-10f).value()(0) > 0);
  {
    // [subnormals]
    const FlushSubnormals flush;  // while in scope, on this thread
    // [end]
    BOOST_TEST((tiny * 1e-10f).value()(0) == 0);
  }
  BOOST_TEST((tiny * 1e-10f).value()(0) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
