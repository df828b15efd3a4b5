#include "nn/cells/clockwork.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/cells/rnn.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::Numbers;
using rw::Variable;
using Cell = rw::nn::Clockwork<double>;

template <bool Bias>
struct ClockworkRow {
  using Cell = ::Cell;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    return Cell({.input = input, .hidden = hidden, .periods = {1, 2, 3}, .bias = Bias}, random);
  }
  static std::vector<std::string> names() {
    std::vector<std::string> all = {"weight_ih", "weight_hh.0", "weight_hh.1", "weight_hh.2"};
    if (Bias) all.push_back("bias");
    return all;
  }
  static bool counts(const Variable<double>& v) { return v.rank() == 1; }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) {
    const std::size_t n = cell.hidden();
    const auto t = static_cast<std::size_t>(state[n]);
    Numbers next = state;
    for (std::size_t g = 0, begin = 0; g < cell.periods.size(); begin += cell.widths[g++]) {
      if (t % cell.periods[g] != 0) continue;
      for (std::size_t j = 0; j < cell.widths[g]; ++j) {
        next[begin + j] = std::tanh(cell_rows::column(x, 0, cell.weight_ih, begin + j) +
                                    cell_rows::column(state, begin, cell.weight_hh[g], j) + at(cell.bias, begin + j));
      }
    }
    next[n] = static_cast<double>((t + 1) % 6);
    state = next;
    next.pop_back();
    return next;
  }

  // With one matrix of zero blocks for all modules, and every module computed at every step.
  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    const std::size_t n = cell.hidden(), batch = s.clock.size();
    std::vector<Variable<double>> columns;
    rw::Tensor<double> ticks = rw::zeros<double>({batch, n});
    for (std::size_t g = 0, begin = 0; g < cell.periods.size(); begin += cell.widths[g++]) {
      columns.push_back(pad(Variable<double>(cell.weight_hh[g]), {{static_cast<std::ptrdiff_t>(begin), 0}, {0, 0}}));
      for (std::size_t b = 0; b < batch; ++b) {
        const bool works = std::fmod(at(s.clock, b), static_cast<double>(cell.periods[g])) == 0;
        std::fill_n(ticks.data() + b * n + begin, cell.widths[g], works ? 1 : 0);
      }
    }
    auto sum = matmul(x, cell.weight_ih) + matmul(s.h, concatenate(columns, 1));
    if (cell.bias) sum = sum + *cell.bias;
    const auto h = where(Variable<double>(ticks), tanh(sum), s.h);
    rw::Tensor<double> clock = s.clock.value();
    for (double& t : clock) t = std::fmod(t + 1, 6);
    return rw::nn::Step<double, Cell::State>{h, {h, clock}};
  }
};

using Rows = std::tuple<ClockworkRow<true>, ClockworkRow<false>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(clockwork)

using V = Variable<double>;

BOOST_AUTO_TEST_CASE(it_has_the_weights_of_its_links_alone) {
  rw::Random random(1);
  Cell cell({.input = 3, .hidden = 32, .periods = {1, 2, 4, 8, 16, 32, 64, 128}}, random);
  BOOST_TEST(cell.parameters().elements() == 3 * 32 + 4 * 4 * 8 * 9 / 2 + 32);
  BOOST_TEST(cell.cycle == 128);
  Cell uneven({.input = 3, .hidden = 11}, random);
  BOOST_TEST(uneven.widths == (std::vector<std::size_t>{2, 3, 3, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_one_module_it_is_a_simple_network) {
  rw::Random random(1);
  Cell cell({.input = 3, .hidden = 4, .periods = {1}}, random);
  rw::nn::Rnn<double> plain({.input = 3, .hidden = 4}, random);
  plain.weight_ih.assign(cell.weight_ih.value());
  plain.weight_hh.assign(cell.weight_hh[0].value());
  const V xs = common::numbers({5, 2, 3});
  BOOST_TEST(common::distance(rw::nn::unroll(cell, xs).outputs, rw::nn::unroll(plain, xs).outputs) < 1e-14);
}

BOOST_AUTO_TEST_CASE(a_module_rests_between_its_ticks) {
  auto cell = cell_rows::made<ClockworkRow<true>>(2, 3);  // one unit a module, periods 1, 2, 3
  const rw::Tensor<double> y = rw::nn::unroll(cell, V(common::numbers({13, 1, 2}))).outputs.value();
  for (std::size_t t = 1; t < 13; ++t) {
    for (std::size_t g = 0; g < 3; ++g) {
      BOOST_TEST((y.data()[3 * t + g] != y.data()[3 * (t - 1) + g]) == (t % (g + 1) == 0), t << ", " << g);
    }
  }
}

BOOST_AUTO_TEST_CASE(fast_modules_hear_slow_ones_and_not_the_reverse) {
  auto cell = cell_rows::made<ClockworkRow<true>>(2, 3);
  const auto reaches = [&](std::ptrdiff_t from, std::ptrdiff_t to) {
    rw::Tape<double> tape;
    const V h = tape.watch(common::numbers({1, 3}));
    const auto run = rw::nn::unroll(cell, V(common::numbers({7, 1, 2})), {.initial = {{h, V(rw::zeros<double>({1}))}}});
    return at(tape.backward(slice(run.state.h, 1, to, to + 1))[h], static_cast<std::size_t>(from)) != 0;
  };
  for (int from = 0; from < 3; ++from) {
    for (int to = 0; to < 3; ++to) BOOST_TEST(reaches(from, to) == (from >= to), from << " to " << to);
  }
}

BOOST_AUTO_TEST_CASE(the_clock_goes_round) {
  rw::Random random(1);
  Cell cell({.input = 1, .hidden = 2, .periods = {2, 3}}, random);
  auto state = cell.initial_state(1);
  for (int t = 0; t < 20; ++t) {
    BOOST_TEST(state.clock.item() == t % 6);
    state = rw::nn::step(cell, V(rw::full<double>({1, 1}, 1)), state).state;
  }
}

BOOST_AUTO_TEST_CASE(bad_options_say_so) {
  rw::Random random(1);
  const auto check = [&](std::size_t hidden, std::vector<std::size_t> periods, const std::string& text) {
    BOOST_CHECK_EXCEPTION(Cell({.input = 1, .hidden = hidden, .periods = periods}, random), std::invalid_argument,
                          common::says("clockwork: expected " + text));
  };
  check(4, {}, "at least one period, and a hidden unit for each; got 0 periods, 4 units");
  check(3, {1, 2, 4, 8}, "at least one period, and a hidden unit for each; got 4 periods, 3 units");
  check(4, {0, 1}, "ascending periods of 1 to 2^24; got 0 after 0");
  check(4, {1, 4, 2}, "ascending periods of 1 to 2^24; got 2 after 4");
  check(4, {4, 4}, "ascending periods of 1 to 2^24; got 4 after 4");
  check(4, {1, 33554432}, "ascending periods of 1 to 2^24; got 33554432 after 1");
  check(4, {10007, 10009}, "periods with a common multiple up to 2^24; got 100160063");
}

BOOST_AUTO_TEST_SUITE_END()
