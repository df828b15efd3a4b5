#include "nn/cells/elman.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::made;
using cell_rows::Numbers;
using rw::Variable;

struct ElmanRow {
  using Cell = rw::nn::Elman<double>;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    return Cell({.input = input, .hidden = hidden, .output = hidden - 1}, random);
  }
  static std::vector<std::string> names() { return {"weight_ih", "weight_hh", "bias_h", "weight_ho", "bias_o"}; }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    Numbers next(h.size()), y(cell.bias_o.size());
    for (std::size_t j = 0; j < next.size(); ++j) {
      const double sum = column(x, 0, cell.weight_ih, j) + column(h, 0, cell.weight_hh, j) + at(cell.bias_h, j);
      next[j] = cell_rows::sigmoid(sum);
    }
    for (std::size_t j = 0; j < y.size(); ++j) {
      y[j] = cell_rows::sigmoid(column(next, 0, cell.weight_ho, j) + at(cell.bias_o, j));
    }
    h = next;
    return y;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    const auto h = sigmoid(matmul(x, cell.weight_ih) + matmul(s.h, cell.weight_hh) + cell.bias_h);
    return rw::nn::Step<double, Cell::State>{sigmoid(matmul(h, cell.weight_ho) + cell.bias_o), {h}};
  }
};

using Rows = std::tuple<ElmanRow>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(elman)

using rw::Tape;
using V = Variable<double>;

// What is left of the gradient is that of every step alone, begun from a state that is given.
BOOST_AUTO_TEST_CASE(truncated_it_learns_from_the_step_alone) {
  auto cell = made<ElmanRow>(3, 4);
  const V xs = common::numbers({5, 2, 3});
  const auto gradients = [&] {
    Tape<double> tape;
    return tape.backward(common::weighed(rw::nn::unroll(cell, xs).outputs, 1));
  };
  const auto whole = gradients();
  const V outputs = rw::nn::unroll(cell, xs).outputs;
  cell.truncate = true;
  const auto truncated = gradients();
  BOOST_TEST(common::distance(rw::nn::unroll(cell, xs).outputs, outputs) == 0);

  rw::Gradients<double> alone;
  const V weights = common::numbers({5, 2, 3}, 1);
  auto state = cell.initial_state(2);
  cell.truncate = false;
  for (std::size_t t = 0; t < 5; ++t) {
    Tape<double> tape;
    const auto next = rw::nn::step(cell, unstack(xs)[t], state);
    alone += tape.backward(sum(unstack(weights)[t] * next.output));
    state = next.state;
  }
  for (const auto& entry : cell.parameters()) {
    BOOST_TEST(common::distance(truncated[*entry.parameter], alone[*entry.parameter]) < 1e-14, entry.name);
  }
  BOOST_TEST(common::distance(truncated[cell.weight_hh], whole[cell.weight_hh]) > 1e-3);
}

BOOST_AUTO_TEST_SUITE_END()
