#include "nn/penalty.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/gradcheck.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/stack.hpp"
#include "tests/nn/users_cell.hpp"

BOOST_AUTO_TEST_SUITE(penalty)

using common::distance;
using common::made;
using common::numbers;
using common::says;
using common::weighed;
using rw::check_gradients;
using rw::GradcheckOptions;
using rw::Random;
using rw::slice;
using rw::squeeze;
using rw::sum;
using rw::Tape;
using rw::Tensor;
using rw::Variable;
using rw::nn::gradient_penalty;
using rw::nn::Gru;
using rw::nn::KeepStates;
using rw::nn::Lstm;
using rw::nn::omega;
using rw::nn::Rnn;
using rw::nn::Stack;
using rw::nn::unroll;
using V = Variable<double>;

// f(x) = w·x: λ(‖w‖ − 1)², whose gradient is 2λ(‖w‖ − 1)·w/‖w‖.
BOOST_AUTO_TEST_CASE(a_linear_function_exactly) {
  Tape<double> tape;
  const V w = tape.watch(numbers({5, 1}, 3)), x = tape.watch(numbers({4, 5}));
  const double length = rw::norm(w).item(), lambda = 10;
  for (const double wanted : {1.0, 0.0, 0.3}) {
    const V y = lambda * gradient_penalty(matmul(x, w), x, {.norm = wanted});
    BOOST_TEST(std::abs(y.item() - lambda * std::pow(length - wanted, 2)) < 1e-13);
    const auto gradients = tape.backward(y);
    BOOST_TEST(distance(gradients[w], 2 * lambda * (length - wanted) / length * w) < 1e-13);
    BOOST_TEST(distance(gradients[x], rw::zeros<double>({4, 5})) == 0);
  }
}

// Σ x³/3: each row's gradient is x², in rows along any axis, of leaves and intermediates.
BOOST_AUTO_TEST_CASE(rows_along_an_axis) {
  const Tensor<double> values = numbers({3, 2, 4});
  Tape<double> tape;
  const V x = tanh(tape.watch(values));
  const V rows = sum(x * x * x, {.axes = {0, 2}}) / 3;
  double wanted = 0;
  for (std::size_t b = 0; b < 2; ++b) {
    double squares = 0;
    for (std::size_t t = 0; t < 3; ++t) {
      for (std::size_t i = 0; i < 4; ++i) squares += std::pow(std::tanh(values(t, b, i)), 4);
    }
    wanted += std::pow(std::sqrt(squares) - 1, 2) / 2;
  }
  BOOST_TEST(std::abs(gradient_penalty(rows, x, {.batch = 1}).item() - wanted) < 1e-14);
  const V numbers_alone = tape.watch(numbers({6}));
  const V squares =
      sum(square(numbers_alone)) / 6 - gradient_penalty(square(numbers_alone), numbers_alone, {.norm = 0}) / 4;
  BOOST_TEST(std::abs(squares.item()) < 1e-14);
}

BOOST_AUTO_TEST_CASE(a_zero_gradient_stays_zero) {
  Tape<double> tape;
  const V x = tape.watch(numbers({3, 2})), w = tape.watch(rw::zeros<double>({2, 1}));
  const V y = gradient_penalty(matmul(x, w), x);
  BOOST_TEST(y.item() == 1);
  BOOST_TEST(distance(tape.backward(y)[w], rw::zeros<double>({2, 1})) == 0);
}

/// f of inputs on a tape, on one of its own where none records, as for the differences of a check.
template <class F>
V on_tape(const V& xs, const F& f) {
  if (Tape<double>::current() != nullptr) return f(xs);
  Tape<double> tape;
  return f(tape.watch(xs)).detached();
}

/// Checks the gradients of f(cell, xs) by the inputs and all parameters at T = 5.
template <class C, class F>
void check(const std::string& name, C cell, const F& f) {
  GradcheckOptions options;
  options.second_order = false;  // second derivatives are in f
  for (const auto& entry : cell.parameters()) options.parameters.push_back(entry.parameter);
  const auto on_inputs = [&](const auto& x) { return on_tape(x[0], [&](const V& xs) { return f(cell, xs); }); };
  const auto report = check_gradients(name, on_inputs, {numbers({5, 3, 3})}, options);
  BOOST_TEST(report.ok, report.message);
}

template <class F>
void check_cells(const F& f) {
  check("rnn", made<Rnn<double>>(3, 4), f);
  check("lstm", made<Lstm<double>>(3, 4), f);
  check("gru", made<Gru<double>>(3, 4), f);
  check("users_cell", made<common::UsersCell>(3, 4), f);
  Stack<Lstm<double>> deep;
  deep.layers.push_back(made<Lstm<double>>(3, 4, 1));
  deep.layers.push_back(made<Lstm<double>>(4, 5, 2));
  check("stack", std::move(deep), f);
}

BOOST_AUTO_TEST_CASE(gradients_of_the_penalty_through_cells) {
  check_cells([](auto& cell, const V& xs) {
    const V ys = unroll(cell, xs).outputs;
    return gradient_penalty(sum(V(numbers(ys.shape(), 4)) * ys, {.axes = {0, 2}}), xs, {.batch = 1});
  });
}

BOOST_AUTO_TEST_CASE(gradients_of_omega_through_cells) {
  check_cells([](auto& cell, const V& xs) {
    const KeepStates kept(cell);
    return omega(weighed(unroll(kept, xs).outputs, 4), kept);
  });
}

// h' = x + w·h: every step multiplies by w, so Ω = (T − 1)·(|w| − 1)² and dΩ/dw = 2·(T − 1)·(|w| − 1)·sign(w).
BOOST_AUTO_TEST_CASE(omega_of_a_linear_unit_exactly) {
  constexpr std::size_t steps = 7;
  Random random(1);
  Rnn<double> cell({.input = 1, .hidden = 1, .activation = [](const V& a) { return a; }}, random);
  for (const double w : {0.8, -1.3}) {
    cell.weight_hh.assign(rw::tensor<double>({1, 1}, {w}));
    for (const bool last : {false, true}) {
      Tape<double> tape;
      const KeepStates kept(cell);
      const V ys = unroll(kept, V(numbers({steps, 3, 1}))).outputs;
      const V penalty = omega(weighed(last ? slice(ys, 0, steps - 1) : ys, 2), kept);
      BOOST_TEST(std::abs(penalty.item() - (steps - 1) * std::pow(std::abs(w) - 1, 2)) < 1e-13);
      const double slope = 2.0 * (steps - 1) * (std::abs(w) - 1) * (w < 0 ? -1 : 1);
      BOOST_TEST(std::abs(tape.backward(penalty)[cell.weight_hh].item() - slope) < 1e-12);
    }
  }
}

// A step from a state that was watched counts, one from a constant does not.
BOOST_AUTO_TEST_CASE(omega_counts_the_steps_between_states_on_the_tape) {
  Random random(1);
  Rnn<double> cell({.input = 1, .hidden = 1, .activation = [](const V& a) { return a; }}, random);
  cell.weight_hh.assign(rw::tensor<double>({1, 1}, {0.5}));
  Tape<double> tape;
  const Rnn<double>::State start{tape.watch(numbers({1, 1}))};
  const KeepStates kept(cell);
  const V ys = unroll(kept, V(numbers({4, 1, 1})), {.initial = start}).outputs;
  BOOST_TEST(kept.steps().size() == 4u);
  BOOST_TEST(std::abs(omega(weighed(ys, 1), kept).item() - 4 * 0.25) < 1e-14);
  BOOST_TEST(std::abs(omega(weighed(slice(ys, 0, 0, 3), 1), kept).item() - 3 * 0.25) < 1e-14);  // one is not reached
}

/// Ω by its definition, one step after the other, of ⟨weights, outputs⟩ for a cell whose output is the state's h.
double directly(const Lstm<double>& cell, const V& xs, const V& weights) {
  const std::size_t steps = xs.shape()[0], batch = xs.shape()[1];
  const auto at = [](const V& v, std::size_t t) {
    return squeeze(slice(v, 0, static_cast<std::ptrdiff_t>(t), static_cast<std::ptrdiff_t>(t + 1)), 0);
  };
  double all = 0;
  for (std::size_t t = 1; t < steps; ++t) {
    const auto from = static_cast<std::ptrdiff_t>(t);
    const auto before = unroll(cell, slice(xs, 0, 0, from)).state;
    Tape<double> tape;
    const auto watch = [&](const V& v) { return tape.watch(v); };
    const Lstm<double>::State s = rw::nn::map_state(watch, before);
    const auto next = rw::nn::step(cell, at(xs, t), s).state;
    const Lstm<double>::State s_next = rw::nn::map_state(watch, next);
    V loss = sum(at(weights, t) * s_next.h);
    if (t + 1 < steps) {
      const auto rest = unroll(cell, slice(xs, 0, from + 1), {.initial = s_next});
      loss = loss + sum(slice(weights, 0, from + 1) * rest.outputs);
    }
    const auto later = tape.backward(loss);
    const V v_h = later[s_next.h], v_c = later[s_next.c];
    const auto now = tape.backward(sum(v_h * next.h) + sum(v_c * next.c));
    const auto squares = [](const V& a, const V& b) { return sum(square(a) + square(b), {.axes = {1}}); };
    const V ratio = sqrt(squares(now[s.h], now[s.c]) / squares(v_h, v_c));
    all += sum(square(ratio - 1)).item() / static_cast<double>(batch);
  }
  return all;
}

BOOST_AUTO_TEST_CASE(omega_against_its_definition) {
  auto cell = made<Lstm<double>>(3, 4);
  const V xs = numbers({6, 2, 3}), weights = numbers({6, 2, 4}, 5);
  Tape<double> tape;
  const KeepStates kept(cell);
  const V penalty = omega(sum(weights * unroll(kept, xs).outputs), kept);
  BOOST_TEST(penalty.item() > 0.1);
  BOOST_TEST(std::abs(penalty.item() / directly(cell, xs, weights) - 1) < 1e-12);
}

// The penalty of a ragged batch is the mean of its rows'.
BOOST_AUTO_TEST_CASE(omega_of_ragged_rows) {
  auto cell = made<Lstm<double>>(3, 4);
  const V xs = numbers({6, 3, 3}), weights = numbers({6, 3, 4}, 5);
  const std::vector<std::size_t> lengths{4, 6, 0};
  Tape<double> tape;
  const KeepStates kept(cell);
  const V penalty = omega(sum(weights * unroll(kept, xs, {.lengths = lengths}).outputs), kept);
  double rows = 0;
  for (std::size_t b = 0; b < 2; ++b) {
    const auto row = [&](const V& v) {
      const auto first = static_cast<std::ptrdiff_t>(b);
      return slice(slice(v, 1, first, first + 1), 0, 0, static_cast<std::ptrdiff_t>(lengths[b]));
    };
    rows += directly(cell, row(xs), row(weights));
  }
  BOOST_TEST(std::abs(penalty.item() / (rows / 3) - 1) < 1e-12);
  for (const auto& entry : cell.parameters()) {
    BOOST_TEST(std::isfinite(rw::norm(tape.backward(penalty)[*entry.parameter]).item()));
  }
}

/// h' = tanh(x + g ⊙ h), where g is a part of the state that every step hands on.
struct Keeper {
  struct State {
    V h, g;
  };
  State initial_state(std::size_t batch) const {
    return {rw::zeros<double>({batch, 1}), rw::full<double>({batch, 1}, 2)};
  }
  rw::nn::Step<double, State> step(const V& x, const State& s) const {
    const V h = tanh(x + s.g * s.h);
    return {h, {h, s.g}};
  }
  rw::nn::Parameters<double> parameters() { return {}; }
};

// (∂E/∂h, ∂E/∂g) one step back is (p·g·∂E/∂h', p·h·∂E/∂h' + ∂E/∂g') with p = 1 − h'².
BOOST_AUTO_TEST_CASE(omega_of_a_state_that_is_handed_on) {
  Keeper cell;
  const Tensor<double> xs = numbers({4, 1, 1});
  Tape<double> tape;
  const KeepStates kept(cell);
  const Keeper::State start{tape.watch(rw::full<double>({1, 1}, 0.3)), tape.watch(rw::full<double>({1, 1}, 2))};
  const V penalty = omega(sum(unroll(kept, V(xs), {.initial = start}).outputs), kept);
  std::vector<double> h{0.3};
  for (std::size_t t = 0; t < 4; ++t) h.push_back(std::tanh(xs.data()[t] + 2 * h[t]));
  double wanted = 0, v_h = 1, v_g = 0;  // each output has a gradient of 1
  for (std::size_t t = 4; t-- > 0;) {
    const double p = 1 - h[t + 1] * h[t + 1], to_h = p * 2 * v_h, to_g = p * h[t] * v_h + v_g;
    wanted += std::pow(std::hypot(to_h, to_g) / std::hypot(v_h, v_g) - 1, 2);
    v_h = to_h + 1;
    v_g = to_g;
  }
  BOOST_TEST(std::abs(penalty.item() / wanted - 1) < 1e-12);
}

BOOST_AUTO_TEST_CASE(bad_arguments) {
  auto cell = made<Lstm<double>>(3, 4);
  const KeepStates kept(cell);
  const V constant = numbers({3, 2});
  BOOST_CHECK_EXCEPTION(gradient_penalty(constant, constant), std::invalid_argument,
                        says("gradient_penalty: expected a tape that records; got none"));
  BOOST_CHECK_EXCEPTION(omega(constant, kept), std::invalid_argument,
                        says("omega: expected a tape that records; got none"));
  Tape<double> tape;
  const V x = tape.watch(numbers({3, 2}));
  BOOST_CHECK_EXCEPTION(gradient_penalty(constant, x), std::invalid_argument,
                        says("gradient_penalty: expected a result on the tape that records; got a constant"));
  BOOST_CHECK_EXCEPTION(gradient_penalty(V(), x), std::invalid_argument,
                        says("gradient_penalty: expected a result on the tape that records; got a constant"));
  BOOST_CHECK_EXCEPTION(gradient_penalty(sum(x), constant), std::invalid_argument,
                        says("gradient_penalty: expected x watched or made on the tape; got a constant"));
  BOOST_CHECK_EXCEPTION(gradient_penalty(2 * x, x), std::invalid_argument,
                        says("gradient_penalty: expected y with a number for each of 3 rows; got y [3, 2]"));
  BOOST_CHECK_EXCEPTION(gradient_penalty(2 * x, x, {.batch = 2}), std::invalid_argument,
                        mentions("gradient_penalty: "));
  BOOST_CHECK_EXCEPTION(omega(sum(x), kept), std::invalid_argument,
                        says("omega: expected steps that the tape recorded; got none"));
  const V ys = unroll(kept, V(numbers({3, 2, 3}))).outputs;
  BOOST_CHECK_EXCEPTION(omega(ys, kept), std::invalid_argument,
                        says("backward: expected one element, or a seed; got y [3, 2, 4]"));
}

BOOST_AUTO_TEST_SUITE_END()
