#include "nn/gradient_flow.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/ops/reduce.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/stack.hpp"
#include "tests/nn/common.hpp"

BOOST_AUTO_TEST_SUITE(gradient_flow)

using common::numbers;
using common::says;
using rw::Random;
using rw::slice;
using rw::squeeze;
using rw::sum;
using rw::Tape;
using rw::Tensor;
using rw::Variable;
using rw::nn::gradient_flow;
using rw::nn::Lstm;
using rw::nn::map_state;
using rw::nn::Rnn;
using rw::nn::Stack;
using rw::nn::unroll;
using V = Variable<double>;

/// h' = x·W + h·(ρ·Q) with Q orthogonal.
Rnn<double> linear(double rho, Random& random) {
  Rnn<double> cell({.input = 3, .hidden = 16, .activation = [](const V& a) { return a; }}, random);
  cell.weight_hh.update([&](Tensor<double>& u) {
    for (double& element : u) element *= rho;
  });
  return cell;
}

// The gradient of an orthogonal linear recurrence keeps its norm.
BOOST_AUTO_TEST_CASE(an_orthogonal_linear_cell_keeps_the_norm) {
  constexpr std::size_t steps = 500;
  Random random(1);
  const auto norms = gradient_flow(linear(1, random), V(numbers({steps, 2, 3})));
  BOOST_REQUIRE(norms.size() == steps + 1);
  for (const double norm : norms) BOOST_TEST(std::abs(norm - 1) < 1e-12 * steps);
}

// U = ρ·Q multiplies it by ρ at every step: vanishing, 0.9¹⁰⁰ = 2.66e-5, and exploding, 1.1¹⁰⁰ = 1.38e4.
BOOST_AUTO_TEST_CASE(a_scaled_orthogonal_linear_cell_scales_the_norm) {
  for (const double rho : {0.9, 1.1}) {
    Random random(2);
    const V seed = numbers({4, 16}, 7);
    const auto norms = gradient_flow(linear(rho, random), V(numbers({100, 4, 3})), {.initial = {}, .seed = seed});
    BOOST_TEST(std::abs(norms[0] - rw::norm(seed).item()) < 1e-14);
    for (std::size_t k = 0; k <= 100; ++k) {
      const double wanted = norms[0] * std::pow(rho, static_cast<double>(k));
      BOOST_TEST(std::abs(norms[k] / wanted - 1) < 1e-12 * 100);
    }
  }
}

// A saturated unit: ∂h'/∂h = u·(1 − tanh²) each step.
BOOST_AUTO_TEST_CASE(a_unit_of_tanh) {
  Random random(3);
  Rnn<double> cell({.input = 1, .hidden = 1}, random);
  cell.weight_ih.assign(rw::tensor<double>({1, 1}, {1}));
  cell.weight_hh.assign(rw::tensor<double>({1, 1}, {0.7}));
  const V xs = numbers({20, 1, 1});
  const auto norms = gradient_flow(cell, xs);
  const V hs = unroll(cell, xs).outputs;
  double product = 1;
  for (std::size_t k = 0; k <= 20; ++k) {
    BOOST_TEST(std::abs(norms[k] / product - 1) < 1e-12);
    if (k < 20) product *= 0.7 * (1 - std::pow(hs.value().data()[19 - k], 2));
  }
}

/// ‖∂⟨seed, y_T⟩/∂s_t‖ with s_t watched: what the definition says, one step t at a time.
template <class Cell>
double directly(const Cell& cell, const V& xs, const V& seed, std::size_t t) {
  const auto at = static_cast<std::ptrdiff_t>(t), last = static_cast<std::ptrdiff_t>(xs.shape()[0]);
  auto state = cell.initial_state(xs.shape()[1]);
  if (t > 0) state = unroll(cell, slice(xs, 0, 0, at)).state;
  Tape<double> tape;
  std::vector<V> leaves;
  state = map_state([&](const V& v) { return leaves.emplace_back(tape.watch(v)); }, state);
  const auto run = unroll(cell, slice(xs, 0, at), {.initial = state});
  const auto gradients = tape.backward(sum(seed * squeeze(slice(run.outputs, 0, last - at - 1), 0)));
  double squares = 0;
  for (const V& leaf : leaves) squares += std::pow(rw::norm(gradients[leaf]).item(), 2);
  return std::sqrt(squares);
}

/// A cell whose state has a part that every step reads and none changes.
struct Keeper {
  struct State {
    V h, gain;
  };
  State initial_state(std::size_t batch) const {
    return {rw::zeros<double>({batch, 2}), rw::full<double>({batch, 2}, 0.9)};
  }
  rw::nn::Step<double, State> step(const V& x, const State& s) const {
    const V h = tanh(x + s.gain * s.h);
    return {h, {h, s.gain}};
  }
};

// States of several Variables, in layers, and one that is handed on unchanged.
BOOST_AUTO_TEST_CASE(any_cell_against_the_definition) {
  const auto check = [](const auto& cell, std::size_t input, std::size_t width) {
    const V xs = numbers({6, 2, input}), seed = numbers({2, width}, 5);
    typename rw::nn::GradientFlowOptions<double, typename std::decay_t<decltype(cell)>::State> options;
    options.seed = seed;
    const auto norms = gradient_flow(cell, xs, options);
    for (std::size_t t = 0; t < 6; ++t) {
      BOOST_TEST(std::abs(norms[6 - t] / directly(cell, xs, seed, t) - 1) < 1e-12);
    }
  };
  Random random(4);
  check(Lstm<double>({.input = 3, .hidden = 5}, random), 3, 5);
  Stack<Lstm<double>> deep;
  deep.layers.emplace_back(Lstm<double>::Options{.input = 3, .hidden = 5}, random);
  deep.layers.emplace_back(Lstm<double>::Options{.input = 5, .hidden = 4}, random);
  check(deep, 3, 4);
  check(Keeper{}, 2, 2);
}

BOOST_AUTO_TEST_CASE(it_begins_in_the_state_given) {
  Random random(5);
  const Rnn<double> cell({.input = 3, .hidden = 4}, random);
  const V xs = numbers({5, 2, 3});
  const auto near = gradient_flow(cell, xs);
  const auto far = gradient_flow(cell, xs, {.initial = Rnn<double>::State{rw::full<double>({2, 4}, 3)}, .seed = {}});
  BOOST_TEST(near[5] != far[5]);
}

BOOST_AUTO_TEST_CASE(bad_arguments) {
  Random random(6);
  const Rnn<double> cell({.input = 3, .hidden = 4}, random);
  Tensor<double> holes = numbers({5, 2, 3});
  holes.data()[7] = std::nan("");
  BOOST_CHECK_EXCEPTION(gradient_flow(cell, V(numbers({5, 3}))), std::invalid_argument,
                        says("gradient_flow: expected 3 axes; got x [5, 3]"));
  BOOST_CHECK_EXCEPTION(gradient_flow(cell, V(numbers({0, 2, 3}))), std::invalid_argument,
                        says("unroll: expected at least one step and one row; got xs [0, 2, 3]"));
  BOOST_CHECK_EXCEPTION(gradient_flow(cell, V(holes)), std::invalid_argument, mentions("finite"));
  BOOST_CHECK_EXCEPTION(gradient_flow(cell, V(numbers({5, 2, 3})), {.initial = {}, .seed = V(numbers({2, 3}))}),
                        std::invalid_argument, says("gradient_flow: expected equal shapes; got a [2, 4], b [2, 3]"));
}

BOOST_AUTO_TEST_SUITE_END()
