#include "autograd/fuse.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/gradcheck.hpp"
#include "op_table.hpp"

// fuse(f, ...) against the same lambda on variables, op by op. The op table fuses every single rule besides.

BOOST_AUTO_TEST_SUITE(fusion)

using namespace rw;
using test::random_tensor;
using V = Variable<double>;

namespace {

// An LSTM's gates: two results of five inputs.
const auto gates = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::tuple{sigmoid(o) * tanh(next), next};
};

void check_close(const Tensor<double>& got, const Tensor<double>& want) {
  BOOST_REQUIRE(got.shape() == want.shape());
  for (std::size_t i = 0; i < want.size(); ++i) {
    BOOST_TEST(std::abs(got.data()[i] - want.data()[i]) <= 1e-13 * std::max(1.0, std::abs(want.data()[i])));
  }
}

std::vector<V> list(const V& y) { return {y}; }
template <std::size_t N>
std::vector<V> list(const std::array<V, N>& ys) {
  return {ys.begin(), ys.end()};
}
template <class... R>
std::vector<V> list(const std::tuple<R...>& ys) {
  return std::apply([](const auto&... y) { return std::vector<V>{y...}; }, ys);
}

// Values, gradients and second gradients of both ways agree, and the fused ones with differences.
template <std::size_t N, class F>
void compare(const F& f, const std::array<Shape, N>& shapes) {
  std::vector<Tensor<double>> inputs;
  for (const Shape& shape : shapes) inputs.push_back(random_tensor(shape, {-1.5, 1.5}, inputs.size() + 1));
  const auto spread = [](const auto& call, const auto& x) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) { return list(call(x[K]...)); }
    (std::make_index_sequence<N>());
  };
  const auto fused = [&](const auto& x) { return spread([&](const auto&... v) { return fuse(f, v...); }, x); };
  const auto unfused = [&](const auto& x) { return spread(f, x); };

  Tape<double> tape;
  std::vector<V> x;
  for (const auto& value : inputs) x.push_back(tape.watch(value));
  const std::vector<V> ys = fused(x), references = unfused(x);
  BOOST_REQUIRE(ys.size() == references.size());
  V y = scalar(0.0), reference = scalar(0.0);
  for (std::size_t m = 0; m < ys.size(); ++m) {
    check_close(ys[m].value(), references[m].value());
    const V seed = random_tensor(ys[m].shape(), {-1, 1}, 10 + m);
    y = y + sum_to(seed * ys[m], {});
    reference = reference + sum_to(seed * references[m], {});
  }
  const auto plain = tape.backward(y), recorded = tape.backward(y, {.record = true});
  const auto expected = tape.backward(reference, {.record = true});
  V slope = scalar(0.0), expected_slope = scalar(0.0);
  for (const V& input : x) {
    check_close(plain[input].value(), expected[input].value());
    check_close(recorded[input].value(), expected[input].value());
    slope = slope + sum_to(input * sin(recorded[input]), {});
    expected_slope = expected_slope + sum_to(input * sin(expected[input]), {});
  }
  const auto second = tape.backward(slope), expected_second = tape.backward(expected_slope);
  for (const V& input : x) check_close(second[input].value(), expected_second[input].value());

  const auto report = check_gradients("fuse", fused, inputs);
  BOOST_TEST(report.ok, report.message);
}

}  // namespace

BOOST_AUTO_TEST_CASE(two_results_of_five_inputs) {
  const Shape s{3, 5};
  compare<5>(gates, {s, s, s, s, s});
  const Shape rows{2, 37};  // full SIMD groups and a rest
  compare<5>(gates, {rows, rows, rows, rows, rows});
}

BOOST_AUTO_TEST_CASE(rows_columns_and_scalars_broadcast) {
  compare<5>(gates, {Shape{3, 4}, Shape{4}, Shape{3, 1}, Shape{}, Shape{3, 4}});
  compare<5>(gates, {Shape{3, 1}, Shape{4}, Shape{1, 4}, Shape{1}, Shape{}});  // no input has the result's shape
  compare<2>([](auto a, auto b) { return a * b + sigmoid(a - b); }, {Shape{2, 3, 4}, Shape{3, 1}});
}

BOOST_AUTO_TEST_CASE(one_input) {
  compare<1>([](auto x) { return x * tanh(x) / (2 + cos(x)); }, {Shape{3, 7}});
}

BOOST_AUTO_TEST_CASE(captured_numbers_and_branches_of_where) {
  const double slope = 0.3;
  compare<2>([slope](auto a, auto b) { return where(greater(a, 0), a * b, slope * a) - 1.5 * slope; },
             {Shape{4, 3}, Shape{4, 3}});
}

BOOST_AUTO_TEST_CASE(inputs_that_do_not_matter) {
  compare<3>([](auto a, auto, auto c) { return a * greater(c, 0); }, {Shape{2, 3}, Shape{2, 3}, Shape{3}});
  // The second result depends on the last input alone.
  compare<3>(
      [](auto a, auto b, auto c) {
        return std::tuple{a * a * b, exp(c)};
      },
      {Shape{2, 3}, Shape{3}, Shape{2, 3}});
}

BOOST_AUTO_TEST_CASE(one_result_unused) {
  Tape<double> tape;
  const V x = tape.watch(random_tensor({2, 3}));
  const auto ys = fuse([](auto v) { return std::tuple{v * v, exp(v)}; }, x);
  check_close(tape.backward(sum_to(ys[0], {}))[x].value(), (2 * x).value());
}

BOOST_AUTO_TEST_CASE(the_same_variable_twice) {
  Tape<double> tape;
  const V x = tape.watch(random_tensor({2, 3}));
  const V y = fuse([](auto a, auto b) { return a * b; }, x, x);
  check_close(tape.backward(sum_to(y, {}))[x].value(), (2 * x).value());
}

BOOST_AUTO_TEST_CASE(parameters_as_inputs) {
  Parameter<double> peephole("peephole", random_tensor({3})), bias("bias", random_tensor({3}, {-1, 1}, 2));
  const auto model = [&](auto& x) {
    return fuse([](auto x, auto p, auto b) { return sigmoid(x * p + b) * x; }, x[0], peephole, bias);
  };
  const auto report = check_gradients("peephole", model, {random_tensor({4, 3})}, {.parameters = {&peephole, &bias}});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(without_a_tape_nothing_is_recorded) {
  const V a = random_tensor({2, 3});
  BOOST_TEST(fuse([](auto x) { return x * x; }, a).place().tape == Place::nowhere);
  Tape<double> tape;
  const V x = tape.watch(a);
  tape.clear();
  BOOST_TEST(fuse([](auto v) { return v * v; }, x).place().tape == Place::nowhere);
  const V y = fuse([](auto v, auto w) { return v * w; }, tape.watch(a), a);
  BOOST_TEST(tape.size() == 1u);  // one node whatever the lambda holds
  BOOST_TEST(tape.holds(y));
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_broadcast) {
  const V a = full<double>({2, 3}, 1), b = full<double>({2}, 1);
  BOOST_CHECK_EXCEPTION(
      fuse([](auto x, auto y) { return x * y; }, a, b), std::invalid_argument, [](const std::invalid_argument& e) {
        BOOST_TEST(e.what() == std::string("fuse: expected shapes that broadcast; got a [2, 3], b [2]"));
        return true;
      });
}

BOOST_AUTO_TEST_SUITE_END()
