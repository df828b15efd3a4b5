#include "nn/unroll.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/bidirectional.hpp"
#include "tests/nn/cell_table.hpp"

namespace {

using cell_table::made;
using common::distance;
using common::numbers;
using common::says;
using common::weighed;
using rw::slice;
using rw::nn::Bidirectional;
using rw::nn::unroll;
using V = rw::Variable<double>;
using Gru = rw::nn::Gru<double>;
using Lengths = std::vector<std::size_t>;

constexpr std::size_t T = 5, B = 3, I = 3, H = 4;

Gru gru(std::uint64_t seed = 1, std::size_t input = I, std::size_t hidden = H) {
  return made<cell_table::GruRow<true>>(input, hidden, seed);
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

// A cell is told by its types alone.
static_assert(rw::nn::Cell<Gru, double> && rw::nn::ProjectsInput<Gru, double>);
static_assert(rw::nn::Cell<Counter, double> && !rw::nn::ProjectsInput<Counter, double>);
static_assert(!rw::nn::Cell<Gru, float> && !rw::nn::Cell<V, double>);

}  // namespace

BOOST_AUTO_TEST_SUITE(unrolling)

BOOST_AUTO_TEST_CASE(refuses_sequences_that_do_not_fit) {
  const Gru cell = gru();
  const auto refused = [&](const rw::Shape& xs, const Lengths& lengths, const std::string& text) {
    BOOST_CHECK_EXCEPTION(unroll(cell, V(rw::zeros<double>(xs)), {.lengths = lengths}), std::invalid_argument,
                          says(text));
  };
  refused({T, I}, {}, "unroll: expected 3 axes; got x [5, 3]");
  refused({0, B, I}, {}, "unroll: expected at least one step and one row; got xs [0, 3, 3]");
  refused({T, 0, I}, {}, "unroll: expected at least one step and one row; got xs [5, 0, 3]");
  refused({T, B, I}, {1, 2}, "unroll: expected a length for each of the 3 rows; got 2 lengths");
  refused({T, B, I}, {1, 2, 3, 4}, "unroll: expected a length for each of the 3 rows; got 4 lengths");
  refused({T, B, I}, {5, 6, 0}, "unroll: expected lengths of at most 5 steps; got 6");
  BOOST_CHECK_THROW(unroll(cell, V(rw::zeros<double>({T, B, I + 1}))), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(lengths_of_all_steps_change_nothing) {
  const Gru cell = gru();
  const V xs = numbers({T, B, I});
  const auto without = unroll(cell, xs), with = unroll(cell, xs, {.lengths = {T, T, T}});
  BOOST_TEST(distance(without.outputs, with.outputs) == 0);
  BOOST_TEST(distance(without.state.h, with.state.h) == 0);
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

BOOST_AUTO_TEST_CASE(reverse_is_the_flipped_sequence) {
  const Gru cell = gru();
  const V xs = numbers({T, B, I});
  const auto reverse = unroll(cell, xs, {.reverse = true}), flipped = unroll(cell, flip(xs, {0}));
  BOOST_TEST(distance(reverse.outputs, flip(flipped.outputs, {0})) < 1e-12);
  BOOST_TEST(distance(reverse.state.h, flipped.state.h) < 1e-12);
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
}

BOOST_AUTO_TEST_CASE(outside_a_tape_nothing_is_recorded) {
  const Gru cell = gru();
  const auto run = unroll(cell, V(numbers({T, B, I})));
  rw::Tape<double> tape;
  BOOST_TEST(!tape.holds(run.outputs));
  BOOST_TEST(tape.holds(unroll(cell, V(numbers({T, B, I}))).outputs));
}

BOOST_AUTO_TEST_CASE(float_agrees_with_double) {
  rw::Random random(1), same(1);
  const rw::nn::Lstm<float> cell({.input = I, .hidden = H}, random);
  const rw::nn::Lstm<double> exact({.input = I, .hidden = H}, same);
  const rw::Tensor<double> xs = numbers({T, B, I});
  rw::Tensor<float> rounded = rw::empty<float>(xs.shape());
  std::copy(xs.begin(), xs.end(), rounded.begin());
  const auto run = unroll(cell, rw::Variable<float>(rounded), {.lengths = {5, 2, 4}});
  const V outputs = unroll(exact, V(xs), {.lengths = {5, 2, 4}}).outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    BOOST_TEST(std::abs(double(run.outputs.value().data()[i]) - outputs.value().data()[i]) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(bidirectional_is_a_cell_in_each_direction) {
  Bidirectional<Gru> layer{gru(1), gru(2)};
  const Lengths lengths = {2, 5, 0};
  const V xs = numbers({T, B, I});
  const V h = numbers({B, H}, 7), k = numbers({B, H}, 8);
  const auto both = unroll(layer, xs, lengths, {{{h}, {k}}});
  const auto forward = unroll(layer.forward, xs, {.initial = Gru::State{h}, .lengths = lengths});
  const auto backward = unroll(layer.backward, xs, {.initial = Gru::State{k}, .lengths = lengths, .reverse = true});
  BOOST_TEST(distance(slice(both.outputs, 2, 0, H), forward.outputs) == 0);
  BOOST_TEST(distance(slice(both.outputs, 2, H), backward.outputs) == 0);
  BOOST_TEST(distance(both.state.forward.h, forward.state.h) == 0);
  BOOST_TEST(distance(both.state.backward.h, backward.state.h) == 0);
  BOOST_TEST(distance(unroll(layer, xs).state.backward.h, unroll(layer.backward, xs, {.reverse = true}).state.h) == 0);

  std::vector<std::string> names;
  for (const auto& entry : layer.parameters()) names.push_back(entry.name);
  const std::vector<std::string> expected = {"forward.weight_ih", "forward.weight_hh",  "forward.bias",
                                             "forward.bias_hn",   "backward.weight_ih", "backward.weight_hh",
                                             "backward.bias",     "backward.bias_hn"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  BOOST_CHECK_EXCEPTION(unroll(layer, xs, {6, 1, 1}), std::invalid_argument,
                        says("unroll: expected lengths of at most 5 steps; got 6"));
}

BOOST_AUTO_TEST_CASE(bidirectional_gradients_are_right) {
  Bidirectional<Gru> layer{gru(1, 2, 2), gru(2, 2, 2)};
  const auto f = [&](const std::vector<V>& x) {
    const auto run = unroll(layer, x[0], {3, 1}, {{{x[1]}, {x[2]}}});
    return std::vector<V>{run.outputs, run.state.forward.h, run.state.backward.h};
  };
  const auto report =
      rw::check_gradients("bidirectional", f, {numbers({3, 2, 2}), numbers({2, 2}, 2), numbers({2, 2}, 3)},
                          {.parameters = layer.parameters()});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_SUITE_END()
