#include "nn/unroll.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "tests/nn/users_cell.hpp"

namespace {

using common::difference;
using common::distance;
using common::numbers;
using common::says;
using common::UsersCell;
using common::weighed;
using rw::concatenate;
using rw::flip;
using rw::Indices;
using rw::slice;
using rw::Tape;
using rw::Tensor;
using rw::nn::Bidirectional;
using rw::nn::last_valid;
using rw::nn::unroll;
using V = rw::Variable<double>;
using Gru = rw::nn::Gru<double>;
using Lstm = rw::nn::Lstm<double>;
using Lengths = std::vector<std::size_t>;
using Cells = std::tuple<Lstm, UsersCell>;

constexpr std::size_t T = 5, B = 3, I = 3, H = 4;

Gru gru(std::uint64_t seed = 1, std::size_t input = I, std::size_t hidden = H) {
  return common::made<Gru>(input, hidden, seed);
}

/// 1 for the first steps of each row, lengths of them.
Indices mask_of(const Lengths& lengths) {
  Indices mask = Indices::from_shape({T, lengths.size()});
  for (std::size_t n = 0; n < mask.size(); ++n) mask.data()[n] = n / lengths.size() < lengths[n % lengths.size()];
  return mask;
}

/// Counts its steps in a state without rows.
struct Counter {
  struct State {
    V steps;
  };
  State initial_state(std::size_t) const { return {rw::scalar(0.0)}; }
  rw::nn::Step<double, State> step(const V& x, const State& s) const { return {x * s.steps, {s.steps + 1}}; }
};

/// A list that grows by a step's input: [B, I] each.
struct Recorder {
  struct State {
    std::vector<V> seen;
  };
  State initial_state(std::size_t) const { return {}; }
  rw::nn::Step<double, State> step(const V& x, State s) const {
    s.seen.push_back(x);
    return {x, s};
  }
};

/// Adds a number drawn at the beginning of a sequence and one drawn at every step; they are 0 in evaluation.
struct Drawer {
  struct State {
    V h;
  };
  static V draw(rw::Random* random, std::size_t batch) {
    return rw::full<double>({batch, 1}, random == nullptr ? 0 : random->uniform());
  }
  State initial_state(std::size_t batch, rw::Random* random = nullptr) const { return {draw(random, batch)}; }
  rw::nn::Step<double, State> step(const V& x, const State& s, rw::Random* random = nullptr) const {
    const V h = s.h + draw(random, x.shape()[0]);
    return {x + h, {h}};
  }
};

// A cell is told by its types alone.
static_assert(rw::nn::Cell<Gru, double> && rw::nn::ProjectsInput<Gru, double>);
static_assert(rw::nn::Cell<Counter, double> && !rw::nn::ProjectsInput<Counter, double>);
static_assert(rw::nn::Cell<Drawer, double>);
static_assert(!rw::nn::Cell<Gru, float> && !rw::nn::Cell<V, double> && !rw::nn::Cell<Bidirectional<Gru>, double>);

}  // namespace

BOOST_AUTO_TEST_SUITE(unrolling)

BOOST_AUTO_TEST_CASE(refuses_sequences_that_do_not_fit) {
  const Gru cell = gru();
  const auto refused = [&](const rw::Shape& xs, const Lengths& lengths, const std::string& text) {
    BOOST_CHECK_EXCEPTION(unroll(cell, V(rw::zeros<double>(xs)), {.lengths = lengths}), std::invalid_argument,
                          says("unroll: expected " + text));
  };
  refused({T, I}, {}, "3 axes; got x [5, 3]");
  refused({0, B, I}, {}, "at least one step and one row; got xs [0, 3, 3]");
  refused({T, 0, I}, {}, "at least one step and one row; got xs [5, 0, 3]");
  refused({T, B, I}, {1, 2}, "a length for each of the 3 rows; got 2 lengths");
  refused({T, B, I}, {1, 2, 3, 4}, "a length for each of the 3 rows; got 4 lengths");
  refused({T, B, I}, {5, 6, 0}, "lengths of 0 to 5 steps; got 6");
  refused({T, B, I}, {5, static_cast<std::size_t>(-1), 0}, "lengths of 0 to 5 steps; got -1");
  BOOST_CHECK_THROW(unroll(cell, V(rw::zeros<double>({T, B, I + 1}))), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(refuses_masks_that_do_not_fit) {
  const Gru cell = gru();
  const auto refused = [&](const Indices& mask, const Lengths& lengths, const std::string& text) {
    BOOST_CHECK_EXCEPTION(unroll(cell, V(rw::zeros<double>({T, B, I})), {.lengths = lengths, .mask = mask}),
                          std::invalid_argument, says("unroll: expected " + text));
  };
  Indices mask = mask_of({5, 2, 1});
  refused(mask, {5, 2, 1}, "lengths or a mask; got both");
  refused(mask_of({5, 2}), {}, "a mask [5, 3]; got [5, 2]");
  mask.data()[4] = 2;
  refused(mask, {}, "a mask of zeros and ones; got 2");
}

BOOST_AUTO_TEST_CASE(refuses_states_of_another_batch) {
  const Lstm cell = common::made<Lstm>(I, H);
  const V xs = numbers({T, B, I}), two = numbers({2, H}), three = numbers({3, H});
  const auto refused = [&](const Lstm::State& initial, const std::string& got) {
    BOOST_CHECK_EXCEPTION(unroll(cell, xs, {.initial = initial}), std::invalid_argument,
                          says("unroll: expected an initial state of 3 rows, as [3, 4]; got " + got));
  };
  refused({two, two}, "[2, 4]");
  refused({three, two}, "[2, 4]");
  refused({rw::scalar(0.0), three}, "[]");
  BOOST_CHECK_THROW(unroll(cell, xs, {.initial = {{three, numbers({3, H + 1})}}}), std::invalid_argument);

  const Bidirectional<Lstm> both{common::made<Lstm>(I, H), common::made<Lstm>(I, H)};
  BOOST_CHECK_EXCEPTION(unroll(both, xs, {.initial = {{{three, three}, {two, three}}}}), std::invalid_argument,
                        says("unroll: expected an initial state of 3 rows, as [3, 4]; got [2, 4]"));
}

BOOST_AUTO_TEST_CASE(a_step_that_is_not_finite_is_refused) {
  const Gru cell = gru();
  for (const double bad : {double(NAN), HUGE_VAL, -HUGE_VAL}) {
    Tensor<double> xs = numbers({T, B, I});
    xs.data()[(3 * B + 1) * I + 2] = bad;
    const std::string got = bad < 0 ? "-inf" : bad > 0 ? "inf" : "nan";
    const auto text = says("unroll: expected finite inputs; got " + got + " at step 3, row 1, feature 2");
    BOOST_CHECK_EXCEPTION(unroll(cell, V(xs)), std::invalid_argument, text);
    BOOST_CHECK_EXCEPTION(unroll(cell, V(xs), {.lengths = {3, 4, 3}, .reverse = true}), std::invalid_argument, text);
    BOOST_CHECK_EXCEPTION(unroll(cell, V(xs), {.mask = mask_of({3, 4, 3})}), std::invalid_argument, text);
    BOOST_CHECK_NO_THROW(unroll(cell, V(xs), {.lengths = {5, 3, 5}}));
  }
  rw::Random random(1);
  const rw::nn::Gru<float> single({.input = 1, .hidden = 2}, random);
  BOOST_CHECK_EXCEPTION(unroll(single, rw::Variable<float>(rw::full<float>({2, 1, 1}, NAN))), std::invalid_argument,
                        says("unroll: expected finite inputs; got nan at step 0, row 0, feature 0"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_stands_where_there_is_no_step_does_not_matter, Cell, Cells) {
  auto cell = common::made<Cell>(I, H);
  const Indices mask = rw::tensor<std::int64_t>({T, B}, {0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0});
  const auto run = [&](double absent, bool reverse) {
    Tensor<double> xs = numbers({T, B, I});
    for (std::size_t n = 0; n < xs.size(); ++n) {
      if (mask.data()[n / I] == 0) xs.data()[n] = absent;
    }
    Tape<double> tape;
    const V x = tape.watch(xs);
    const auto all = unroll(cell, x, {.mask = mask, .reverse = reverse});
    const auto g = tape.backward(weighed(all.outputs, 1) + weighed(all.state.h, 2));
    std::vector<V> results = common::list(all.state);
    results.insert(results.end(), {all.outputs, g[x]});
    for (const auto& entry : cell.parameters()) results.push_back(g[*entry.parameter]);
    for (std::size_t n = 0; n < xs.size(); ++n) {
      if (mask.data()[n / I] == 0) BOOST_TEST(g[x].value().data()[n] == 0);
    }
    return results;
  };
  for (const bool reverse : {false, true}) {
    const auto zeros = run(0, reverse);
    for (const double absent : {7.0, double(NAN), HUGE_VAL}) {
      const auto others = run(absent, reverse);
      for (std::size_t k = 0; k < zeros.size(); ++k) BOOST_TEST(distance(zeros[k], others[k]) < 1e-15);
    }
  }
}

BOOST_AUTO_TEST_CASE(lengths_of_all_steps_change_nothing) {
  const Gru cell = gru();
  const V xs = numbers({T, B, I});
  const auto without = unroll(cell, xs);
  for (const auto& with : {unroll(cell, xs, {.lengths = {T, T, T}}), unroll(cell, xs, {.mask = mask_of({T, T, T})})}) {
    BOOST_TEST(distance(without.outputs, with.outputs) == 0);
    BOOST_TEST(distance(without.state.h, with.state.h) == 0);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_mask_of_first_steps_is_lengths, Cell, Cells) {
  const auto cell = common::made<Cell>(I, H);
  const V xs = numbers({T, B, I});
  for (const bool reverse : {false, true}) {
    const auto a = unroll(cell, xs, {.lengths = {4, 0, 2}, .reverse = reverse});
    const auto b = unroll(cell, xs, {.mask = mask_of({4, 0, 2}), .reverse = reverse});
    BOOST_TEST(distance(a.outputs, b.outputs) == 0);
    BOOST_TEST(difference(a.state, b.state) == 0);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_mask_of_last_steps_is_a_later_beginning, Cell, Cells) {
  const auto cell = common::made<Cell>(I, H);
  const V xs = numbers({T, B, I});
  const Indices mask = rw::tensor<std::int64_t>({T, B}, {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  const auto early = unroll(cell, slice(xs, 0, 2, T)), padded = unroll(cell, xs, {.mask = mask});
  BOOST_TEST(distance(slice(padded.outputs, 0, 2, T), early.outputs) < 1e-15);
  BOOST_TEST(distance(slice(padded.outputs, 0, 0, 2), V(rw::zeros<double>({2, B, H}))) == 0);
  BOOST_TEST(difference(padded.state, early.state) < 1e-15);
}

BOOST_AUTO_TEST_CASE(rows_without_steps_keep_their_state) {
  const Gru cell = gru();
  const V initial = numbers({B, H});
  for (const bool reverse : {false, true}) {
    const auto run =
        unroll(cell, V(numbers({T, B, I})), {.initial = Gru::State{initial}, .lengths = {0, 0, 0}, .reverse = reverse});
    BOOST_TEST(distance(run.outputs.value(), rw::zeros<double>({T, B, H})) == 0);
    BOOST_TEST(distance(run.state.h, initial) == 0);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_state_alone_is_the_same, Cell, Cells) {
  const auto cell = common::made<Cell>(I, H);
  const V xs = numbers({T, B, I});
  for (const Lengths& lengths : {Lengths{}, Lengths{3, 0, 1}, Lengths{0, 0, 0}}) {
    const auto run = unroll(cell, xs, {.lengths = lengths, .outputs = false});
    BOOST_TEST(!run.outputs.defined());
    BOOST_TEST(difference(run.state, unroll(cell, xs, {.lengths = lengths}).state) == 0);
  }
}

BOOST_AUTO_TEST_CASE(reverse_is_the_flipped_sequence) {
  const Gru cell = gru();
  const V xs = numbers({T, B, I});
  const auto reverse = unroll(cell, xs, {.reverse = true}), flipped = unroll(cell, flip(xs, {0}));
  BOOST_TEST(distance(reverse.outputs, flip(flipped.outputs, {0})) < 1e-12);
  BOOST_TEST(distance(reverse.state.h, flipped.state.h) < 1e-12);
}

// A state carried from window to window, through rows that end in one of them.
BOOST_AUTO_TEST_CASE_TEMPLATE(windows_are_the_whole_sequence, Cell, Cells) {
  auto cell = common::made<Cell>(I, H);
  const V xs = numbers({6, B, I});
  const Lengths lengths = {6, 1, 3};
  const auto whole = unroll(cell, xs, {.lengths = lengths});
  auto state = cell.initial_state(B);
  std::vector<V> outputs;
  for (std::size_t begin = 0; begin < 6; begin += 2) {
    Lengths here;
    for (const std::size_t length : lengths) here.push_back(std::min<std::size_t>(length - std::min(length, begin), 2));
    const Tape<double> tape;  // its variables are constants for the next one
    const auto run = unroll(cell, slice(xs, 0, begin, begin + 2), {.initial = state, .lengths = here});
    outputs.push_back(run.outputs);
    state = run.state;
  }
  BOOST_TEST(distance(concatenate(outputs, 0), whole.outputs) < 1e-14);
  BOOST_TEST(difference(state, whole.state) < 1e-14);
}

BOOST_AUTO_TEST_CASE(states_need_rows_only_where_rows_have_lengths) {
  const V xs = rw::full<double>({T, B, I}, 1);
  const auto run = unroll(Counter(), xs);
  BOOST_TEST(run.state.steps.item() == T);
  BOOST_TEST(run.outputs.value().data()[(T - 1) * B * I] == T - 1);
  BOOST_CHECK_EXCEPTION(unroll(Counter(), xs, {.lengths = {5, 4, 3}}), std::invalid_argument,
                        says("unroll: expected outputs and states [3, ...] where rows have lengths; got []"));

  BOOST_TEST(unroll(Recorder(), xs).state.seen.size() == T);
  BOOST_CHECK_EXCEPTION(unroll(Recorder(), xs, {.lengths = {5, 4, 3}}), std::invalid_argument,
                        says("map_state: expected lists of 4 states; got 3 states"));
  // Steps that no row has are left out.
  BOOST_TEST(unroll(Counter(), xs, {.lengths = {2, 2, 2}}).state.steps.item() == 2);
}

BOOST_AUTO_TEST_CASE(random_numbers_are_drawn_where_a_source_is_given) {
  const V xs = rw::zeros<double>({T, B, 1});
  BOOST_TEST(distance(unroll(Drawer(), xs).outputs, xs) == 0);
  rw::Random random(1), same(1);
  double sum = 0;
  for (std::size_t t = 0; t <= T; ++t) sum += same.uniform();  // one for the initial state
  BOOST_TEST(std::abs(unroll(Drawer(), xs, {.random = &random}).state.h.value().data()[0] - sum) < 1e-15);
  BOOST_TEST((random == same));

  // Nothing for a state that is given, nor for steps that no row has.
  for (int t = 0; t < 2; ++t) same.uniform();
  unroll(Drawer(), xs, {.initial = Drawer().initial_state(B), .lengths = {2, 1, 0}, .random = &random});
  BOOST_TEST((random == same));
}

BOOST_AUTO_TEST_CASE(outside_a_tape_nothing_is_recorded) {
  const Gru cell = gru();
  const auto run = unroll(cell, V(numbers({T, B, I})));
  Tape<double> tape;
  BOOST_TEST(!tape.holds(run.outputs));
  BOOST_TEST(tape.holds(unroll(cell, V(numbers({T, B, I}))).outputs));
}

BOOST_AUTO_TEST_CASE(float_agrees_with_double) {
  rw::Random random(1), same(1);
  const rw::nn::Lstm<float> cell({.input = I, .hidden = H}, random);
  const Lstm exact({.input = I, .hidden = H}, same);
  const Tensor<double> xs = numbers({T, B, I});
  Tensor<float> rounded = rw::empty<float>(xs.shape());
  std::copy(xs.begin(), xs.end(), rounded.begin());
  const auto run = unroll(cell, rw::Variable<float>(rounded), {.lengths = {5, 2, 4}});
  const V outputs = unroll(exact, V(xs), {.lengths = {5, 2, 4}}).outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    BOOST_TEST(std::abs(double(run.outputs.value().data()[i]) - outputs.value().data()[i]) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(the_last_valid_output_of_each_row) {
  const Tensor<double> outputs = numbers({T, B, 2});
  const auto check = [&](const Lengths& lengths) {
    const V last = last_valid(V(outputs), lengths);
    BOOST_REQUIRE((last.shape() == rw::Shape{B, 2}));
    for (std::size_t n = 0; n < B * 2; ++n) {
      const std::size_t length = lengths.empty() ? T : lengths[n / 2];
      BOOST_TEST(last.value().data()[n] == (length == 0 ? 0 : outputs.data()[(length - 1) * B * 2 + n]));
    }
  };
  check({});
  check({5, 0, 2});
  const auto report = rw::check_gradients("last_valid",
                                          [](const std::vector<V>& x) {
                                            return last_valid(x[0], {5, 0, 2});
                                          },
                                          {outputs});
  BOOST_TEST(report.ok, report.message);

  const auto refused = [&](const rw::Shape& shape, const Lengths& lengths, const std::string& text) {
    BOOST_CHECK_EXCEPTION(last_valid(V(rw::zeros<double>(shape)), lengths), std::invalid_argument,
                          says("last_valid: expected " + text));
  };
  refused({T, B}, {}, "3 axes; got x [5, 3]");
  refused({T, B, 1}, {1}, "a length for each of the 3 rows; got 1 lengths");
  refused({T, B, 1}, {1, 6, 0}, "lengths of 0 to 5 steps; got 6");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bidirectional_is_a_cell_in_each_direction, Cell, Cells) {
  Bidirectional<Cell> layer{common::made<Cell>(I, H, 1), common::made<Cell>(I, H, 2)};
  const V xs = numbers({T, B, I});
  const auto h = common::scattered(layer.forward.initial_state(B), 10);
  const auto k = common::scattered(layer.backward.initial_state(B), 20);
  for (const bool reverse : {false, true}) {
    const auto both = unroll(layer, xs, {.initial = {{h, k}}, .lengths = {2, 5, 0}, .reverse = reverse});
    const auto forward = unroll(layer.forward, xs, {.initial = h, .lengths = {2, 5, 0}, .reverse = reverse});
    const auto backward = unroll(layer.backward, xs, {.initial = k, .lengths = {2, 5, 0}, .reverse = !reverse});
    BOOST_TEST(distance(slice(both.outputs, 2, 0, H), forward.outputs) == 0);
    BOOST_TEST(distance(slice(both.outputs, 2, H), backward.outputs) == 0);
    BOOST_TEST(difference(both.state.forward, forward.state) == 0);
    BOOST_TEST(difference(both.state.backward, backward.state) == 0);
    const auto alone =
        unroll(layer, xs, {.initial = {{h, k}}, .lengths = {2, 5, 0}, .reverse = reverse, .outputs = false});
    BOOST_TEST(!alone.outputs.defined());
    BOOST_TEST(difference(alone.state, both.state) == 0);
  }
  BOOST_TEST(difference(unroll(layer, xs).state.backward, unroll(layer.backward, xs, {.reverse = true}).state) == 0);
  BOOST_CHECK_EXCEPTION(unroll(layer, xs, {.lengths = {6, 1, 1}}), std::invalid_argument,
                        says("unroll: expected lengths of 0 to 5 steps; got 6"));
}

BOOST_AUTO_TEST_CASE(parameters_of_both_directions) {
  Bidirectional<Gru> layer{gru(1), gru(2)};
  std::vector<std::string> names;
  for (const auto& entry : layer.parameters()) names.push_back(entry.name);
  const std::vector<std::string> expected = {"forward.weight_ih", "forward.weight_hh",  "forward.bias",
                                             "forward.bias_hn",   "backward.weight_ih", "backward.weight_hh",
                                             "backward.bias",     "backward.bias_hn"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
