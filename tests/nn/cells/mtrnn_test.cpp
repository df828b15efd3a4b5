#include "nn/cells/mtrnn.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/cells/rnn.hpp"
#include "nn/learned_start.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::made;
using cell_rows::Numbers;
using rw::Variable;
using Cell = rw::nn::MultipleTimescaleRnn<double>;
using V = Variable<double>;

template <bool Softmax>
struct MultipleTimescaleRow {
  using Cell = ::Cell;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    const std::vector<std::size_t> softmax = {2, hidden - 2};
    return Cell({.input = input,
                 .groups = {{hidden, 1.5}, {4, 2}, {3, 5}, {2, 9}},
                 .softmax = Softmax ? softmax : std::vector<std::size_t>()},
                random);
  }
  static std::vector<std::string> names() {
    return {"weight_ih",     "weight_hh.1.0", "weight_hh.1.1", "weight_hh.2.1", "weight_hh.1.2",
            "weight_hh.2.2", "weight_hh.3.2", "weight_hh.2.3", "weight_hh.3.3", "bias.0",
            "bias.1",        "bias.2",        "bias.3"};
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) {
    std::vector<std::size_t> begin = {0};
    for (const auto& group : cell.groups) begin.push_back(begin.back() + group.units);
    Numbers active = state, next(state.size());
    for (double& a : active) a = std::tanh(a);
    for (std::size_t g = 0; g < cell.groups.size(); ++g) {
      for (std::size_t k = 0; k < cell.groups[g].units; ++k) {
        double sum = at(cell.biases[g], k) + (g < 2 ? column(x, 0, cell.weight_ih, begin[g] + k) : 0);
        for (const auto& link : cell.links) {
          if (link.to == g) sum += column(active, begin[link.from], link.weight, k);
        }
        next[begin[g] + k] = state[begin[g] + k] + (sum - state[begin[g] + k]) / cell.groups[g].tau;
      }
    }
    state = next;
    Numbers y(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(begin[1]));
    if (!Softmax) {
      for (double& v : y) v = std::tanh(v);
      return y;
    }
    const std::size_t parts[] = {0, 2, y.size()};
    for (int p = 0; p < 2; ++p) {
      double total = 0;
      for (std::size_t k = parts[p]; k < parts[p + 1]; ++k) total += y[k] = std::exp(y[k]);
      for (std::size_t k = parts[p]; k < parts[p + 1]; ++k) y[k] /= total;
    }
    return y;
  }

  static auto unfused(const Cell& cell, const V& x, const Cell::State& s) {
    const std::size_t io = cell.groups[0].units, fast = cell.groups[1].units;
    const auto from_x = split(matmul(x, cell.weight_ih), {io, fast}, -1);
    Cell::State next;
    for (std::size_t g = 0; g < cell.groups.size(); ++g) {
      V sum = cell.biases[g];
      if (g < 2) sum = sum + from_x[g];
      for (const auto& link : cell.links) {
        if (link.to == g) sum = sum + matmul(tanh(s.groups[link.from]), link.weight);
      }
      next.groups.push_back(s.groups[g] + (sum - s.groups[g]) / cell.groups[g].tau);
    }
    V y = tanh(next.groups[0]);
    if (Softmax) {
      const auto parts = split(next.groups[0], {2, io - 2}, -1);
      y = rw::concatenate({softmax(parts[0]), softmax(parts[1])}, -1);
    }
    return rw::nn::Step<double, Cell::State>{y, next};
  }
};

using Rows = std::tuple<MultipleTimescaleRow<false>, MultipleTimescaleRow<true>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(multiple_timescale_rnn)

// The units of all groups side by side are the hidden ones of a simple network, in which group 0 is heard by none.
BOOST_AUTO_TEST_CASE(with_all_time_constants_1_it_is_a_simple_network) {
  rw::Random random(1);
  Cell cell({.input = 3, .groups = {{2, 1}, {4, 1}, {3, 1}}}, random);
  common::scatter(cell.parameters(), 1);
  rw::nn::Rnn<double> plain({.input = 3, .hidden = 9}, random);
  plain.weight_ih.assign(pad(V(cell.weight_ih), {{0, 0}, {0, 3}}).value());
  plain.bias->assign(rw::concatenate({V(cell.biases[0]), V(cell.biases[1]), V(cell.biases[2])}, 0).value());
  const std::ptrdiff_t begin[] = {0, 2, 6, 9};
  V u = rw::zeros<double>({9, 9});
  for (const auto& link : cell.links) {
    u = u +
        pad(V(link.weight), {{begin[link.from], 9 - begin[link.from + 1]}, {begin[link.to], 9 - begin[link.to + 1]}});
  }
  plain.weight_hh.assign(u.value());

  const V xs = common::numbers({6, 2, 3});
  const auto run = rw::nn::unroll(cell, xs);
  const auto expected = rw::nn::unroll(plain, xs);
  BOOST_TEST(common::distance(run.outputs, slice(expected.outputs, -1, 0, 2)) < 1e-14);
  BOOST_TEST(common::distance(tanh(run.state.groups[2]), slice(expected.state.h, -1, 6, 9)) < 1e-14);
}

// Output (group 0) to slowest: as many steps as groups apart, and one more through the input's side.
BOOST_AUTO_TEST_CASE(groups_hear_their_neighbours_alone) {
  auto cell = made<MultipleTimescaleRow<false>>(2, 5);
  for (std::size_t steps = 1; steps <= 4; ++steps) {
    rw::Tape<double> tape;
    const V xs = tape.watch(common::numbers({steps, 1, 2}));
    auto initial = cell.initial_state(1);
    for (V& u : initial.groups) u = tape.watch(common::numbers(u.shape()));
    const auto run = rw::nn::unroll(cell, xs, {.initial = initial});
    const auto down = tape.backward(common::weighed(run.outputs, 1)), up = tape.backward(sum(run.state.groups[3]));
    for (std::size_t g = 1; g < 4; ++g) BOOST_TEST(down.has(initial.groups[g]) == (g <= steps), g << ", " << steps);
    BOOST_TEST(up.has(xs) == (steps > 2), steps);
    BOOST_TEST(!up.has(initial.groups[0]));
  }
}

BOOST_AUTO_TEST_CASE(the_start_of_a_group_can_be_trained) {
  rw::Random random(1);
  rw::nn::LearnedStart<Cell> cell(Cell({.input = 2, .groups = {{2, 2}, {3, 4}, {2, 30}}}, random));
  BOOST_TEST(cell.start.size() == 3);
  BOOST_TEST(cell.start[2].shape() == (rw::Shape{1, 2}), boost::test_tools::per_element());
  rw::Tape<double> tape;
  const auto run = rw::nn::unroll(cell, V(common::numbers({5, 3, 2})));
  const auto g = tape.backward(common::weighed(run.outputs, 1))[cell.start[2]];
  BOOST_TEST(std::abs(at(g, 0)) > 1e-6);
}

BOOST_AUTO_TEST_CASE(bad_options_say_so) {
  rw::Random random(1);
  const auto check = [&](std::vector<Cell::Group> groups, std::vector<std::size_t> softmax, const std::string& text) {
    BOOST_CHECK_EXCEPTION(Cell({.input = 1, .groups = groups, .softmax = softmax}, random), std::invalid_argument,
                          common::says("multiple_timescale_rnn: expected " + text));
  };
  check({}, {}, "at least two groups; got 0");
  check({{2, 1}}, {}, "at least two groups; got 1");
  const std::string units = "groups of at least one unit with a tau of at least 1; got ";
  check({{2, 1}, {0, 2}}, {}, units + "0 units, tau 2");
  check({{2, 1}, {3, 0.5}}, {}, units + "3 units, tau 0.5");
  check({{2, NAN}, {3, 1}}, {}, units + "2 units, tau nan");
  check({{5, 1}, {3, 2}}, {2, 2}, "softmax units that make up group 0; got 4 of 5");
}

BOOST_AUTO_TEST_SUITE_END()
