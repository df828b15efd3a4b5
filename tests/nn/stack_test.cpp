#include "nn/stack.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "tests/nn/users_cell.hpp"

namespace {

using common::difference;
using common::distance;
using common::made;
using common::numbers;
using common::says;
using common::UsersCell;
using rw::Random;
using rw::slice;
using rw::Tensor;
using rw::nn::Bidirectional;
using rw::nn::Stack;
using rw::nn::unroll;
using V = rw::Variable<double>;
using Lstm = rw::nn::Lstm<double>;
using Cells = std::tuple<Lstm, rw::nn::Gru<double>, UsersCell>;

constexpr std::size_t T = 5, B = 3, I = 2, H = 4;
const std::vector<std::size_t> lengths = {3, 0, 5};

/// Layers of seeds 1, 2, ...; all but the first are as wide as their outputs.
template <class Cell>
Stack<Cell> deep(std::size_t layers, rw::nn::StackOptions options = {}, std::size_t input = I, std::size_t hidden = H) {
  Stack<Cell> stack;
  stack.options = options;
  for (std::size_t k = 0; k < layers; ++k) stack.layers.push_back(made<Cell>(k == 0 ? input : hidden, hidden, k + 1));
  return stack;
}

/// Puts out what it is given, so that what happens between layers is seen.
struct Pass {
  struct State {
    V last;
  };
  State initial_state(std::size_t batch) const { return {rw::zeros<double>({batch, 1})}; }
  rw::nn::Step<double, State> step(const V& x, const State&) const { return {x, {slice(x, 1, 0, 1)}}; }
};

static_assert(rw::nn::Cell<Stack<Lstm>, double> && rw::nn::Cell<Stack<Stack<UsersCell>>, double>);
static_assert(!rw::nn::Cell<Stack<Bidirectional<Lstm>>, double>);

}  // namespace

BOOST_AUTO_TEST_SUITE(stacks)

BOOST_AUTO_TEST_CASE_TEMPLATE(are_layers_one_over_another, Cell, Cells) {
  const Stack<Cell> stack = deep<Cell>(3);
  const Cell first = made<Cell>(I, H, 1), second = made<Cell>(H, H, 2), third = made<Cell>(H, H, 3);
  const auto initial = common::scattered(stack.initial_state(B), 7);
  const V xs = numbers({T, B, I});
  for (const bool reverse : {false, true}) {
    const auto all = unroll(stack, xs, {.initial = initial, .lengths = lengths, .reverse = reverse});
    const auto a = unroll(first, xs, {.initial = initial.layers[0], .lengths = lengths, .reverse = reverse});
    const auto b = unroll(second, a.outputs, {.initial = initial.layers[1], .lengths = lengths, .reverse = reverse});
    const auto c = unroll(third, b.outputs, {.initial = initial.layers[2], .lengths = lengths, .reverse = reverse});
    BOOST_TEST(distance(all.outputs, c.outputs) < 1e-14);
    BOOST_TEST(difference(all.state, {{a.state, b.state, c.state}}) < 1e-14);
    const auto alone =
        unroll(stack, xs, {.initial = initial, .lengths = lengths, .reverse = reverse, .outputs = false});
    BOOST_TEST(!alone.outputs.defined());
    BOOST_TEST(difference(alone.state, all.state) == 0);
  }
  const auto from_zeros = unroll(first, xs);
  BOOST_TEST(difference(unroll(stack, xs).state.layers[0], from_zeros.state) < 1e-14);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_both_directions_are_layers_one_over_another, Cell, Cells) {
  Stack<Bidirectional<Cell>> stack;
  stack.layers.push_back({made<Cell>(I, H, 1), made<Cell>(I, H, 2)});
  stack.layers.push_back({made<Cell>(2 * H, H, 3), made<Cell>(2 * H, H, 4)});
  const V xs = numbers({T, B, I});
  const auto all = unroll(stack, xs, {.lengths = lengths});
  const auto below = unroll(stack.layers[0], xs, {.lengths = lengths});
  const auto above = unroll(stack.layers[1], below.outputs, {.lengths = lengths});
  BOOST_TEST(distance(all.outputs, above.outputs) < 1e-14);
  BOOST_TEST(difference(all.state, {{below.state, above.state}}) < 1e-14);
}

BOOST_AUTO_TEST_CASE(their_parameters_have_the_numbers_of_the_layers) {
  Stack<Lstm> stack = deep<Lstm>(2);
  std::vector<std::string> names;
  for (const auto& entry : stack.parameters()) names.push_back(entry.name);
  const std::vector<std::string> expected = {"0.weight_ih", "0.weight_hh", "0.bias",
                                             "1.weight_ih", "1.weight_hh", "1.bias"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  BOOST_TEST(stack.parameters().elements() == 4 * H * (I + H + 1) + 4 * H * (H + H + 1));

  Stack<Bidirectional<Lstm>> both;
  both.layers.push_back({made<Lstm>(I, H), made<Lstm>(I, H)});
  BOOST_TEST(both.parameters().find("0.backward.bias") == &*both.layers[0].backward.bias);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(stream_step_by_step, Cell, Cells) {
  Stack<Cell> stack = deep<Cell>(2, {.residual = true, .dropout = 0.5});
  const V xs = numbers({T, B, I});
  const auto run = unroll(stack, xs);
  auto state = stack.initial_state(B);
  std::vector<V> outputs;
  for (const V& x : unstack(xs)) {
    auto step = rw::nn::step(stack, x, state);
    outputs.push_back(step.output);
    state = step.state;
  }
  BOOST_TEST(distance(rw::stack(outputs), run.outputs) < 1e-14);
  BOOST_TEST(difference(state, run.state) < 1e-14);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_residuals_add_their_inputs, Cell, Cells) {
  const Stack<Cell> stack = deep<Cell>(3, {.residual = true});
  const V xs = numbers({T, B, I});
  const V a = unroll(stack.layers[0], xs, {.lengths = lengths}).outputs;
  const V b = a + unroll(stack.layers[1], a, {.lengths = lengths}).outputs;
  const V c = b + unroll(stack.layers[2], b, {.lengths = lengths}).outputs;
  BOOST_TEST(distance(unroll(stack, xs, {.lengths = lengths}).outputs, c) < 1e-14);

  Stack<Cell> widens = deep<Cell>(1, {.residual = true});
  widens.layers.push_back(made<Cell>(H, H + 1));
  const auto text = says("stack: expected equal shapes; got a [5, 3, 4], b [5, 3, 5]");
  BOOST_CHECK_EXCEPTION(unroll(widens, xs), std::invalid_argument, text);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right, Cell, Cells) {
  Stack<Cell> stack = deep<Cell>(3, {.residual = true, .dropout = 0.4, .variational = true}, 2, 2);
  const auto initial = common::scattered(stack.initial_state(2), 7);
  const auto f = [&](const std::vector<V>& x) {
    Random random(1);  // the same masks every time
    const auto run = unroll(stack, x[0], {.initial = initial, .lengths = {3, 1}, .random = &random});
    auto results = common::list(run.state);
    results.push_back(run.outputs);
    return results;
  };
  const auto report = rw::check_gradients("stack", f, {numbers({3, 2, 2})}, {.parameters = stack.parameters()});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(dropout_between_layers_keeps_the_expectation) {
  Stack<Pass> stack{{Pass(), Pass()}, {.dropout = 0.3}};
  constexpr std::size_t n = 20 * 50 * 40;
  const V xs = rw::full<double>({20, 50, 40}, 2);
  Random random(1);
  const V dropped = unroll(stack, xs, {.random = &random}).outputs;
  double zeros = 0, total = 0;
  for (const double y : dropped.value()) {
    BOOST_TEST((y == 0 || std::abs(y - 2 / 0.7) < 1e-12));
    zeros += y == 0;
    total += y;
  }
  // Six standard deviations.
  BOOST_TEST(std::abs(zeros / n - 0.3) < 6 * std::sqrt(0.3 * 0.7 / n));
  BOOST_TEST(std::abs(total / n - 2) < 6 * 2 * std::sqrt(0.3 / 0.7 / n));
  BOOST_TEST(distance(slice(dropped, 0, 0, 1), slice(dropped, 0, 1, 2)) > 0);  // another mask at each step

  // One layer has nothing between; evaluation drops nothing; neither does the last layer's output.
  Random untouched(1);
  BOOST_TEST(distance(unroll(Stack<Pass>{{Pass()}, {.dropout = 0.3}}, xs, {.random = &untouched}).outputs, xs) == 0);
  BOOST_TEST((untouched == Random(1)));
  BOOST_TEST(distance(unroll(stack, xs).outputs, xs) == 0);
  stack.options.dropout = 0;
  BOOST_TEST(distance(unroll(stack, xs, {.random = &untouched}).outputs, xs) == 0);
}

BOOST_AUTO_TEST_CASE(variational_dropout_keeps_its_mask_for_all_steps) {
  const Stack<Pass> stack{{Pass(), Pass(), Pass()}, {.dropout = 0.5, .variational = true}};
  const V xs = rw::full<double>({T, 30, 40}, 1);
  Random random(1);
  const V dropped = unroll(stack, xs, {.random = &random}).outputs;
  for (std::size_t t = 1; t < T; ++t) {
    BOOST_TEST(distance(slice(dropped, 0, t, t + 1), slice(dropped, 0, 0, 1)) == 0);
  }
  BOOST_TEST(distance(slice(dropped, 1, 0, 1), slice(dropped, 1, 1, 2)) > 0);  // another mask for each row
  double kept = 0;
  for (const double y : slice(dropped, 0, 0, 1).value()) {
    BOOST_TEST((y == 0 || y == 4));  // 1/(1 − rate) twice: each gap between layers has a mask of its own
    kept += y != 0;
  }
  BOOST_TEST(std::abs(kept / 1200 - 0.25) < 6 * std::sqrt(0.25 * 0.75 / 1200));
  BOOST_TEST(distance(unroll(stack, xs, {.random = &random}).outputs, dropped) > 0);
}

BOOST_AUTO_TEST_CASE(a_step_drops_as_a_sequence_does) {
  Stack<Pass> stack{{Pass(), Pass()}, {.dropout = 0.5}};
  const V x = rw::full<double>({30, 40}, 1);
  Random random(1), same(1);
  const V dropped = rw::nn::step(stack, x, stack.initial_state(30), &random).output;
  const V as_sequence = unroll(stack, reshape(x, {1, 30, 40}), {.random = &same}).outputs;
  BOOST_TEST(distance(dropped, reshape(as_sequence, {30, 40})) == 0);
  BOOST_TEST(distance(dropped, x) == 1);

  stack.options.variational = true;
  BOOST_TEST(distance(rw::nn::step(stack, x, stack.initial_state(30)).output, x) == 0);
  BOOST_CHECK_EXCEPTION(rw::nn::step(stack, x, stack.initial_state(30), &random), std::invalid_argument,
                        says("stack: expected whole sequences for variational dropout; got a step"));
}

BOOST_AUTO_TEST_CASE(refuse_what_does_not_fit) {
  const V xs = numbers({T, B, I}), x = numbers({B, I});
  const Stack<Lstm> none, two = deep<Lstm>(2);
  const auto empty = says("stack: expected at least one layer; got none");
  BOOST_CHECK_EXCEPTION(unroll(none, xs), std::invalid_argument, empty);
  BOOST_CHECK_EXCEPTION(rw::nn::step(none, x, {}), std::invalid_argument, empty);
  const auto one = deep<Lstm>(1).initial_state(B);
  const auto text = says("stack: expected a state for each of 2 layers; got 1");
  BOOST_CHECK_EXCEPTION(unroll(two, xs, {.initial = one}), std::invalid_argument, text);
  BOOST_CHECK_EXCEPTION(rw::nn::step(two, x, one), std::invalid_argument, text);
  BOOST_CHECK_EXCEPTION(unroll(two, xs, {.initial = two.initial_state(B + 1)}), std::invalid_argument,
                        says("unroll: expected an initial state of 3 rows, as [3, 4]; got [4, 4]"));
  BOOST_CHECK_EXCEPTION(unroll(deep<Lstm>(2, {.dropout = 1}), xs), std::invalid_argument,
                        says("dropout: expected a rate in [0, 1); got 1"));
  BOOST_CHECK_EXCEPTION(unroll(deep<Lstm>(2, {.dropout = -1, .variational = true}), xs), std::invalid_argument,
                        says("variational_dropout: expected a rate in [0, 1); got -1"));
}

BOOST_AUTO_TEST_SUITE_END()
