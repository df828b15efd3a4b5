#include "nn/cells/ctrnn.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::Numbers;
using rw::Variable;
using rw::nn::Integrator;
using Cell = rw::nn::ContinuousTimeRnn<double>;

template <Integrator Method>
struct ContinuousTimeRow {
  using Cell = ::Cell;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    return Cell({.input = input, .hidden = hidden, .dt = 0.2, .method = Method}, random);
  }
  static std::vector<std::string> names() { return {"weight_ih", "weight_hh", "bias", "log_tau"}; }

  // dt · dy/dt
  static Numbers change(const Cell& cell, const Numbers& x, const Numbers& y) {
    const std::size_t n = y.size();
    Numbers firing(n), dy(n);
    for (std::size_t j = 0; j < n; ++j) firing[j] = cell_rows::sigmoid(y[j] + at(cell.bias, j));
    for (std::size_t j = 0; j < n; ++j) {
      dy[j] = 0.2 / std::exp(at(cell.log_tau, j)) *
              (-y[j] + cell_rows::column(firing, 0, cell.weight_hh, j) + cell_rows::column(x, 0, cell.weight_ih, j));
    }
    return dy;
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& y) {
    const auto moved = [&](double share, const Numbers& dy) {
      Numbers there = y;
      for (std::size_t j = 0; j < y.size(); ++j) there[j] += share * dy[j];
      return there;
    };
    const Numbers k1 = change(cell, x, y);
    if (Method == Integrator::euler) {
      y = moved(1, k1);
    } else {
      const Numbers k2 = change(cell, x, moved(0.5, k1)), k3 = change(cell, x, moved(0.5, k2));
      const Numbers k4 = change(cell, x, moved(1, k3));
      for (std::size_t j = 0; j < y.size(); ++j) y[j] += (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]) / 6;
    }
    Numbers firing = y;
    for (std::size_t j = 0; j < y.size(); ++j) firing[j] = cell_rows::sigmoid(y[j] + at(cell.bias, j));
    return firing;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    const auto f = [&](const Variable<double>& y) {
      return (matmul(sigmoid(y + cell.bias), cell.weight_hh) + matmul(x, cell.weight_ih) - y) / exp(cell.log_tau);
    };
    const double dt = 0.2;
    auto y = s.y;
    if (Method == Integrator::euler) {
      y = y + dt * f(y);
    } else {
      const auto k1 = f(y), k2 = f(y + dt / 2 * k1), k3 = f(y + dt / 2 * k2), k4 = f(y + dt * k3);
      y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    return rw::nn::Step<double, Cell::State>{sigmoid(y + cell.bias), {y}};
  }
};

using Rows = std::tuple<ContinuousTimeRow<Integrator::euler>, ContinuousTimeRow<Integrator::runge_kutta>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(continuous_time_rnn)

using V = Variable<double>;

// Without links y is I(1 − (1 − dt/τ)ⁿ) by Euler's method, and by Runge and Kutta's the same with the exponential
// series up to its fourth term.
BOOST_AUTO_TEST_CASE(a_unit_without_links_charges_as_its_time_constant_says) {
  for (const Integrator method : {Integrator::euler, Integrator::runge_kutta}) {
    rw::Random random(1);
    Cell cell({.input = 1, .hidden = 1, .dt = 0.25, .tau_min = 2, .tau_max = 2, .method = method}, random);
    BOOST_TEST(cell.tau().data()[0] == 2, boost::test_tools::tolerance(1e-15));
    cell.weight_ih.assign(rw::full<double>({1, 1}, 3));
    cell.weight_hh.assign(rw::zeros<double>({1, 1}));
    const auto run = rw::nn::unroll(cell, V(rw::full<double>({10, 1, 1}, 1)));
    const double r = 0.125,
                 rest = method == Integrator::euler ? 1 - r : 1 - r + r * r / 2 - r * r * r / 6 + r * r * r * r / 24;
    const double y = 3 * (1 - std::pow(rest, 10));
    BOOST_TEST(run.state.y.item() == y, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(at(run.outputs, 9) == cell_rows::sigmoid(y), boost::test_tools::tolerance(1e-14));
  }
}

BOOST_AUTO_TEST_CASE(time_constants_begin_in_their_range_and_stay_above_dt) {
  rw::Random random(1);
  Cell cell({.input = 1, .hidden = 2000, .dt = 0.1, .tau_min = 0.5, .tau_max = 50}, random);
  const auto tau = cell.tau();
  const auto [low, high] = std::minmax_element(tau.begin(), tau.end());
  BOOST_TEST(*low >= 0.5);
  BOOST_TEST(*high <= 50);
  const auto below = std::count_if(tau.begin(), tau.end(), [](double t) { return t < 5; });
  BOOST_TEST(std::abs(below - 1000) < 100);  // half of them in each decade

  cell.log_tau.update([](auto& x) { x.data()[0] = -20, x.data()[1] = 1; });
  BOOST_TEST(cell.tau().data()[0] > 0);
  cell.clamp();
  BOOST_TEST(cell.tau().data()[0] == 0.1, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(at(cell.log_tau, 1) == 1);
}

BOOST_AUTO_TEST_CASE(bad_options_say_so) {
  rw::Random random(1);
  const auto check = [&](double dt, double low, double high, Integrator method, const std::string& text) {
    const Cell::Options options{.input = 1, .hidden = 1, .dt = dt, .tau_min = low, .tau_max = high, .method = method};
    BOOST_CHECK_EXCEPTION(Cell(options, random), std::invalid_argument,
                          common::says("continuous_time_rnn: expected " + text));
  };
  check(0.1, 0, 1, Integrator::euler, "0 < tau_min <= tau_max; got tau_min 0, tau_max 1");
  check(0.1, 2, 1, Integrator::euler, "0 < tau_min <= tau_max; got tau_min 2, tau_max 1");
  check(0.1, 1, INFINITY, Integrator::euler, "0 < tau_min <= tau_max; got tau_min 1, tau_max inf");
  check(0, 1, 1, Integrator::runge_kutta, "a finite dt above 0; got 0");
  check(NAN, 1, 1, Integrator::runge_kutta, "a finite dt above 0; got nan");
  check(1, 1, 2, Integrator::euler, "dt < tau_min for Euler's method; got dt 1, tau_min 1");
  BOOST_CHECK_NO_THROW(Cell({.input = 1, .hidden = 1, .dt = 1, .method = Integrator::runge_kutta}, random));
}

BOOST_AUTO_TEST_SUITE_END()
