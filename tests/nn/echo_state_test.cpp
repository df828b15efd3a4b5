#include "nn/echo_state.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/ops/reduce.hpp"
#include "nn/safetensors.hpp"
#include "tests/folder.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using common::distance;
using common::numbers;
using rw::concatenate;
using rw::Random;
using rw::slice;
using rw::Tape;
using rw::Tensor;
using rw::tensor;
using rw::Variable;
using rw::nn::EchoState;
using rw::nn::nrmse;
using rw::nn::Parameters;
using rw::nn::ridge;
using rw::nn::unroll;
using V = Variable<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A network whose parameters are the trained ones alone: differences are taken by those that have gradients.
struct Trained : EchoState<double> {
  using EchoState<double>::EchoState;
  Parameters<double> parameters() {
    return {{"log_radius", reservoir.log_radius},
            {"log_input_scale", reservoir.log_input_scale},
            {"leak_logit", *reservoir.leak_logit},
            {"readout.weight", readout.weight},
            {"readout.bias", *readout.bias}};
  }
};

template <bool Feedback>
struct EchoStateRow {
  using Cell = Trained;
  static Cell make(std::size_t input, std::size_t hidden, Random&) {
    Random random(7);  // the fixed weights are the same for all seeds, as files of the trained ones do not hold them
    return Cell({.output = 2,
                 .feedback = Feedback,
                 .reservoir = {.input = input, .hidden = hidden, .leak = 0.3, .connectivity = 0.6}},
                random);
  }
  static std::vector<std::string> names() {
    return {"log_radius", "log_input_scale", "leak_logit", "readout.weight", "readout.bias"};
  }

  // The state is h, y.
  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) {
    const auto& r = cell.reservoir;
    const std::size_t n = r.hidden(), outputs = 2;
    const double scale = std::exp(at(r.log_input_scale, 0)), radius = std::exp(at(r.log_radius, 0));
    const double leak = cell_rows::sigmoid(at(r.leak_logit, 0));
    Numbers read = x, y(outputs);
    for (std::size_t j = 0; j < n; ++j) {
      double sum = scale * (column(x, 0, r.weight_ih, j) + at(r.bias, j)) + radius * column(state, 0, r.weight_hh, j);
      for (std::size_t k = 0; Feedback && k < outputs; ++k) sum += state[n + k] * at(r.weight_fb, k * n + j);
      read.push_back((1 - leak) * state[j] + leak * std::tanh(sum));
    }
    for (std::size_t k = 0; k < outputs; ++k) y[k] = column(read, 0, cell.readout.weight, k) + at(cell.readout.bias, k);
    state.assign(read.begin() + static_cast<std::ptrdiff_t>(x.size()), read.end());
    state.insert(state.end(), y.begin(), y.end());
    return y;
  }

  static auto unfused(const Cell& cell, const V& x, const Cell::State& s) { return cell.step(x, s); }
};

/// sin(t/3) and cos(t/5) as [steps, 1, 1] from t on.
V wave(std::size_t steps, double from = 0) {
  Tensor<double> x = rw::empty<double>({steps, 1, 1});
  for (std::size_t t = 0; t < steps; ++t) x.data()[t] = std::sin((from + static_cast<double>(t)) / 3);
  return x;
}

EchoState<double> network(std::size_t output, bool feedback, double leak = 0.7) {
  Random random(1);
  return EchoState<double>(
      {.output = output, .feedback = feedback, .reservoir = {.input = 1, .hidden = 30, .leak = leak}}, random);
}

BOOST_AUTO_TEST_SUITE(echo_state)

BOOST_AUTO_TEST_CASE(ridge_is_exact_where_the_answer_is_known) {
  // One column: w = Σxy/(Σx² + λ).
  const auto x = tensor<double>({3, 1}, {1, 2, 3}), y = tensor<double>({3, 2}, {1, 0, 2, 1, 2, -1});
  const auto w = ridge(x, y, 6);
  BOOST_TEST(distance(w, tensor<double>({1, 2}, {11.0 / 20, -1.0 / 20})) < 1e-15);
  // As many rows as columns: the line through two points.
  BOOST_TEST(distance(ridge(tensor<double>({2, 2}, {1, 1, 3, 1}), tensor<double>({2, 1}, {4, 8}), 0),
                      tensor<double>({2, 1}, {2, 2})) < 1e-14);
}

// Xᵀ(X·W − Y) + λ·W = 0, with fewer rows than columns too.
BOOST_AUTO_TEST_CASE(ridge_leaves_no_gradient) {
  for (const std::size_t rows : {40u, 5u}) {
    const V x = numbers({rows, 9}, 1), y = numbers({rows, 3}, 2), w = ridge(x.value(), y.value(), 0.1);
    const V gradient = matmul(x, matmul(x, w) - y, rw::Transpose::a) + 0.1 * w;
    BOOST_TEST(distance(gradient, rw::zeros<double>({9, 3})) < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(nrmse_of_known_errors) {
  const auto y = tensor<double>({4}, {1, 2, 3, 4});  // Σ(y − 2.5)² = 5
  BOOST_TEST(nrmse(y, y) == 0);
  BOOST_TEST(std::abs(nrmse(rw::full<double>({4}, 2.5), y) - 1) < 1e-15);
  BOOST_TEST(std::abs(nrmse(tensor<float>({4}, {1, 2, 3, 6}), tensor<float>({4}, {1, 2, 3, 4})) - std::sqrt(0.8)) <
             1e-7);
}

// By the tape: at the fitted read-out the gradient of what ridge regression makes least is 0.
BOOST_AUTO_TEST_CASE(fit_leaves_no_gradient) {
  for (const bool feedback : {false, true}) {
    auto net = network(2, feedback);
    const V xs = numbers({60, 3, 1}, 1), targets = numbers({60, 3, 2}, 2);
    net.fit(xs, targets, {.washout = 20, .lambda = 0.01});
    Tape<double> tape;
    const V error = slice(net.force(xs, targets).outputs - targets, 0, 20);
    const V cost = sum(square(error)) + 0.01 * (sum(square(net.readout.weight)) + sum(square(*net.readout.bias)));
    const auto gradients = tape.backward(cost);
    BOOST_TEST(rw::norm(gradients[net.readout.weight]).item() < 1e-8);
    BOOST_TEST(rw::norm(gradients[*net.readout.bias]).item() < 1e-8);
    BOOST_TEST(rw::norm(gradients[net.reservoir.log_radius]).item() > 1e-3);  // that is for the gradient to lower
  }
}

// Whoever is told the own outputs hears what runs freely.
BOOST_AUTO_TEST_CASE(forced_with_its_own_outputs_it_runs_freely) {
  for (const bool feedback : {false, true}) {
    auto net = network(2, feedback);
    const V xs = numbers({25, 2, 1}, 3);
    const auto start = net.force(numbers({4, 2, 1}, 4), numbers({4, 2, 2}, 5)).state;
    const auto free = unroll(net, xs, {.initial = start});
    const auto forced = net.force(xs, free.outputs, start);
    BOOST_TEST(distance(forced.outputs, free.outputs) < 1e-12);
    BOOST_TEST(distance(forced.state.reservoir.h, free.state.reservoir.h) < 1e-12);
    BOOST_TEST(distance(forced.state.output, free.state.output) == 0);
  }
}

// Two halves, the second begun in the state that the first ends in, are the whole; fit() returns that state too.
BOOST_AUTO_TEST_CASE(teacher_forcing_goes_on_from_a_state) {
  auto net = network(2, true);
  const V xs = numbers({30, 2, 1}, 6), targets = numbers({30, 2, 2}, 7);
  const V early = slice(xs, 0, 0, 12), late = slice(xs, 0, 12), wanted = slice(targets, 0, 0, 12);
  const auto fitted = net.fit(early, wanted, {.washout = 2, .lambda = 1e-3});
  const auto whole = net.force(xs, targets);
  const auto first = net.force(early, wanted), second = net.force(late, slice(targets, 0, 12), fitted);
  BOOST_TEST(distance(concatenate({first.outputs, second.outputs}, 0), whole.outputs) < 1e-12);
  BOOST_TEST(distance(second.state.reservoir.h, whole.state.reservoir.h) < 1e-12);
  BOOST_TEST(distance(fitted.reservoir.h, first.state.reservoir.h) == 0);
}

// A generator: fitted to a sine, it goes on by itself, from a constant input.
BOOST_AUTO_TEST_CASE(it_runs_on_as_a_sine) {
  auto net = network(1, true, 1);
  const V constant = rw::full<double>({300, 1, 1}, 0.5);
  const auto state = net.fit(constant, wave(300));
  const V on = unroll(net, slice(constant, 0, 0, 200), {.initial = state}).outputs;
  BOOST_TEST(nrmse(on.value(), wave(200, 300).value()) < 1e-3);
}

BOOST_AUTO_TEST_CASE(a_file_holds_the_whole_network) {
  const Folder folder;
  auto net = network(1, true);
  Random random(9);
  EchoState<double> other({.output = 1, .feedback = true, .reservoir = {.input = 1, .hidden = 30, .leak = 0.2}},
                          random);
  net.fit(wave(50), wave(50, 1), {.washout = 5});
  rw::nn::save(folder.file("net"), net.parameters());
  rw::nn::load(folder.file("net"), other.parameters());
  BOOST_TEST(distance(unroll(net, wave(40)).outputs, unroll(other, wave(40)).outputs) == 0);
  BOOST_TEST(net.parameters().find("reservoir.weight_hh") == &net.reservoir.weight_hh);
  BOOST_TEST(net.parameters().find("readout.weight") == &net.readout.weight);
}

BOOST_AUTO_TEST_CASE(fit_records_nothing_and_draws_noise_where_asked) {
  Random random(10);
  EchoState<double> net({.output = 1, .reservoir = {.input = 1, .hidden = 10, .noise = 0.1}}, random);
  Tape<double> tape;
  net.fit(wave(50), wave(50, 1), {.washout = 5});
  BOOST_TEST(tape.size() == 0u);
  const Tensor<double> quiet = net.readout.weight.value();
  Random noise(11);
  net.fit(wave(50), wave(50, 1), {.washout = 5, .random = &noise});
  BOOST_TEST(distance(net.readout.weight.value(), quiet) > 1e-3);
}

BOOST_AUTO_TEST_CASE(float_networks_are_fitted_in_double) {
  Random random(12);
  EchoState<float> net({.output = 1, .reservoir = {.input = 1, .hidden = 30}}, random);
  Tensor<float> x = rw::empty<float>({200, 1, 1}), y = x;
  for (std::size_t t = 0; t < 200; ++t)
    x.data()[t] = std::sin(0.3f * float(t)), y.data()[t] = std::cos(0.3f * float(t));
  net.fit(x, y);
  const auto outputs = unroll(net, Variable<float>(x)).outputs;
  const auto tail = [](const Variable<float>& v) { return Tensor<float>(slice(v, 0, 100).value()); };
  BOOST_TEST(nrmse(tail(outputs), tail(y)) < 1e-3);
}

BOOST_AUTO_TEST_CASE(bad_arguments) {
  const auto bad = [](const auto& call, const std::string& text) {
    BOOST_TEST(message<std::invalid_argument>(call) == text);
  };
  auto net = network(1, true);
  const Tensor<double> before = net.readout.weight.value();
  Tensor<double> holes = wave(9).value(), gaps = holes;
  holes.data()[3] = nan;
  gaps.data()[8] = nan;
  bad([&] { net.fit(wave(100), wave(100)); }, "echo_state: expected a washout of less than 100 steps; got 100");
  bad([&] { net.fit(wave(9), wave(8)); }, "echo_state: expected targets [9, 1, 1]; got [8, 1, 1]");
  bad([&] { net.force(wave(9), numbers({9, 1, 2})); }, "echo_state: expected targets [9, 1, 1]; got [9, 1, 2]");
  bad([&] { net.force(numbers({9, 1}), wave(9)); }, "echo_state: expected 3 axes; got x [9, 1]");
  bad([&] { net.force(wave(0), wave(0)); }, "unroll: expected at least one step and one row; got xs [0, 1, 1]");
  bad([&] { net.fit(wave(9), gaps, {.washout = 1}); }, "echo_state: expected finite targets; got nan");
  BOOST_TEST(message<std::invalid_argument>([&] { net.fit(holes, wave(9)); }) != "");
  bad([&] { net.fit(wave(9), wave(9), {.washout = 1, .lambda = -1}); },
      "ridge: expected a finite lambda of at least 0; got -1");
  bad([&] { net.fit(wave(9), wave(9), {.washout = 1, .lambda = 0}); },
      "ridge: expected linearly independent columns or a lambda above 0; got x [8, 32], lambda 0");
  BOOST_TEST(bool(net.readout.weight.value() == before));

  bad([] { network(0, true); }, "echo_state: expected at least one output; got 0");
  bad([] { network(1, true, 2); }, "reservoir: expected a leak in (0, 1]; got 2");
  bad(
      [] {
        ridge(numbers({3, 2}), numbers({4, 1}), 1);
      },
      "ridge: expected x [N, P] and y [N, O]; got x [3, 2], y [4, 1]");
  bad([] { ridge(tensor<double>({1, 1}, {nan}), numbers({1, 1}), 1); }, "ridge: expected finite rows; got nan");
  bad(
      [] {
        ridge(rw::zeros<double>({4, 2}), numbers({4, 1}), 0);
      },
      "ridge: expected linearly independent columns or a lambda above 0; got x [4, 2], lambda 0");
  bad(
      [] {
        ridge(tensor<double>({3, 2}, {1, 3, 0.1, 0.3, 0.7, 2.1}), numbers({3, 1}), 0);
      },
      "ridge: expected linearly independent columns or a lambda above 0; got x [3, 2], lambda 0");
  bad([] { nrmse(numbers({3}), numbers({4})); }, "nrmse: expected equal shapes; got a [3], b [4]");
  bad([] { nrmse(numbers({3}), rw::full<double>({3}, 2)); },
      "nrmse: expected targets that are not all equal; got targets [3]");
}

BOOST_AUTO_TEST_SUITE_END()

using Rows = std::tuple<EchoStateRow<false>, EchoStateRow<true>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"
