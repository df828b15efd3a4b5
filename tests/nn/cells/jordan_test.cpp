#include "nn/cells/jordan.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::made;
using cell_rows::Numbers;
using rw::Variable;

struct JordanRow {
  using Cell = rw::nn::Jordan<double>;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    return Cell({.input = input, .hidden = hidden, .output = hidden - 1, .decay = 0.7}, random);
  }
  static std::vector<std::string> names() { return {"weight_ih", "weight_sh", "bias_h", "weight_ho", "bias_o"}; }

  // The state is s, y one after the other.
  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) {
    const std::size_t outputs = cell.output();
    Numbers h(cell.bias_h.size()), y(outputs);
    for (std::size_t k = 0; k < outputs; ++k) state[k] = cell.decay * state[k] + state[outputs + k];
    for (std::size_t j = 0; j < h.size(); ++j) {
      const double sum = column(x, 0, cell.weight_ih, j) + column(state, 0, cell.weight_sh, j) + at(cell.bias_h, j);
      h[j] = cell_rows::sigmoid(sum);
    }
    for (std::size_t k = 0; k < outputs; ++k) {
      state[outputs + k] = y[k] = cell_rows::sigmoid(column(h, 0, cell.weight_ho, k) + at(cell.bias_o, k));
    }
    return y;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& last) {
    const auto s = last.s * cell.decay + last.y;
    const auto h = sigmoid(matmul(x, cell.weight_ih) + matmul(s, cell.weight_sh) + cell.bias_h);
    const auto y = sigmoid(matmul(h, cell.weight_ho) + cell.bias_o);
    return rw::nn::Step<double, Cell::State>{y, {s, y}};
  }
};

using Rows = std::tuple<JordanRow>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(jordan)

using rw::Tape;
using V = Variable<double>;
using Jordan = rw::nn::Jordan<double>;

// s(t) = Σ μ^(t-1-k) y(k), and with μ = 0 it is the last output.
BOOST_AUTO_TEST_CASE(the_state_is_a_decaying_sum_of_the_outputs) {
  auto cell = made<JordanRow>(2, 4);
  const V plan = common::numbers({3, 2});
  for (const double decay : {0.0, 0.5}) {
    cell.decay = decay;
    auto state = cell.initial_state(3);
    V sum = state.y, last = state.y;
    for (int t = 0; t < 6; ++t) {
      const auto next = rw::nn::step(cell, plan, state);
      sum = decay * sum + last;
      BOOST_TEST(common::distance(next.state.s, sum) == 0);
      if (decay == 0) BOOST_TEST(common::distance(next.state.s, last) == 0);
      last = next.output;
      state = next.state;
    }
  }
}

BOOST_AUTO_TEST_CASE(a_teacher_takes_the_place_of_the_output) {
  auto cell = made<JordanRow>(2, 4);
  Tape<double> tape;
  const V plan = tape.watch(common::numbers({3, 2})), target = common::numbers({3, 3}, 2);
  const auto first = rw::nn::step(cell, plan, cell.initial_state(3));
  const auto free = rw::nn::step(cell, V(common::numbers({3, 2}, 3)), first.state);
  const auto state = Jordan::forced(first.state, target);
  const auto taught = rw::nn::step(cell, V(common::numbers({3, 2}, 3)), state);
  BOOST_TEST(common::distance(taught.state.s, V(cell.decay * first.state.s + target)) == 0);
  BOOST_TEST(common::distance(taught.output, free.output) > 1e-3);
  BOOST_TEST(tape.backward(sum(free.output)).has(plan));
  BOOST_TEST(!tape.backward(sum(taught.output)).has(plan));
  BOOST_CHECK_EXCEPTION(Jordan::forced(state, V(common::numbers({3, 2}))), std::invalid_argument,
                        mentions("forced: expected"));
}

BOOST_AUTO_TEST_CASE(refuses_a_decay_that_does_not_decay) {
  rw::Random random(1);
  for (const auto& [decay, text] : {std::pair(1.0, "1"), std::pair(-0.5, "-0.5"), std::pair(std::nan(""), "nan")}) {
    BOOST_CHECK_EXCEPTION(Jordan({.input = 1, .hidden = 2, .output = 2, .decay = decay}, random), std::invalid_argument,
                          says(std::string("jordan: expected a decay in [0, 1); got ") + text));
  }
}

BOOST_AUTO_TEST_SUITE_END()
