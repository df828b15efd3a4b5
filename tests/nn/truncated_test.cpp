#include "nn/truncated.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "nn/cells/rnn.hpp"
#include "nn/recurrent_dropout.hpp"
#include "optim/sgd.hpp"
#include "tests/memory.hpp"
#include "tests/nn/several_cells.hpp"

BOOST_AUTO_TEST_SUITE(truncated)

using common::distance;
using common::made;
using common::numbers;
using common::says;
using common::weighed;
using rw::Gradients;
using rw::Random;
using rw::slice;
using rw::squeeze;
using rw::Tape;
using rw::Variable;
using rw::nn::Lstm;
using rw::nn::Rnn;
using rw::nn::Truncated;
using rw::nn::unroll;
using V = Variable<double>;

V window(const V& xs, std::size_t begin, std::size_t end) {
  return slice(xs, 0, static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end));
}

/// Σ over the windows of ⟨numbers, outputs⟩, each window with others.
template <class C>
Gradients<double> in_windows(C& cell, const V& xs, std::size_t every, std::size_t back,
                             const std::vector<std::size_t>& lengths = {}) {
  Truncated<C> through_time(cell, {.every = every, .back = back});
  Gradients<double> all;
  for (std::size_t t = 0; t < xs.shape()[0]; t += every) {
    rw::nn::UnrollOptions<typename C::State> options;
    for (const std::size_t n : lengths) options.lengths.push_back(std::min(every, n - std::min(n, t)));
    all += through_time
               .step(
                   window(xs, t, t + every), [&](const V& ys) { return weighed(ys, t); }, options)
               .gradients;
  }
  return all;
}

template <class C>
Gradients<double> at_once(C& cell, const V& xs, std::size_t every, const std::vector<std::size_t>& lengths = {}) {
  Tape<double> tape;
  const V ys = unroll(cell, xs, {.lengths = lengths}).outputs;
  V loss = rw::scalar<double>(0);
  for (std::size_t t = 0; t < xs.shape()[0]; t += every) loss = loss + weighed(window(ys, t, t + every), t);
  return tape.backward(loss);
}

/// The largest difference of the gradients, relative to the largest of them.
template <class C>
double worst(C& cell, const Gradients<double>& a, const Gradients<double>& b) {
  double difference = 0, size = 0;
  for (const auto& entry : cell.parameters()) {
    difference = std::max(difference, distance(a[*entry.parameter], b[*entry.parameter]));
    size = std::max(size, distance(b[*entry.parameter], rw::zeros<double>(entry.parameter->shape())));
  }
  return difference / size;
}

// As far back as the sequence is long: the same as going back once.
BOOST_AUTO_TEST_CASE(back_over_all_is_full_backpropagation) {
  common::check_several_cells([](auto cell) {
    const V xs = numbers({12, 2, 3});
    for (const std::size_t every : {1, 3, 4, 12}) {
      BOOST_TEST(worst(cell, in_windows(cell, xs, every, 12), at_once(cell, xs, every)) < 1e-12);
    }
    BOOST_TEST(worst(cell, in_windows(cell, xs, 4, 100), at_once(cell, xs, 4)) < 1e-12);
    BOOST_TEST(worst(cell, in_windows(cell, xs, 4, 8), at_once(cell, xs, 4)) > 1e-6);  // one window less is not
    const std::vector<std::size_t> lengths{12, 5};
    BOOST_TEST(worst(cell, in_windows(cell, xs, 4, 12, lengths), at_once(cell, xs, 4, lengths)) < 1e-12);
  });
}

// h' = w·h + x, L = h_T: dL/dw of the last k steps is Σ_{j<k} wʲ·h_{T−1−j}.
BOOST_AUTO_TEST_CASE(a_linear_unit_exactly) {
  constexpr std::size_t steps = 12;
  constexpr double w = 0.8;
  Random random(1);
  Rnn<double> cell({.input = 1, .hidden = 1, .bias = false, .activation = [](const V& a) { return a; }}, random);
  cell.weight_ih.assign(rw::tensor<double>({1, 1}, {1}));
  cell.weight_hh.assign(rw::tensor<double>({1, 1}, {w}));
  const V xs = numbers({steps, 1, 1});
  std::vector<double> h{0};
  for (std::size_t t = 0; t < steps; ++t) h.push_back(w * h.back() + xs.value().data()[t]);
  using Pair = std::pair<std::size_t, std::size_t>;
  for (const Pair& pair : {Pair(1, 1), Pair(1, 5), Pair(3, 3), Pair(2, 6), Pair(3, 9), Pair(4, 12), Pair(6, 60)}) {
    const std::size_t every = pair.first, back = pair.second;
    Truncated<Rnn<double>> through_time(cell, {.every = every, .back = back});
    for (std::size_t t = 0; t + every < steps; t += every) through_time.read(window(xs, t, t + every));
    const auto last = [&](const V& ys) { return squeeze(squeeze(squeeze(window(ys, every - 1, every), 0), 0), 0); };
    const auto learned = through_time.step(window(xs, steps - every, steps), last);
    double wanted = 0;
    for (std::size_t j = 0; j < std::min(back, steps); ++j) wanted += std::pow(w, j) * h[steps - 1 - j];
    BOOST_TEST(std::abs(learned.loss - h[steps]) < 1e-14);
    BOOST_TEST(std::abs(learned.gradients[cell.weight_hh].item() - wanted) < 1e-13);
  }
}

// Nothing but parameters is among the gradients: their norm is what clipping is to see.
BOOST_AUTO_TEST_CASE(the_norm_is_that_of_the_parameters) {
  auto cell = made<Lstm<double>>(3, 4);
  const V xs = numbers({8, 2, 3});
  Truncated<Lstm<double>> through_time(cell, {.every = 2, .back = 4});
  for (std::size_t t = 0; t < 8; t += 2) {
    const auto learned = through_time.step(window(xs, t, t + 2), [](const V& ys) { return weighed(ys, 3); });
    double squares = 0;
    for (const auto& entry : cell.parameters()) {
      squares += std::pow(rw::norm(learned.gradients[*entry.parameter]).item(), 2);
    }
    BOOST_TEST(std::abs(learned.gradients.norm() / std::sqrt(squares) - 1) < 1e-12);
  }
}

// The windows of before stay as they were when the parameters change.
BOOST_AUTO_TEST_CASE(what_was_computed_with_old_parameters_is_differentiated_there) {
  auto cell = made<Lstm<double>>(3, 4);
  const V xs = numbers({4, 2, 3});
  const auto loss = [](const V& ys) { return weighed(ys, 3); };
  const auto change = [](rw::Tensor<double>& x) {
    for (double& element : x) element *= 1.5;
  };
  Truncated<Lstm<double>> through_time(cell, {.every = 2, .back = 4});
  through_time.read(window(xs, 0, 2));
  for (const auto& entry : cell.parameters()) entry.parameter->update(change);
  const auto learned = through_time.step(window(xs, 2, 4), loss);

  auto old = made<Lstm<double>>(3, 4);  // the same by hand, with two sets of parameters
  Tape<double> tape;
  const auto first = unroll(old, window(xs, 0, 2));
  const auto second = unroll(cell, window(xs, 2, 4), {.initial = first.state});
  const auto gradients = tape.backward(loss(second.outputs));
  const auto olds = old.parameters(), news = cell.parameters();
  for (const auto& entry : news) {
    const V wanted = gradients[*entry.parameter] + gradients[olds[entry.name]];
    BOOST_TEST(distance(learned.gradients[*entry.parameter], wanted) < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(the_state_goes_on) {
  auto cell = made<Lstm<double>>(3, 4);
  const V xs = numbers({10, 2, 3});
  const auto whole = unroll(cell, xs);
  Truncated<Lstm<double>> through_time(cell, {.every = 4, .back = 8});
  BOOST_TEST(!through_time.state());
  for (int pass = 0; pass < 2; ++pass, through_time.reset()) {
    for (std::size_t t = 0; t < 10; t += 4) {  // the last one is short
      const std::size_t end = std::min<std::size_t>(t + 4, 10);
      const auto learned = through_time.step(window(xs, t, end), [](const V& ys) { return weighed(ys, 3); });
      BOOST_TEST(distance(learned.outputs, window(whole.outputs, t, end)) < 1e-14);
    }
    BOOST_TEST(common::difference(*through_time.state(), whole.state) < 1e-14);
  }
  through_time.reset(whole.state);
  BOOST_TEST(distance(through_time.read(xs.part(0, {4, 2, 3})),
                      unroll(cell, window(xs, 0, 4), {.initial = whole.state}).outputs) < 1e-14);
}

BOOST_AUTO_TEST_CASE(a_tape_in_scope_records_nothing_of_it) {
  auto cell = made<Lstm<double>>(3, 4);
  Tape<double> tape;
  const V x = tape.watch(numbers({2, 2, 3}));
  Truncated<Lstm<double>> through_time(cell, {.every = 2, .back = 2});
  through_time.step(x, [](const V& ys) { return weighed(ys, 3); });
  BOOST_TEST(tape.size() == 0u);
  BOOST_TEST(Tape<double>::current() == &tape);
}

// A thousand windows hold no more than ten.
BOOST_AUTO_TEST_CASE(memory_stays_flat) {
  auto cell = made<Lstm<double>>(3, 8);
  rw::optim::Sgd<double> sgd({.learning_rate = 1e-3});
  Truncated<Lstm<double>> through_time(cell, {.every = 5, .back = 15});
  std::size_t early = 0, in_use = 0;
  for (int n = 0; n < 1000; ++n) {
    const V xs = numbers({5, 2, 3}, static_cast<std::uint64_t>(n));
    const auto learned = through_time.step(xs, [](const V& ys) { return weighed(ys, 3); });
    sgd.step(cell.parameters(), learned.gradients);
    if (n == 10) early = through_time.bytes();
    if (n == 100) in_use = common::bytes_in_use();
  }
  BOOST_TEST(early > 0u);
  BOOST_TEST(through_time.bytes() == early);
  BOOST_TEST(common::bytes_in_use() <= in_use + 4096);
}

BOOST_AUTO_TEST_CASE(dropout_goes_on_with_the_state) {
  using Cell = rw::nn::RecurrentDropout<Lstm<double>>;
  Cell cell(made<Lstm<double>>(3, 4), 0.5);
  Random random(1);
  Truncated<Cell> through_time(cell, {.every = 2, .back = 4});
  rw::nn::UnrollOptions<Cell::State> options;
  options.random = &random;
  const auto loss = [](const V& ys) { return weighed(ys, 3); };
  through_time.step(numbers({2, 2, 3}), loss, options);
  const V mask = through_time.state()->mask;
  through_time.step(numbers({2, 2, 3}), loss, options);
  BOOST_TEST(distance(through_time.state()->mask, mask) == 0);
}

BOOST_AUTO_TEST_CASE(bad_arguments) {
  auto cell = made<Lstm<double>>(3, 4);
  using Windows = Truncated<Lstm<double>>;
  const auto loss = [](const V& ys) { return weighed(ys, 3); };
  BOOST_CHECK_EXCEPTION(Windows(cell, {.every = 0, .back = 4}), std::invalid_argument,
                        says("truncated: expected windows of at least one step; got 0"));
  for (const std::size_t back : {0, 2, 7}) {
    BOOST_CHECK_EXCEPTION(Windows(cell, {.every = 3, .back = back}), std::invalid_argument,
                          says("truncated: expected steps back in whole windows of 3; got " + std::to_string(back)));
  }
  Windows windows(cell, {.every = 3, .back = 6});
  windows.read(numbers({3, 2, 3}));
  const auto before = *windows.state();
  const std::size_t bytes = windows.bytes();
  BOOST_CHECK_EXCEPTION(windows.step(numbers({4, 2, 3}), loss), std::invalid_argument,
                        says("truncated: expected a window of at most 3 steps; got xs [4, 2, 3]"));
  BOOST_CHECK_EXCEPTION(windows.step(numbers({3, 3}), loss), std::invalid_argument,
                        says("truncated: expected 3 axes; got x [3, 3]"));
  BOOST_CHECK_EXCEPTION(
      windows.step(numbers({3, 2, 3}), loss, {.initial = before}), std::invalid_argument,
      says("truncated: expected the state carried on, or one given to reset(); got an initial state"));
  BOOST_CHECK_EXCEPTION(windows.step(numbers({3, 2, 3}), loss, {.reverse = true}), std::invalid_argument,
                        says("truncated: expected windows read forwards; got reverse"));
  BOOST_CHECK_EXCEPTION(windows.step(numbers({3, 4, 3}), loss), std::invalid_argument,
                        says("unroll: expected an initial state of 4 rows, as [4, 4]; got [2, 4]"));
  BOOST_CHECK_EXCEPTION(windows.step(numbers({3, 2, 3}), [](const V& ys) { return ys; }), std::invalid_argument,
                        says("backward: expected one element, or a seed; got y [3, 2, 4]"));
  BOOST_CHECK_EXCEPTION(windows.step(numbers({3, 2, 3}), [](const V&) { return V(rw::scalar<double>(1)); }),
                        std::invalid_argument, mentions("backward: expected a result recorded on this tape"));
  BOOST_TEST(common::difference(*windows.state(), before) == 0);  // nothing happened
  BOOST_TEST(windows.bytes() == bytes);
  BOOST_TEST(Tape<double>::current() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
