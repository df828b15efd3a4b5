#include "autograd/fuse.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/gradcheck.hpp"
#include "op_table.hpp"
#include "tests/errors.hpp"

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

namespace {

// Values, gradients and second gradients of `in_place`, whose arguments are blocks, and of `copied`, the same fused
// function of what split() gives, agree; and the former with differences.
template <class InPlace, class Copied>
void compare_blocks(const InPlace& in_place, const Copied& copied, const std::vector<Shape>& shapes) {
  std::vector<Tensor<double>> inputs;
  for (const Shape& shape : shapes) inputs.push_back(random_tensor(shape, {-1.5, 1.5}, inputs.size() + 1));
  struct Both {
    std::vector<V> ys, first, second;
  };
  const auto derive = [&](const auto& f, bool record) {
    Tape<double> tape;
    std::vector<V> x;
    for (const auto& value : inputs) x.push_back(tape.watch(value));
    Both all{list(f(x)), {}, {}};
    V y = scalar(0.0), slope = scalar(0.0);
    for (std::size_t m = 0; m < all.ys.size(); ++m) {
      y = y + sum_to(V(random_tensor(all.ys[m].shape(), {-1, 1}, 10 + m)) * all.ys[m], {});
    }
    const auto first = tape.backward(y, {.record = record});
    for (const V& input : x) {
      all.first.push_back(first[input]);
      slope = slope + sum_to(input * sin(first[input]), {});
    }
    const auto second = tape.backward(slope);
    for (const V& input : x) all.second.push_back(second[input]);
    return all;
  };
  const Both got = derive(in_place, true), plain = derive(in_place, false), want = derive(copied, true);
  BOOST_REQUIRE(got.ys.size() == want.ys.size());
  for (std::size_t m = 0; m < want.ys.size(); ++m) check_close(got.ys[m].value(), want.ys[m].value());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    check_close(got.first[k].value(), want.first[k].value());
    check_close(plain.first[k].value(), want.first[k].value());
    check_close(got.second[k].value(), want.second[k].value());
  }
  const auto report = check_gradients("blocks", in_place, inputs);
  BOOST_TEST(report.ok, report.message);
}

const auto lstm_in_place = [](const auto& x) { return fuse(gates, blocks<4>(x[0]), x[1]); };
const auto lstm_copied = [](const auto& x) {
  const auto [i, f, g, o] = split<4>(x[0]);
  return fuse(gates, i, f, g, o, x[1]);
};

}  // namespace

BOOST_AUTO_TEST_CASE(blocks_of_all_widths) {
  for (std::size_t n : {1, 3, 7, 17, 33}) {  // with and without a last SIMD group that is not full
    compare_blocks(lstm_in_place, lstm_copied, {{2, 4 * n}, {2, n}});
  }
  compare_blocks(lstm_in_place, lstm_copied, {{12}, {3}});
  compare_blocks(lstm_in_place, lstm_copied, {{2, 3, 20}, {2, 3, 5}});
}

BOOST_AUTO_TEST_CASE(blocks_that_repeat) {
  compare_blocks(lstm_in_place, lstm_copied, {{12}, {2, 3}});           // a row for all rows
  compare_blocks(lstm_in_place, lstm_copied, {{2, 12}, {3}});           // the other way round
  compare_blocks(lstm_in_place, lstm_copied, {{2, 1, 12}, {1, 4, 3}});  // both
  compare_blocks(lstm_in_place, lstm_copied, {{1, 12}, {2, 1}});
}

BOOST_AUTO_TEST_CASE(several_arguments_of_blocks_and_a_scalar) {
  const auto f = [](auto a, auto b, auto s, auto p, auto q, auto r, auto x) {
    return std::tuple{tanh(a * p) + b * r * s, sigmoid(q - x) * a};
  };
  const auto in_place = [&](const auto& x) { return fuse(f, blocks<2>(x[0]), x[1], blocks<3>(x[2]), x[3]); };
  const auto copied = [&](const auto& x) {
    const auto [a, b] = split<2>(x[0]);
    const auto [p, q, r] = split<3>(x[2]);
    return fuse(f, a, b, x[1], p, q, r, x[3]);
  };
  compare_blocks(in_place, copied, {{3, 14}, {}, {21}, {3, 7}});
  compare_blocks(in_place, copied, {{10}, {1}, {2, 3, 15}, {3, 1}});
}

BOOST_AUTO_TEST_CASE(the_same_blocks_twice) {
  const auto f = [](auto a, auto b, auto c, auto d) { return a * d + tanh(b) * c; };
  const auto in_place = [&](const auto& x) { return fuse(f, blocks<2>(x[0]), blocks<2>(x[0])); };
  const auto copied = [&](const auto& x) {
    const auto [a, b] = split<2>(x[0]);
    return fuse(f, a, b, a, b);
  };
  compare_blocks(in_place, copied, {{3, 10}});
}

BOOST_AUTO_TEST_CASE(one_block_and_none) {
  const V x = random_tensor({2, 3});
  check_close(fuse([](auto a) { return a * a; }, blocks<1>(x)).value(), (x * x).value());
  const V nothing = zeros<double>({0, 6});
  BOOST_TEST((fuse([](auto a, auto b) { return a * b; }, blocks<2>(nothing)).shape() == Shape{0, 3}));
}

BOOST_AUTO_TEST_CASE(blocks_that_do_not_fit) {
  const auto product = [](auto a, auto b) { return a * b; };
  const auto error = [](auto call) { return message<std::invalid_argument>(call); };
  const V x = random_tensor({2, 6});
  BOOST_TEST(error([&] { blocks<4>(x); }) == "blocks: expected columns that divide into 4; got x [2, 6]");
  BOOST_TEST(error([&] { blocks<2>(V(scalar(1.0))); }) == "blocks: expected columns that divide into 2; got x []");
  BOOST_TEST(error([&] {
               fuse([](auto a, auto b, auto c) { return a * b * c; }, blocks<2>(x), V(random_tensor({2})));
             }) == "fuse: expected shapes that broadcast; got a [2, 3], b [2]");
  BOOST_TEST((fuse(product, blocks<2>(x)).shape() == Shape{2, 3}));
  // A block's single column would have to repeat, and its gradient to be summed within the block.
  const V narrow = random_tensor({2, 2});
  BOOST_TEST(error([&] { fuse([](auto a, auto b, auto c) { return a * b * c; }, blocks<2>(narrow), x); }) ==
             "fuse: expected blocks as wide as the result, [2, 6]; got 2 blocks of [2, 2]");
}

// Rows whose results are written over their inputs: no element may be computed from one that was written before.
BOOST_AUTO_TEST_CASE(rows_that_are_written_over_themselves) {
  const auto f = [](const std::array<Lane<double>, 3>& x) {
    return std::array<Lane<double>, 2>{x[0] * x[1] + x[2], x[0] - x[1]};
  };
  for (std::size_t n = 0; n <= 40; ++n) {
    const Tensor<double> a = random_tensor({n}, {-1, 1}, 1), b = random_tensor({n}, {-1, 1}, 2);
    Tensor<double> over_a = a, over_b = b, apart = zeros<double>({n});
    const double c = 0.5;
    const auto check = [&](const Tensor<double>& first, const Tensor<double>& second) {
      for (std::size_t i = 0; i < n; ++i) {
        BOOST_TEST(std::abs(first(i) - (a(i) * b(i) + c)) <= 1e-15);
        BOOST_TEST(std::abs(second(i) - (a(i) - b(i))) <= 1e-15);
      }
    };
    detail::map_row<double, 3, 2>({over_a.data(), over_b.data(), &c}, {1, 1, 0}, {over_a.data(), over_b.data()}, n, f);
    check(over_a, over_b);
    over_a = a;
    detail::map_row<double, 3, 2>({over_a.data(), b.data(), &c}, {1, 1, 0}, {apart.data(), over_a.data()}, n, f);
    check(apart, over_a);
  }
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
