#include "nn/rtrl.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/cells/elman.hpp"
#include "nn/cells/fully_recurrent.hpp"
#include "nn/cells/jordan.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/learned_start.hpp"
#include "nn/linear.hpp"
#include "nn/stack.hpp"
#include "nn/unroll.hpp"
#include "tests/memory.hpp"
#include "tests/nn/common.hpp"

namespace {

using common::distance;
using common::numbers;
using rw::Gradients;
using rw::Random;
using rw::Tape;
using rw::Tensor;
using rw::nn::Rtrl;
using V = rw::Variable<double>;
using Lstm = rw::nn::Lstm<double>;
using FullyRecurrent = rw::nn::FullyRecurrent<double>;

template <class C>
C scattered(C cell) {
  common::scatter(cell.parameters(), 7);
  return cell;
}

V of(const rw::Shape& shape, const std::vector<double>& elements) {
  Tensor<double> x = rw::empty<double>(shape);
  std::copy(elements.begin(), elements.end(), x.data());
  return x;
}

/// <numbers of step t, y>.
V loss_of(const V& y, std::size_t t) { return common::weighed(y, 100 + t); }

/// The sum of RTRL's gradients, and the last of them alone, against backpropagation through time.
template <class C>
void check_against_bptt(C cell, std::size_t steps, std::size_t batch, std::size_t input) {
  const V xs = numbers({steps, batch, input});
  Tape<double> tape;
  const auto outputs = unstack(rw::nn::unroll(cell, xs).outputs);
  V total = rw::scalar(0.0), last;
  for (std::size_t t = 0; t < steps; ++t) total = total + (last = loss_of(outputs[t], t));
  const auto expected = tape.backward(total), expected_last = tape.backward(last);

  Rtrl<C> rtrl(cell, batch);
  for (int sequence = 0; sequence < 2; ++sequence, rtrl.reset()) {
    Gradients<double> gradients, alone;
    for (std::size_t t = 0; t < steps; ++t) {
      const auto now = rtrl.step(unstack(xs)[t], [&](const V& y) { return loss_of(y, t); });
      BOOST_TEST(distance(now.output, outputs[t]) < 1e-12);
      BOOST_TEST(std::abs(now.loss - loss_of(outputs[t], t).item()) < 1e-12);
      gradients += alone = now.gradients;
    }
    for (const auto& entry : cell.parameters()) {
      BOOST_TEST(distance(gradients[*entry.parameter], expected[*entry.parameter]) < 1e-10, entry.name);
      BOOST_TEST(distance(alone[*entry.parameter], expected_last[*entry.parameter]) < 1e-10, entry.name);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rtrl)

BOOST_AUTO_TEST_CASE(equals_backpropagation_through_time) {
  Random random(1);
  BOOST_TEST_CONTEXT("fully recurrent") {
    check_against_bptt(scattered(FullyRecurrent({.input = 3, .units = 5}, random)), 20, 1, 3);
  }
  BOOST_TEST_CONTEXT("lstm, rows") { check_against_bptt(scattered(Lstm({.input = 2, .hidden = 3}, random)), 12, 2, 2); }
  BOOST_TEST_CONTEXT("elman, whose output is not its state") {
    const rw::nn::Elman<double>::Options options{.input = 3, .hidden = 4, .output = 2};
    check_against_bptt(scattered(rw::nn::Elman<double>(options, random)), 10, 1, 3);
  }
  BOOST_TEST_CONTEXT("elman, truncated") {
    const rw::nn::Elman<double>::Options options{.input = 3, .hidden = 4, .output = 2, .truncate = true};
    check_against_bptt(scattered(rw::nn::Elman<double>(options, random)), 10, 1, 3);
  }
  BOOST_TEST_CONTEXT("jordan") {
    check_against_bptt(scattered(rw::nn::Jordan<double>({.input = 3, .hidden = 4, .output = 2}, random)), 10, 2, 3);
  }
  BOOST_TEST_CONTEXT("stack") {
    rw::nn::Stack<Lstm> stack;
    stack.layers.emplace_back(Lstm::Options{.input = 2, .hidden = 3}, random);
    stack.layers.emplace_back(Lstm::Options{.input = 3, .hidden = 2}, random);
    check_against_bptt(scattered(std::move(stack)), 6, 1, 2);
  }
  BOOST_TEST_CONTEXT("a trained start") {
    check_against_bptt(scattered(rw::nn::LearnedStart(Lstm({.input = 2, .hidden = 3}, random))), 6, 2, 2);
  }
}

// The paper's recursion: p[k][l][m](t + 1) = f'(s[k]) (sum over units i of w[i][k]·p[i][l][m](t) + z[l]·[k = m]).
BOOST_AUTO_TEST_CASE(the_sensitivities_are_those_of_the_paper) {
  constexpr std::size_t n = 4, m = 2, width = n + m + 1;
  Random random(1);
  auto cell = scattered(FullyRecurrent({.input = m, .units = n}, random));
  const double* w = cell.weight.value().data();
  std::vector<double> p(n * width * n, 0.0), y(n, 0.0);
  Rtrl rtrl(cell);
  for (std::size_t t = 0; t < 6; ++t) {
    const Tensor<double> x = numbers({1, m}, t);
    rtrl.step(V(x));
    std::vector<double> z = y, next = p;
    z.insert(z.end(), x.begin(), x.end());
    z.push_back(1);
    for (std::size_t k = 0; k < n; ++k) {
      double s = 0;
      for (std::size_t l = 0; l < width; ++l) s += z[l] * w[l * n + k];
      y[k] = 1 / (1 + std::exp(-s));
      for (std::size_t e = 0; e < width * n; ++e) {
        double through = e % n == k ? z[e / n] : 0;
        for (std::size_t i = 0; i < n; ++i) through += w[i * n + k] * p[i * width * n + e];
        next[k * width * n + e] = y[k] * (1 - y[k]) * through;
      }
    }
    p = next;
    BOOST_TEST(distance(rtrl.sensitivities(), of({n, width * n}, p)) < 1e-14);
    BOOST_TEST(distance(rtrl.state().y, of({1, n}, y)) < 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(what_the_loss_reads_is_trained_as_well) {
  Random random(1);
  auto cell = scattered(Lstm({.input = 2, .hidden = 3}, random));
  rw::nn::Linear<double> readout({.input = 3, .output = 2}, random);
  Rtrl rtrl(cell);
  rtrl.step(V(numbers({1, 2}, 1)));
  const V x = numbers({1, 2}, 2);
  const auto loss = [&](const V& y) { return common::weighed(readout(y), 1); };
  const auto now = rtrl.step(x, loss);

  Tape<double> tape;
  const auto first = rw::nn::step(cell, V(numbers({1, 2}, 1)), cell.initial_state(1));
  const auto expected = tape.backward(loss(rw::nn::step(cell, x, first.state).output));
  BOOST_TEST(distance(now.gradients[readout.weight], expected[readout.weight]) < 1e-14);
  BOOST_TEST(distance(now.gradients[*readout.bias], expected[*readout.bias]) < 1e-14);
  BOOST_TEST(distance(now.gradients[cell.weight_hh], expected[cell.weight_hh]) < 1e-14);
}

BOOST_AUTO_TEST_CASE(remembers_no_past) {
  Random random(1);
  auto cell = scattered(Lstm({.input = 2, .hidden = 3}, random));
  const Tape<double> around;
  Rtrl rtrl(cell);
  const V x = numbers({1, 2});
  const auto bytes_after = [&](int steps) {
    for (int t = 0; t < steps; ++t) rtrl.step(x, [](const V& y) { return sum(square(y)); });
    return common::bytes_in_use();
  };
  const std::size_t few = bytes_after(50);
  BOOST_TEST(bytes_after(500) == few);
  BOOST_TEST(around.size() == 0);
}

namespace {

/// Remembers every input.
struct Recorder {
  struct State {
    std::vector<V> seen;
  };
  State initial_state(std::size_t batch) const { return {std::vector<V>(start, rw::zeros<double>({batch, 1}))}; }
  rw::nn::Step<double, State> step(const V& x, State s) const {
    s.seen.push_back(x * weight);
    return {s.seen.back(), s};
  }
  rw::nn::Parameters<double> parameters() { return {weight}; }

  std::size_t start;
  rw::Parameter<double> weight{"weight", rw::scalar(2.0)};
};

}  // namespace

BOOST_AUTO_TEST_CASE(refuses_what_it_cannot_follow) {
  Recorder none{0}, one{1};
  BOOST_CHECK_EXCEPTION(Rtrl<Recorder>{none}, std::invalid_argument,
                        common::says("rtrl: expected a state with numbers in it; got none"));
  Rtrl rtrl(one);
  const V x = numbers({1, 1});
  BOOST_CHECK_EXCEPTION(rtrl.step(x), std::invalid_argument,
                        common::says("rtrl: expected a state of 1 numbers after each step; got 2"));

  Random random(1);
  auto cell = scattered(FullyRecurrent({.input = 1, .units = 2}, random));
  Rtrl other(cell);
  other.step(x);
  const V y = other.state().y, p = other.sensitivities();
  BOOST_CHECK_EXCEPTION(other.step(x, [](const V& y) { return y; }), std::invalid_argument,
                        mentions("backward: expected one element"));
  BOOST_CHECK_EXCEPTION(other.step(V(numbers({1, 2}))), std::invalid_argument, mentions("matmul: expected"));
  BOOST_TEST(distance(other.state().y, y) == 0);
  BOOST_TEST(distance(other.sensitivities(), p) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
