// Continuous-time recurrent networks: how far the integrators are off, Beer's oscillator, and the trajectories of
// Pearlmutter 1989.

#include "nn/cells/ctrnn.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nn/learned_start.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

using nn::Integrator;

/// The order of a method: the slope of log error over log dt, of a unit without links that charges for a time of 1.
template <Integrator Method>
Result order(std::uint64_t seed) {
  Random random(seed);
  const double tau = random.uniform(0.5, 2), inflow = random.uniform(0.5, 2);
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const std::size_t steps : {10, 20, 40, 80}) {
    const double dt = 1 / static_cast<double>(steps);
    nn::ContinuousTimeRnn<double> cell(
        {.input = 1, .hidden = 1, .dt = dt, .tau_min = tau, .tau_max = tau, .method = Method}, random);
    cell.weight_ih.assign(full<double>({1, 1}, inflow));
    cell.weight_hh.assign(zeros<double>({1, 1}));
    const auto run = nn::unroll(cell, Variable<double>(full<double>({steps, 1, 1}, 1)));
    const double u = std::log(dt), v = std::log(std::abs(run.state.y.item() - inflow * (1 - std::exp(-1 / tau))));
    n += 1, x += u, y += v, xx += u * u, xy += u * v;
  }
  return {(n * xy - x * y) / (n * xx - x * x)};
}

/// What the first of two units with the weights of Beer 1995 puts out, from a state at random; U [2, 2] from row to
/// column.
Tensor<double> two_units(const Tensor<double>& u, Random& random) {
  nn::ContinuousTimeRnn<double> cell({.input = 1, .hidden = 2, .dt = 0.02}, random);
  cell.weight_hh.assign(u);
  cell.bias.assign(tensor<double>({2}, {-2.75, -1.75}));
  const Variable<double> start = nn::uniform<double>({1, 2}, 3, random);
  const auto run = nn::unroll(cell, Variable<double>(zeros<double>({20000, 1, 1})), {.initial = {{start}}});
  return slice(run.outputs, -1, 0, 1).value();
}

/// The spread of the heights of the last five peaks on the limit cycle, as a share of its width. With the links turned
/// round there is none: the units come to rest.
Result oscillator(std::uint64_t seed) {
  Random random(seed);
  const auto y = two_units(tensor<double>({2, 2}, {4.5, -1, 1, 4.5}), random);
  const auto turned = two_units(tensor<double>({2, 2}, {4.5, 1, -1, 4.5}), random);
  std::vector<double> peaks;
  for (std::size_t t = 1; t + 1 < y.size(); ++t) {
    if (y.data()[t] > y.data()[t - 1] && y.data()[t] >= y.data()[t + 1]) peaks.push_back(y.data()[t]);
  }
  if (peaks.size() < 5) return {1, false};
  const auto width = [](const double* begin, const double* end) {
    const auto [low, high] = std::minmax_element(begin, end);
    return *high - *low;
  };
  const auto later = [](const Tensor<double>& x) { return x.data() + x.size() / 2; };
  const double cycle = width(later(y), y.data() + y.size());
  double mean = 0, squares = 0;
  for (auto peak = peaks.end() - 5; peak != peaks.end(); ++peak) mean += *peak / 5;
  for (auto peak = peaks.end() - 5; peak != peaks.end(); ++peak) squares += (*peak - mean) * (*peak - mean) / 5;
  return {std::sqrt(squares) / cycle, cycle > 0.1 && width(later(turned), turned.data() + turned.size()) < 1e-6};
}

// Two units learn to move along a curve, with others to help, from a start that is learned too and without input.

constexpr std::size_t steps = 80;  // of 0.1, a period

using Point = std::array<double, 2>;

Point circle(double angle) { return {0.5 + 0.4 * std::cos(angle), 0.5 + 0.4 * std::sin(angle)}; }
Point eight(double angle) { return {0.5 + 0.4 * std::sin(angle), 0.5 + 0.4 * std::sin(2 * angle)}; }

using Net = nn::LearnedStart<nn::ContinuousTimeRnn<float>>;

/// Where the first two units are for some periods [T, 1, 2].
Variable<float> path(const Net& net, std::size_t periods) {
  return slice(nn::unroll(net, Variable<float>(zeros<float>({periods * steps, 1, 1}))).outputs, -1, 0, 2);
}

/// The squared error over the two periods that are learned.
template <class Curve>
double draw(Net& net, const Curve& curve) {
  Tensor<float> target = empty<float>({2 * steps, 1, 2});
  for (std::size_t t = 0; t < 2 * steps; ++t) {
    const Point p = curve(2 * std::numbers::pi * static_cast<double>(t) / static_cast<double>(steps));
    std::copy(p.begin(), p.end(), target.data() + 2 * t);
  }
  const auto error = [&] { return mean_squared_error(path(net, 2), Variable(target)); };
  optim::Adam<float> adam({.learning_rate = 1e-2});
  for (int i = 0; i < 1500; ++i) {
    descend(adam, net.parameters(), 1, error);
    net.cell.clamp();
  }
  return error().item();
}

Result circle_drawn(std::uint64_t seed) {
  Random random(seed);
  Net net({{.input = 1, .hidden = 6, .dt = 0.1}, random});
  const double error = draw(net, circle);
  const Tensor<float> further = slice(path(net, 7), 0, 2 * steps).value();
  double farthest = 0;
  for (std::size_t t = 0; t < 5 * steps; ++t) {
    const double radius = std::hypot(further.data()[2 * t] - 0.5, further.data()[2 * t + 1] - 0.5);
    farthest = std::max(farthest, std::abs(radius - 0.4));
  }
  return {error, farthest <= 0.1};
}

Result eight_drawn(std::uint64_t seed) {
  Random random(seed);
  Net net({{.input = 1, .hidden = 12, .dt = 0.1}, random});
  return {draw(net, eight)};
}

constexpr const char* order_measure = "order of the error in dt, of a unit charging";

const Register euler({.name = "ctrnn_order_euler",
                      .system = "CTRNN by Euler",
                      .measure = order_measure,
                      .at_least = 0.9,
                      .at_most = 1.1,
                      .published = "1 (exact)",
                      .must_pass = 5,
                      .quick = 1,
                      .run = order<Integrator::euler>});

const Register runge_kutta({.name = "ctrnn_order_runge_kutta",
                            .system = "CTRNN by Runge-Kutta",
                            .measure = order_measure,
                            .at_least = 3.8,
                            .at_most = 4.2,
                            .published = "4 (exact)",
                            .must_pass = 5,
                            .quick = 1,
                            .run = order<Integrator::runge_kutta>});

const Register beer({.name = "ctrnn_oscillator",
                     .system = "CTRNN 2, weights of Beer 1995",
                     .measure = "spread of the peaks on the limit cycle",
                     .at_most = 0.01,
                     .published = "a limit cycle (Beer 1995)",
                     .must_pass = 5,
                     .quick = 1,
                     .run = oscillator});

const Register circles({.name = "ctrnn_circle",
                        .system = "CTRNN 6",
                        .measure = "squared error, and 5 further periods within 0.1",
                        .at_most = 1e-3,
                        .published = "learned (Pearlmutter 1989)",
                        .quick = 1,
                        .run = circle_drawn});

const Register eights({.name = "ctrnn_eight",
                       .system = "CTRNN 12",
                       .measure = "squared error",
                       .at_most = 5e-3,
                       .published = "learned (Pearlmutter 1989)",
                       .run = eight_drawn});

}  // namespace
}  // namespace rw::learning
