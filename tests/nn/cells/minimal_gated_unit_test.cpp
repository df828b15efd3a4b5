#include "nn/cells/minimal_gated_unit.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/cells/rnn.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using rw::Random;
using MinimalGatedUnit = rw::nn::MinimalGatedUnit<double>;
using V = rw::Variable<double>;

template <bool bias>
struct MinimalGatedUnitRow {
  using Cell = MinimalGatedUnit;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    return Cell({.input = input, .hidden = hidden, .bias = bias}, random);
  }

  static std::vector<std::string> names() {
    std::vector<std::string> all{"weight_ih", "weight_hh", "weight_hn"};
    if (bias) all.push_back("bias");
    return all;
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    const std::size_t n = cell.hidden();
    const auto from_x = [&](std::size_t k) { return column(x, 0, cell.weight_ih, k) + at(cell.bias, k); };
    Numbers f(n), kept(n), next(n);
    for (std::size_t j = 0; j < n; ++j) f[j] = cell_rows::sigmoid(from_x(j) + column(h, 0, cell.weight_hh, j));
    for (std::size_t j = 0; j < n; ++j) kept[j] = f[j] * h[j];
    for (std::size_t j = 0; j < n; ++j) {
      next[j] = (1 - f[j]) * h[j] + f[j] * std::tanh(from_x(n + j) + column(kept, 0, cell.weight_hn, j));
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const V& x, const Cell::State& s) {
    V from_x = matmul(x, cell.weight_ih);
    if (bias) from_x = from_x + *cell.bias;
    const auto xs = rw::split(from_x, 2, -1);
    const V f = sigmoid(xs[0] + matmul(s.h, cell.weight_hh));
    const V h = (1 - f) * s.h + f * tanh(xs[1] + matmul(f * s.h, cell.weight_hn));
    return rw::nn::Step<double, Cell::State>{h, {h}};
  }
};

using Rows = std::tuple<MinimalGatedUnitRow<true>, MinimalGatedUnitRow<false>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(minimal_gated_unit)

using common::numbers;

// Shut, the gate keeps the state to the bit; open, it leaves a simple recurrent network.
BOOST_AUTO_TEST_CASE(its_gate_goes_from_keeping_to_a_simple_network) {
  Random random(1);
  MinimalGatedUnit cell({.input = 3, .hidden = 4}, random);
  rw::nn::Rnn<double> rnn({.input = 3, .hidden = 4}, random);
  common::scatter(cell.parameters(), 7);
  rnn.weight_ih.assign(rw::split<2>(cell.weight_ih.detached())[1].value());
  rnn.weight_hh.assign(cell.weight_hn.value());
  const V xs = numbers({6, 2, 3}), h = numbers({2, 4}, 2);
  const auto gate = [&](double bias) {
    rw::Tensor<double> b = rw::full<double>({8}, bias);
    for (std::size_t j = 0; j < 4; ++j) b.data()[4 + j] = 0;
    cell.bias->assign(b);
  };
  gate(-1000);
  BOOST_TEST(common::distance(unroll(cell, xs, {.initial = MinimalGatedUnit::State{h}}).state.h, h) == 0);
  gate(1000);
  BOOST_TEST(common::distance(unroll(cell, xs).outputs, unroll(rnn, xs).outputs) < 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()
