#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/learned_start.hpp"
#include "nn/recurrent_dropout.hpp"
#include "nn/stack.hpp"
#include "nn/zoneout.hpp"
#include "tests/nn/users_cell.hpp"

// Cells around cells: zoneout, recurrent dropout, learned starts.

namespace {

using common::difference;
using common::distance;
using common::list;
using common::made;
using common::numbers;
using common::says;
using common::UsersCell;
using rw::Random;
using rw::slice;
using rw::Tape;
using rw::nn::LearnedStart;
using rw::nn::map_state;
using rw::nn::RecurrentDropout;
using rw::nn::unroll;
using rw::nn::Zoneout;
using V = rw::Variable<double>;
using Lstm = rw::nn::Lstm<double>;
using Gru = rw::nn::Gru<double>;
using Cells = std::tuple<Lstm, UsersCell>;

constexpr std::size_t T = 5, B = 3, I = 3, H = 4;

/// Gradients through rows of several lengths, with the same random numbers every time where there are any.
template <class Cell>
void check_gradients_of(Cell& cell, bool training) {
  const auto f = [&](const std::vector<V>& x) {
    Random random(3);
    const auto run = unroll(cell, x[0], {.lengths = {3, 0, 2}, .random = training ? &random : nullptr});
    auto results = list(run.state);
    results.push_back(run.outputs);
    return results;
  };
  const auto report = rw::check_gradients("wrapper", f, {numbers({3, 3, 2})}, {.parameters = cell.parameters()});
  BOOST_TEST(report.ok, report.message);
}

static_assert(rw::nn::Cell<Zoneout<Lstm>, double> && rw::nn::ProjectsInput<Zoneout<Lstm>, double>);
static_assert(rw::nn::Cell<RecurrentDropout<UsersCell>, double>);
static_assert(!rw::nn::ProjectsInput<RecurrentDropout<UsersCell>, double>);
static_assert(rw::nn::Cell<LearnedStart<Zoneout<RecurrentDropout<Gru>>>, double>);

}  // namespace

BOOST_AUTO_TEST_SUITE(zoneout)

BOOST_AUTO_TEST_CASE_TEMPLATE(evaluation_takes_the_expectation, Cell, Cells) {
  const Zoneout<Cell> cell(made<Cell>(I, H), {0.2, 0.7});
  const V xs = numbers({T, B, I});
  auto state = cell.initial_state(B);
  std::vector<V> outputs;
  for (const V& x : unstack(xs)) {
    const auto now = list(rw::nn::step(cell.cell, x, state).state), old = list(state);
    const auto zoned = std::array{0.2 * old[0] + 0.8 * now[0], 0.7 * old[1] + (1 - 0.7) * now[1]};
    std::size_t k = 0;
    state = map_state([&](const V&) { return zoned[k++]; }, state);
    outputs.push_back(zoned[std::is_same_v<Cell, Lstm> ? 0 : 1]);  // of h, and of the user's cell's y
  }
  const auto run = unroll(cell, xs);
  BOOST_TEST(distance(run.outputs, stack(outputs)) < 1e-14);
  BOOST_TEST(difference(run.state, state) < 1e-14);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_element_is_kept_to_the_bit_or_new, Cell, Cells) {
  constexpr std::size_t many = 500;
  const Zoneout<Cell> cell(made<Cell>(I, H), {0.2, 0.7});
  const V x = numbers({many, I});
  const auto before = common::scattered(cell.initial_state(many), 5);
  Random random(1);
  const auto zoned = rw::nn::step(cell, x, before, &random);
  const auto all = list(zoned.state), now = list(rw::nn::step(cell.cell, x, before).state), old = list(before);
  for (std::size_t k = 0; k < 2; ++k) {
    const double rate = k == 0 ? 0.2 : 0.7, n = static_cast<double>(all[k].size());
    double kept = 0;
    for (std::size_t i = 0; i < all[k].size(); ++i) {
      const double element = all[k].value().data()[i];
      BOOST_TEST((element == old[k].value().data()[i] || element == now[k].value().data()[i]));
      kept += element == old[k].value().data()[i];
    }
    BOOST_TEST(std::abs(kept / n - rate) < 6 * std::sqrt(rate * (1 - rate) / n));
  }
  BOOST_TEST(distance(zoned.output, all[std::is_same_v<Cell, Lstm> ? 0 : 1]) == 0);
  BOOST_TEST(difference(rw::nn::step(cell, x, before, &random).state, zoned.state) > 0);  // drawn at every step
}

BOOST_AUTO_TEST_CASE(the_mean_of_training_is_evaluation) {
  const Zoneout<Gru> cell(made<Gru>(I, H), {0.3});
  const V x = numbers({1, I});
  const auto before = common::scattered(cell.initial_state(1), 5);
  constexpr std::size_t draws = 20000;
  Random random(1);
  const V h = rw::nn::step(cell, broadcast_to(x, {draws, I}), {broadcast_to(before.h, {draws, H})}, &random).state.h;
  // The elements are at most 2 apart, so six standard deviations of a mean are below 6·2·√(0.3·0.7/draws).
  BOOST_TEST(distance(reshape(mean(h, {.axes = {0}}), {1, H}), rw::nn::step(cell, x, before).state.h) < 0.039);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right, Cell, Cells) {
  Zoneout<Cell> cell(made<Cell>(2, 2), {0.3, 0.6});
  check_gradients_of(cell, true);
  check_gradients_of(cell, false);
}

BOOST_AUTO_TEST_CASE(a_rate_of_zero_is_the_cell) {
  Zoneout<Lstm> cell(made<Lstm>(I, H), {0});
  const V xs = numbers({T, B, I});
  Random random(1);
  const auto run = unroll(cell, xs, {.random = &random});
  BOOST_TEST((random == Random(1)));
  BOOST_TEST(distance(run.outputs, unroll(cell.cell, xs).outputs) == 0);
  BOOST_TEST(difference(run.state, unroll(cell.cell, xs).state) == 0);
  BOOST_TEST(cell.parameters().find("bias") == &*cell.cell.bias);
}

BOOST_AUTO_TEST_CASE(refuses_rates_that_are_none) {
  const auto refused = [](std::vector<double> rates, const std::string& text) {
    BOOST_CHECK_EXCEPTION(Zoneout<Lstm>(made<Lstm>(I, H), rates), std::invalid_argument,
                          says("zoneout: expected " + text));
  };
  refused({1}, "a rate in [0, 1); got 1");
  refused({0.5, -0.1}, "a rate in [0, 1); got -0.1");
  refused({NAN}, "a rate in [0, 1); got nan");
  refused({}, "a rate, or one for each of 2 variables; got 0 rates");
  refused({0.1, 0.1, 0.1}, "a rate, or one for each of 2 variables; got 3 rates");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(recurrent_dropout)

BOOST_AUTO_TEST_CASE_TEMPLATE(steps_see_h_through_one_mask, Cell, Cells) {
  const RecurrentDropout<Cell> cell(made<Cell>(I, H), 0.5);
  const V xs = numbers({T, B, I});
  Random random(1);
  const auto initial = cell.initial_state(B, &random);
  BOOST_TEST((initial.mask.shape() == initial.inner.h.shape()));
  auto state = initial.inner;
  std::vector<V> outputs;
  for (const V& x : unstack(xs)) {
    state.h = state.h * initial.mask;
    const auto step = rw::nn::step(cell.cell, x, state);
    outputs.push_back(step.output);
    state = step.state;
  }
  const auto run = unroll(cell, xs, {.initial = initial, .random = &random});
  BOOST_TEST(distance(run.outputs, stack(outputs)) < 1e-14);
  BOOST_TEST(difference(run.state.inner, state) < 1e-14);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_mask_goes_from_window_to_window, Cell, Cells) {
  const RecurrentDropout<Cell> cell(made<Cell>(I, H), 0.5);
  const V xs = numbers({2 * T, B, I});
  Random random(1), same(1);
  const auto whole = unroll(cell, xs, {.lengths = {9, 2, 0}, .random = &same});
  const auto first = unroll(cell, slice(xs, 0, 0, T), {.lengths = {5, 2, 0}, .random = &random});
  const auto second = unroll(cell, slice(xs, 0, T), {.initial = first.state, .lengths = {4, 0, 0}, .random = &random});
  BOOST_TEST(distance(first.state.mask, second.state.mask) == 0);
  BOOST_TEST(distance(rw::concatenate({first.outputs, second.outputs}, 0), whole.outputs) < 1e-14);
  BOOST_TEST(difference(second.state, whole.state) < 1e-14);
  BOOST_TEST((random == same));

  // The next sequence has another.
  BOOST_TEST(distance(unroll(cell, xs, {.random = &random}).state.mask, whole.state.mask) > 0);
}

BOOST_AUTO_TEST_CASE(the_mask_keeps_the_expectation) {
  const RecurrentDropout<Lstm> cell(made<Lstm>(I, H), 0.3);
  constexpr std::size_t rows = 10000;
  Random random(1);
  const V mask = cell.initial_state(rows, &random).mask;
  double dropped = 0;
  for (const double m : mask.value()) {
    BOOST_TEST((m == 0 || std::abs(m - 1 / 0.7) < 1e-15));
    dropped += m == 0;
  }
  BOOST_TEST(std::abs(dropped / (rows * H) - 0.3) < 6 * std::sqrt(0.3 * 0.7 / (rows * H)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(evaluation_is_the_cell, Cell, Cells) {
  RecurrentDropout<Cell> cell(made<Cell>(I, H), 0.5);
  const V xs = numbers({T, B, I});
  const auto run = unroll(cell, xs, {.lengths = {3, 0, 5}});
  const auto plain = unroll(cell.cell, xs, {.lengths = {3, 0, 5}});
  BOOST_TEST(distance(run.outputs, plain.outputs) == 0);
  BOOST_TEST(difference(run.state.inner, plain.state) == 0);
  BOOST_TEST(cell.parameters().size() == cell.cell.parameters().size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right, Cell, Cells) {
  RecurrentDropout<Cell> cell(made<Cell>(2, 3), 0.4);
  check_gradients_of(cell, true);
}

BOOST_AUTO_TEST_CASE(refuses_rates_that_are_none) {
  BOOST_CHECK_EXCEPTION(RecurrentDropout<Lstm>(made<Lstm>(I, H), 1), std::invalid_argument,
                        says("recurrent_dropout: expected a rate in [0, 1); got 1"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(learned_start)

BOOST_AUTO_TEST_CASE_TEMPLATE(begins_as_the_cells_own_for_any_batch, Cell, Cells) {
  LearnedStart cell(made<Cell>(I, H));
  const std::size_t own = cell.cell.parameters().size();
  std::vector<std::string> names;
  for (const auto& entry : cell.parameters()) names.push_back(entry.name);
  BOOST_TEST(names.size() == own + 2);
  BOOST_TEST(names[own] == "start.0");
  BOOST_TEST(names[own + 1] == "start.1");
  BOOST_TEST(difference(cell.initial_state(B), cell.cell.initial_state(B)) == 0);
  BOOST_TEST(distance(unroll(cell, V(numbers({T, B, I}))).outputs, unroll(cell.cell, V(numbers({T, B, I}))).outputs) ==
             0);

  common::scatter(cell.parameters(), 3);
  for (const std::size_t batch : {1, 2, 7}) {
    const auto state = list(cell.initial_state(batch)), like = list(cell.cell.initial_state(batch));
    for (std::size_t k = 0; k < 2; ++k) {
      BOOST_REQUIRE((state[k].shape() == like[k].shape()));
      for (std::size_t i = 0; i < state[k].size(); ++i) {
        BOOST_TEST(state[k].value().data()[i] == cell.start[k].value().data()[i % cell.start[k].size()]);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(its_gradients_are_right, Cell, Cells) {
  LearnedStart cell(made<Cell>(2, 3));
  common::scatter(cell.parameters(), 3);
  check_gradients_of(cell, false);
}

BOOST_AUTO_TEST_CASE(a_state_that_is_given_replaces_it) {
  LearnedStart cell(made<Lstm>(I, H));
  common::scatter(cell.parameters(), 3);
  const auto initial = common::scattered(cell.initial_state(B), 9);
  Tape<double> tape;
  const auto run = unroll(cell, V(numbers({T, B, I})), {.initial = initial});
  BOOST_TEST(difference(run.state, unroll(cell.cell, V(numbers({T, B, I})), {.initial = initial}).state) == 0);
  BOOST_TEST(!tape.backward(sum(run.outputs)).has(cell.start[0]));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(wrappers)

BOOST_AUTO_TEST_CASE(go_within_stacks_and_both_directions) {
  using Wrapped = Zoneout<RecurrentDropout<LearnedStart<Gru>>>;
  const auto wrapped = [](std::size_t input, std::uint64_t seed) {
    return Wrapped(RecurrentDropout(LearnedStart(made<Gru>(input, 2, seed)), 0.5), {0.25, 0});
  };
  rw::nn::Stack<rw::nn::Bidirectional<Wrapped>> stack;
  stack.layers.push_back({wrapped(2, 1), wrapped(2, 2)});
  stack.layers.push_back({wrapped(4, 3), wrapped(4, 4)});
  common::scatter(stack.parameters(), 3);
  BOOST_TEST(stack.parameters().find("1.backward.start.0") != nullptr);
  BOOST_TEST(stack.parameters().size() == 4 * 5);
  check_gradients_of(stack, true);
  check_gradients_of(stack, false);
}

BOOST_AUTO_TEST_SUITE_END()
