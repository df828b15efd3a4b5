#include "nn/cells/ind_rnn.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using rw::Variable;

template <class Activation, bool Bias>
struct IndRnnRow {
  using Cell = rw::nn::IndRnn<double, Activation>;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    return Cell({.input = input, .hidden = hidden, .bias = Bias}, random);
  }
  static std::vector<std::string> names() {
    return Bias ? std::vector<std::string>{"weight_ih", "weight_hh", "bias"}
                : std::vector<std::string>{"weight_ih", "weight_hh"};
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    for (std::size_t j = 0; j < h.size(); ++j) {
      const double a = column(x, 0, cell.weight_ih, j) + at(cell.weight_hh, j) * h[j] + at(cell.bias, j);
      h[j] = std::is_same_v<Activation, rw::rules::Relu> ? std::max(a, 0.0) : std::tanh(a);
    }
    return h;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const typename Cell::State& s) {
    auto a = matmul(x, cell.weight_ih) + cell.weight_hh * s.h;
    if (cell.bias) a = a + *cell.bias;
    const Variable<double> h = std::is_same_v<Activation, rw::rules::Relu> ? relu(a) : tanh(a);
    return rw::nn::Step<double, typename Cell::State>{h, {h}};
  }
};

using Rows =
    std::tuple<IndRnnRow<rw::rules::Relu, true>, IndRnnRow<rw::rules::Relu, false>, IndRnnRow<rw::rules::Tanh, true>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(ind_rnn)

using rw::nn::ind_rnn_bound;
using V = Variable<double>;
using Cell = rw::nn::IndRnn<double>;

// Equation 5 of the paper: the gradient through a unit is the product of its own u and slopes alone.
BOOST_AUTO_TEST_CASE(the_gradient_through_active_units_is_a_power_of_u) {
  rw::Random random(1);
  Cell cell({.input = 1, .hidden = 4}, random);
  cell.weight_ih.assign(rw::tensor<double>({1, 4}, {0, 0, 0, -9}));  // the last unit is switched off by its input
  cell.weight_hh.assign(rw::tensor<double>({4}, {0.5, 1, 1.25, 1}));
  rw::Tape<double> tape;
  const V h0 = tape.watch(rw::full<double>({1, 4}, 1));
  const auto run = rw::nn::unroll(cell, V(rw::full<double>({20, 1, 1}, 1)), {.initial = {{h0}}});
  const auto g = tape.backward(sum(run.state.h))[h0];
  const Numbers expected = {std::pow(0.5, 20), 1, std::pow(1.25, 20), 0};
  for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(at(g, j) == expected[j], boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(u_begins_within_its_bound_and_is_brought_back_there) {
  rw::Random random(1);
  Cell cell({.input = 2, .hidden = 500, .bound = 0.9, .least = 0.6}, random);
  const auto range = [&] {
    const auto [low, high] = std::minmax_element(cell.weight_hh.value().begin(), cell.weight_hh.value().end());
    return std::pair(*low, *high);
  };
  BOOST_TEST(range().first >= 0.6);
  BOOST_TEST(range().first < 0.61);
  BOOST_TEST(range().second < 0.9);
  BOOST_TEST(range().second > 0.89);

  cell.weight_hh.update([](auto& u) { u.data()[0] = -3, u.data()[1] = 2, u.data()[2] = -0.7; });
  cell.clamp();
  BOOST_TEST(at(cell.weight_hh, 0) == -0.9);
  BOOST_TEST(at(cell.weight_hh, 1) == 0.9);
  BOOST_TEST(at(cell.weight_hh, 2) == -0.7);

  Cell free({.input = 2, .hidden = 3}, random);
  free.weight_hh.assign(rw::full<double>({3}, 7));
  free.clamp();
  BOOST_TEST(at(free.weight_hh, 0) == 7);
}

BOOST_AUTO_TEST_CASE(the_bound_lets_a_gradient_grow_so_far) {
  BOOST_TEST(ind_rnn_bound(1, 3) == 3);
  BOOST_TEST(std::pow(ind_rnn_bound(1000), 1000) == 2, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(bad_options_say_so) {
  rw::Random random(1);
  const auto made = [&](double bound, double least) {
    return [&random, bound, least] { Cell({.input = 1, .hidden = 1, .bound = bound, .least = least}, random); };
  };
  const char* bounds = "ind_rnn: expected a finite bound of at least 0; got ";
  BOOST_CHECK_EXCEPTION(made(-1, 0)(), std::invalid_argument, common::says(bounds + std::string("-1")));
  BOOST_CHECK_EXCEPTION(made(INFINITY, 0)(), std::invalid_argument, common::says(bounds + std::string("inf")));
  const char* least = "ind_rnn: expected a least u between 0 and the greatest; got least ";
  BOOST_CHECK_EXCEPTION(made(0, 1.5)(), std::invalid_argument, common::says(least + std::string("1.5, greatest 1")));
  BOOST_CHECK_EXCEPTION(made(0.5, -1)(), std::invalid_argument, common::says(least + std::string("-1, greatest 0.5")));
  BOOST_CHECK_EXCEPTION(ind_rnn_bound(0), std::invalid_argument,
                        common::says("ind_rnn_bound: expected at least one step and a growth above 0; got 0 steps, "
                                     "growth 2"));
  BOOST_CHECK_EXCEPTION(ind_rnn_bound(3, 0), std::invalid_argument,
                        common::says("ind_rnn_bound: expected at least one step and a growth above 0; got 3 steps, "
                                     "growth 0"));
}

BOOST_AUTO_TEST_SUITE_END()
