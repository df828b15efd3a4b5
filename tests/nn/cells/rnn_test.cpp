#include "nn/cells/rnn.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using rw::Random;
using Rnn = rw::nn::Rnn<double>;
using V = rw::Variable<double>;

struct Tanh {
  static V of(const V& a) { return tanh(a); }
  static double of(double a) { return std::tanh(a); }
};
struct Relu {
  static V of(const V& a) { return relu(a); }
  static double of(double a) { return std::max(a, 0.0); }
};
struct Swish {  // a user's
  static V of(const V& a) { return a * sigmoid(a); }
  static double of(double a) { return a * cell_rows::sigmoid(a); }
};

template <class Activation, bool bias = true>
struct RnnRow {
  using Cell = Rnn;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    Rnn::Options options{.input = input, .hidden = hidden, .bias = bias};
    if (!std::is_same_v<Activation, Tanh>) options.activation = [](const V& a) { return Activation::of(a); };
    return Cell(options, random);
  }

  static std::vector<std::string> names() {
    std::vector<std::string> all{"weight_ih", "weight_hh"};
    if (bias) all.push_back("bias");
    return all;
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    Numbers next(cell.hidden());
    for (std::size_t j = 0; j < next.size(); ++j) {
      next[j] = Activation::of(column(x, 0, cell.weight_ih, j) + column(h, 0, cell.weight_hh, j) + at(cell.bias, j));
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const V& x, const Cell::State& s) {
    V sum = matmul(x, cell.weight_ih) + matmul(s.h, cell.weight_hh);
    if (bias) sum = sum + *cell.bias;
    const V h = Activation::of(sum);
    return rw::nn::Step<double, Cell::State>{h, {h}};
  }
};

using Rows = std::tuple<RnnRow<Tanh>, RnnRow<Tanh, false>, RnnRow<Relu>, RnnRow<Swish>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(rnn)

using common::distance;
using common::numbers;
using rw::Tape;

namespace {

double length(const V& x) {
  double sum = 0;
  for (const double a : x.value()) sum += a * a;
  return std::sqrt(sum);
}

/// ‖dL/dh_0‖/‖dL/dh_T‖ of a linear network whose recurrent weight is `scale` times an orthogonal matrix.
double gradient_left(double scale, std::size_t steps) {
  Random random(1);
  Rnn cell({.input = 3, .hidden = 6, .activation = [](const auto& a) { return a; }}, random);
  cell.weight_hh.assign((scale * cell.weight_hh).value());
  Tape<double> tape;
  const V h = tape.watch(numbers({1, 6})), seed = numbers({1, 6}, 2);
  const auto run = unroll(cell, V(numbers({steps, 1, 3})), {.initial = Rnn::State{h}});
  return length(tape.backward(sum(seed * run.state.h))[h]) / length(seed);
}

}  // namespace

// A gradient vanishes or explodes by the factor that the recurrent weight has on lengths, once a step.
BOOST_AUTO_TEST_CASE(the_gradient_of_a_linear_network_changes_as_its_weight_does) {
  BOOST_TEST(std::abs(gradient_left(1, 100) - 1) < 1e-12 * 100);
  for (const double scale : {0.9, 1.1}) {
    const double factor = std::pow(scale, 100);  // 2.66e-5 and 1.38e4
    BOOST_TEST(std::abs(gradient_left(scale, 100) / factor - 1) < 1e-12 * 100);
  }
}

// dL/dh_0 = dL/dh_T · ∏ diag(1 − h_t²)·Uᵀ, multiplied out by hand.
BOOST_AUTO_TEST_CASE(the_gradient_is_the_product_of_the_steps_jacobians) {
  constexpr std::size_t steps = 20, n = 6;
  const auto cell = cell_rows::made<RnnRow<Tanh>>(3, n);
  Tape<double> tape;
  const V h = tape.watch(numbers({1, n})), seed = numbers({1, n}, 2);
  const auto run = unroll(cell, V(numbers({steps, 1, 3})), {.initial = Rnn::State{h}});
  const V gradient = tape.backward(sum(seed * run.state.h))[h];

  Numbers g(seed.value().begin(), seed.value().end());
  for (std::size_t t = steps; t-- > 0;) {
    Numbers before(n);
    for (std::size_t j = 0; j < n; ++j) {
      const double y = run.outputs.value()(t, 0, j);
      for (std::size_t i = 0; i < n; ++i) before[i] += g[j] * (1 - y * y) * cell.weight_hh.value()(i, j);
    }
    g = before;
  }
  BOOST_TEST(length(gradient) > 0);
  for (std::size_t j = 0; j < n; ++j)
    BOOST_TEST(std::abs(g[j] - gradient.value().data()[j]) < 1e-12 * length(gradient));
}

BOOST_AUTO_TEST_CASE(an_empty_activation_is_refused) {
  Random random(1);
  BOOST_CHECK_EXCEPTION(Rnn({.input = 3, .hidden = 4, .activation = {}}, random), std::invalid_argument,
                        common::says("rnn: expected an activation; got none"));
}

BOOST_AUTO_TEST_SUITE_END()
