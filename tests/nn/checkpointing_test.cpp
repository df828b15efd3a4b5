#include "nn/checkpointing.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "nn/embedding.hpp"
#include "nn/recurrent_dropout.hpp"
#include "nn/substitute.hpp"
#include "nn/zoneout.hpp"
#include "tests/nn/several_cells.hpp"

BOOST_AUTO_TEST_SUITE(checkpointing)

using common::distance;
using common::made;
using common::numbers;
using common::says;
using common::weighed;
using rw::checkpoint;
using rw::Gradients;
using rw::Random;
using rw::Tape;
using rw::Variable;
using rw::nn::Checkpointing;
using rw::nn::Lstm;
using rw::nn::RecurrentDropout;
using rw::nn::unroll;
using rw::nn::unroll_checkpointed;
using rw::nn::UnrollOptions;
using rw::nn::Zoneout;
using V = Variable<double>;

/// All that a run and its way back give, one after the other.
template <class C, class Run>
std::vector<V> everything(C& cell, const Run& run) {
  Tape<double> tape;
  const V xs = tape.watch(numbers({13, 3, 3}));
  const V twice = 2 * xs;  // an intermediate
  const auto initial =
      rw::nn::map_state([&](const V& v) { return tape.watch(v); }, common::scattered(cell.initial_state(3), 30));
  const auto result = run(twice, initial);
  std::vector<V> all = common::list(result.state);
  V loss = rw::scalar<double>(0);
  for (std::size_t k = 0; k < all.size(); ++k) loss = loss + weighed(all[k], k);
  if (result.outputs.defined()) {
    all.push_back(result.outputs);
    loss = loss + weighed(result.outputs, 20);
  }
  const auto gradients = tape.backward(loss, {.seed = {}, .keep = {twice}});
  all.insert(all.end(), {gradients[xs], gradients[twice]});
  for (const V& v : common::list(initial)) all.push_back(gradients[v]);
  for (const auto& entry : cell.parameters()) all.push_back(gradients[*entry.parameter]);
  return all;
}

double difference(const std::vector<V>& as, const std::vector<V>& bs) {
  BOOST_REQUIRE(as.size() == bs.size());
  double worst = 0;
  for (std::size_t k = 0; k < as.size(); ++k) worst = std::max(worst, distance(as[k], bs[k]));
  return worst;
}

template <class C>
void check(C cell, const UnrollOptions<typename C::State>& options = {}) {
  const auto compare = [&](bool own_start, const Checkpointing& how) {
    Random plain_random(5), random(5);
    const auto start = [&](const auto& initial, Random& source) {
      auto all = options;
      if (!own_start) all.initial = initial;
      if (options.random != nullptr) all.random = &source;
      return all;
    };
    const auto plain = everything(
        cell, [&](const V& xs, const auto& initial) { return unroll(cell, xs, start(initial, plain_random)); });
    const auto again = everything(cell, [&](const V& xs, const auto& initial) {
      return unroll_checkpointed(cell, xs, start(initial, random), how);
    });
    BOOST_TEST(difference(plain, again) < 1e-12);
    BOOST_TEST((random == plain_random));
  };
  for (const std::size_t segment : {0, 1, 3, 12, 13, 100}) {
    compare(false, {.segment = segment});
    compare(true, {.segment = segment});
  }
  compare(false, {.bytes = 1 << 15});
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_a_plain_unroll) {
  common::check_several_cells([](auto cell) { check(std::move(cell)); });
}

BOOST_AUTO_TEST_CASE(with_every_option) {
  check(made<Lstm<double>>(3, 4), {.lengths = {13, 2, 0}});
  check(made<Lstm<double>>(3, 4), {.lengths = {1, 9, 4}, .reverse = true});
  check(made<Lstm<double>>(3, 4), {.reverse = true});
  check(made<Lstm<double>>(3, 4), {.outputs = false});
  rw::Indices mask = rw::Indices::from_shape({13, 3});
  for (std::size_t i = 0; i < mask.size(); ++i) mask.data()[i] = i % 4 == 1 || i / 3 == 6 ? 0 : 1;
  check(made<Lstm<double>>(3, 4), {.mask = mask});
}

BOOST_AUTO_TEST_CASE(random_numbers_are_drawn_as_before) {
  Random random(1);
  check(Zoneout<Lstm<double>>(made<Lstm<double>>(3, 4), {0.3}), {.random = &random});
  check(RecurrentDropout<Lstm<double>>(made<Lstm<double>>(3, 4), 0.3), {.random = &random});
}

// What a part reads is found out: an embedding's rows, a weight that was computed.
BOOST_AUTO_TEST_CASE(a_part_of_any_kind) {
  Random random(2);
  rw::nn::Embedding<double> embedding({.vocabulary = 6, .dimension = 3}, random);
  auto cell = made<Lstm<double>>(3, 4);
  rw::Indices words = rw::Indices::from_shape({5, 2});
  for (std::size_t i = 0; i < words.size(); ++i) words.data()[i] = static_cast<std::int64_t>(i % 3);
  const auto gradients = [&](bool recompute, const V& w) {
    const auto part = [&, w] {
      const V ys = unroll(cell, embedding(words)).outputs;
      return std::vector<V>{ys, matmul(ys, w), w};
    };
    const std::vector<V> ys = recompute ? checkpoint<double>(part) : part();
    return weighed(ys[0], 1) + weighed(ys[1], 2) + weighed(ys[2], 3);
  };
  Tape<double> plain;
  const V plain_v = plain.watch(numbers({4, 2}));
  const auto wanted = plain.backward(gradients(false, exp(plain_v)));
  Tape<double> tape;
  const V v = tape.watch(numbers({4, 2}));
  const auto got = tape.backward(gradients(true, exp(v)));
  BOOST_TEST(distance(got[v], wanted[plain_v]) < 1e-12);
  BOOST_TEST(distance(got[cell.weight_hh], wanted[cell.weight_hh]) < 1e-12);
  BOOST_TEST(distance(got[embedding.weight], wanted[embedding.weight]) < 1e-12);
  BOOST_REQUIRE(got.rows(embedding.weight) != nullptr);  // and stays row-sparse
  BOOST_TEST(got.rows(embedding.weight)->ids.size() == 3u);
}

BOOST_AUTO_TEST_CASE(parts_within_parts) {
  auto cell = made<Lstm<double>>(3, 4);
  const auto gradient = [&](int depth) {
    Tape<double> tape;
    const V xs = tape.watch(numbers({6, 2, 3}));
    const auto part = [&, xs] { return std::vector<V>{unroll(cell, xs).outputs}; };
    const auto outer = [&, part, xs] { return std::vector<V>{checkpoint<double>(part)[0] + sum(xs)}; };
    const V y = depth == 0 ? part()[0] + sum(xs) : depth == 1 ? outer()[0] : checkpoint<double>(outer)[0];
    return tape.backward(weighed(y, 1))[xs];
  };
  BOOST_TEST(distance(gradient(1), gradient(0)) < 1e-12);
  BOOST_TEST(distance(gradient(2), gradient(0)) < 1e-12);
}

BOOST_AUTO_TEST_CASE(without_a_tape_or_anything_to_differentiate_nothing_is_recorded) {
  auto cell = made<Lstm<double>>(3, 4);
  const V xs = numbers({9, 2, 3});
  const auto plain = unroll(cell, xs);
  const auto run = unroll_checkpointed(cell, xs);
  BOOST_TEST(distance(run.outputs, plain.outputs) == 0);
  BOOST_TEST(common::difference(run.state, plain.state) == 0);
  Tape<double> tape;
  BOOST_TEST(distance(checkpoint<double>([xs] { return std::vector<V>{tanh(xs)}; })[0], tanh(xs)) == 0);
  BOOST_TEST(tape.size() == 0u);
}

/// A cell that notes how much the tapes hold while it works.
struct Noting {
  using State = Lstm<double>::State;
  State initial_state(std::size_t batch) const { return cell.initial_state(batch); }
  V project(const V& xs) const { return cell.project(xs); }
  rw::nn::Step<double, State> step(const V& x, const State& s) const {
    if (const Tape<double>* tape = Tape<double>::current()) most = std::max(most, tape->bytes());
    return cell.step(x, s);
  }
  Lstm<double>& cell;
  mutable std::size_t most = 0;
};

// Sixteen times the steps: four times the memory, where plain records take sixteen times.
BOOST_AUTO_TEST_CASE(memory_grows_as_the_root_of_the_steps) {
  auto cell = made<Lstm<double>>(3, 8);
  const auto bytes = [&](std::size_t steps, bool recompute, const Checkpointing& how = {}) {
    const Noting noting{cell};
    const V xs = numbers({steps, 2, 3});
    Tape<double> tape;
    const auto run =
        recompute ? unroll_checkpointed(noting, xs, {.outputs = false}, how) : unroll(noting, xs, {.outputs = false});
    const std::size_t held = tape.bytes();
    noting.most = 0;
    tape.backward(weighed(run.state.h, 1));
    BOOST_TEST((noting.most > 0) == recompute);
    return static_cast<double>(held + noting.most);
  };
  BOOST_TEST(bytes(1600, true) / bytes(100, true) < 4.5);
  BOOST_TEST(bytes(1600, false) / bytes(100, false) > 12);
  BOOST_TEST(bytes(1600, true) < bytes(1600, false) / 10);
  for (const std::size_t budget : {300'000, 1'000'000}) BOOST_TEST(bytes(2500, true, {.bytes = budget}) < budget);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_right_is_refused) {
  auto cell = made<Lstm<double>>(3, 4);
  const auto backward = [&](const auto& between, bool record = false) {
    Tape<double> tape;
    const V xs = tape.watch(numbers({9, 2, 3}));
    const V loss = weighed(unroll_checkpointed(cell, xs).outputs, 1);
    between();
    tape.backward(loss, {.seed = {}, .record = record});
  };
  backward([] {});
  BOOST_CHECK_EXCEPTION(backward([] {}, true), std::invalid_argument,
                        says("checkpoint: expected a backward pass that is not recorded; got a recorded one"));
  BOOST_CHECK_EXCEPTION(backward([&] { cell.weight_hh.update([](auto& w) { w.data()[0] += 1; }); }),
                        std::invalid_argument,
                        says("checkpoint: expected the values that the forward pass read; got others"));
  // A weight that another one stands for in the forward pass only.
  Tape<double> tape;
  const V other = tape.watch(numbers(cell.weight_hh.shape()));
  const V xs = numbers({9, 2, 3});
  const auto run =
      rw::nn::substitute<double>({{&cell.weight_hh, other}}, [&] { return unroll_checkpointed(cell, xs); });
  BOOST_CHECK_EXCEPTION(tape.backward(weighed(run.outputs, 1)), std::invalid_argument,
                        says("checkpoint: expected the values that the forward pass read; got others"));
}

BOOST_AUTO_TEST_CASE(bad_arguments) {
  auto cell = made<Lstm<double>>(3, 4);
  Tape<double> tape;
  const V xs = numbers({9, 2, 3});
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, xs, {}, {.segment = 3, .bytes = 1000}), std::invalid_argument,
                        says("unroll_checkpointed: expected steps of a segment or bytes; got 3 and 1000"));
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, xs, {}, {.bytes = 1000}), std::invalid_argument,
                        mentions("unroll_checkpointed: expected at least "));
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, V(numbers({9, 3}))), std::invalid_argument,
                        says("unroll_checkpointed: expected 3 axes; got x [9, 3]"));
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, V(numbers({0, 2, 3}))), std::invalid_argument,
                        says("unroll: expected at least one step and one row; got xs [0, 2, 3]"));
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, xs, {.lengths = {9}}), std::invalid_argument, mentions("unroll: "));
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, xs, {.lengths = {9, 10}}), std::invalid_argument,
                        mentions("unroll: "));
  rw::Tensor<double> holes = numbers({9, 2, 3});
  holes.data()[50] = std::nan("");
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(cell, V(holes)), std::invalid_argument, mentions("finite"));
  BOOST_TEST(tape.size() == 0u);
  auto stack = common::deep();
  stack.options = {.dropout = 0.5, .variational = true};
  Random random(1);
  BOOST_CHECK_EXCEPTION(unroll_checkpointed(stack, xs, {.random = &random}), std::invalid_argument,
                        says("unroll_checkpointed: expected whole sequences for variational dropout; got segments"));
}

BOOST_AUTO_TEST_SUITE_END()
