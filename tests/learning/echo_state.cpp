// Echo state networks: a chaotic series that goes on by itself, the memory of a linear reservoir, a nonlinear system of
// tenth order, and a reservoir whose leak, radius and input scale are found by gradient.

#include "nn/echo_state.hpp"

#include <cmath>

#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

using Network = nn::EchoState<double>;
using V = Variable<double>;

/// Steps [begin, end) of xs.
V steps_of(const V& xs, std::size_t begin, std::size_t end) {
  return slice(xs, 0, static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end));
}

/// tanh(x − 1) of dx/dt = 0.2·x(t − τ)/(1 + x(t − τ)¹⁰) − 0.1·x, by Euler's steps of 0.1, once every unit of time.
std::vector<double> mackey_glass(std::size_t count, std::size_t delay, Random& random) {
  constexpr std::size_t settle = 1000;
  std::vector<double> past(10 * delay), series;
  for (double& x : past) x = 1.2 + random.uniform(-0.1, 0.1);
  double x = past.back();
  for (std::size_t t = 0; series.size() < count; ++t) {
    double& old = past[t % past.size()];
    const double next = x + 0.1 * (0.2 * old / (1 + std::pow(old, 10)) - 0.1 * x);
    old = x;
    x = next;
    if (t % 10 == 9 && t >= 10 * settle) series.push_back(std::tanh(x - 1));
  }
  return series;
}

/// The set-up of GMD report 148, section 4.2, where x' = (1 − δα)·x + δ·tanh(W·x + ...) with δ = 0.44, α = 0.9: that is
/// a leak of 0.396 for h = α·x, and a radius of 0.79/0.9. Root mean square error of the 84th step after 1,000 that are
/// told, in 50 windows, over the series' deviation.
Result continue_mackey_glass(std::uint64_t seed, std::size_t delay, double lambda) {
  constexpr std::size_t train = 3000, told = 1000, free = 84, windows = 50, batch = 10;
  Random random(seed);
  Network network({.output = 1,
                   .feedback = true,
                   .reservoir = {.input = 1,
                                 .hidden = 400,
                                 .bias = false,
                                 .leak = 0.396,
                                 .radius = 0.79 / 0.9,
                                 .input_scale = 0.14,
                                 .feedback_scale = 0.56,
                                 .connectivity = 0.0125}},
                  random);
  const std::vector<double> series = mackey_glass(train + windows * (told + free), delay, random);
  double mean = 0, variance = 0, error = 0;
  for (const double y : series) mean += y / static_cast<double>(series.size());
  for (const double y : series) variance += (y - mean) * (y - mean) / static_cast<double>(series.size());
  const auto constant = [](std::size_t steps, std::size_t rows) { return V(full<double>({steps, rows, 1}, 0.2)); };

  Tensor<double> targets = empty<double>({train, 1, 1});
  std::copy_n(series.begin(), train, targets.begin());
  network.fit(constant(train, 1), targets, {.washout = 1000, .lambda = lambda});
  for (std::size_t first = 0; first < windows; first += batch) {
    Tensor<double> heard = empty<double>({told, batch, 1});
    const auto window = [&](std::size_t b) { return series.data() + train + (first + b) * (told + free); };
    for (std::size_t t = 0; t < told; ++t) {
      for (std::size_t b = 0; b < batch; ++b) heard.data()[t * batch + b] = window(b)[t];
    }
    const auto state = network.force(constant(told, batch), heard).state;
    const V last = nn::unroll(network, constant(free, batch), {.initial = state}).state.output;
    for (std::size_t b = 0; b < batch; ++b) error += std::pow(last.value().data()[b] - window(b)[told + free - 1], 2);
  }
  return {std::sqrt(error / windows / variance)};
}

const Register mackey_glass_17({.name = "mackey_glass_17",
                                .system = "echo state network 400",
                                .measure = "NRMSE of the 84th step alone",
                                .at_most = 1e-3,
                                .published = "2.8e-4 (Jaeger 2001)",
                                .quick = 1,
                                .run = [](std::uint64_t seed) { return continue_mackey_glass(seed, 17, 1e-14); }});

const Register mackey_glass_30({.name = "mackey_glass_30",
                                .system = "echo state network 400",
                                .measure = "NRMSE of the 84th step alone",
                                .at_most = 0.2,
                                .published = "0.11 (Jaeger 2001)",
                                .run = [](std::uint64_t seed) { return continue_mackey_glass(seed, 30, 1e-8); }});

/// Σ corr²(u(t − k), y_k(t)) over the lags k, of data that the read-outs y_k were not fitted to. A linear reservoir
/// whose states are linearly independent has as much as it has units (Jaeger 2002, GMD report 152).
Result memory_capacity(std::uint64_t seed) {
  constexpr std::size_t units = 20, steps = 20000, lags = 201, washout = 500;
  Random random(seed);
  nn::Reservoir<double, rules::Identity> ring({.input = 1, .hidden = units, .bias = false, .radius = 0.95}, random);
  Tensor<double> shift = zeros<double>({units, units}), first = zeros<double>({1, units});
  for (std::size_t i = 0; i < units; ++i) shift.data()[i * units + (i + 1) % units] = 1;
  first.data()[0] = 1;
  ring.weight_hh.assign(shift);
  ring.weight_ih.assign(first);

  const auto rows = [&](const Tensor<double>& u, std::size_t width, const auto& at) {
    Tensor<double> all = empty<double>({steps - washout, width});
    for (std::size_t t = washout; t < steps; ++t) {
      for (std::size_t k = 0; k < width; ++k) all.data()[(t - washout) * width + k] = at(u, t, k);
    }
    return all;
  };
  const auto lagged = [](const Tensor<double>& u, std::size_t t, std::size_t k) { return u.data()[t - k]; };
  const auto state = [](const Tensor<double>& h, std::size_t t, std::size_t j) { return h.data()[t * units + j]; };
  const auto draw = [&] { return nn::uniform<double>({steps, 1, 1}, 1, random); };
  const auto states = [&](const Tensor<double>& u) {
    return rows(nn::unroll(ring, V(u)).outputs.value(), units, state);
  };

  const Tensor<double> train = draw(), test = draw();
  const V readout = nn::ridge(states(train), rows(train, lags, lagged), 1e-9);
  const V y = matmul(V(states(test)), readout), wanted = rows(test, lags, lagged);
  const auto centred = [](const V& v) { return v - mean(v, {.axes = {0}}); };
  const auto squares = [](const V& a, const V& b) { return sum(a * b, {.axes = {0}}); };
  const V a = centred(y), b = centred(wanted);
  return {sum(square(squares(a, b)) / (squares(a, a) * squares(b, b))).item()};
}

const Register memory({.name = "memory_capacity",
                       .system = "linear reservoir 20, a ring of radius 0.95",
                       .measure = "memory capacity, lags up to 200",
                       .at_least = 19,
                       .at_most = 20.5,
                       .published = "20 (exact)",
                       .quick = 1,
                       .run = memory_capacity});

struct Series {
  V inputs, targets;  // [T, 1, 1]
};

/// y(t + 1) = 0.3·y(t) + 0.05·y(t)·Σ y(t − i) + 1.5·u(t − 9)·u(t) + 0.1 over i = 0 ... 9 (Atiya & Parlos 2000), with u
/// uniform in [0, 0.5).
Series narma(std::size_t steps, Random& random) {
  Tensor<double> u = empty<double>({steps, 1, 1}), y = u;
  for (double& x : u) x = random.uniform(0, 0.5);
  for (std::size_t t = 0; t < steps; ++t) {
    double recent = 0;
    for (std::size_t i = 1; i <= std::min<std::size_t>(t, 10); ++i) recent += y.data()[t - i];
    const double last = t > 0 ? y.data()[t - 1] : 0, product = t < 9 ? 0 : u.data()[t - 9] * u.data()[t];
    y.data()[t] = 0.3 * last + 0.05 * last * recent + 1.5 * product + 0.1;
  }
  return {u, y};
}

constexpr std::size_t narma_steps = 4000, narma_train = 2000, narma_washout = 200;

/// NRMSE of the steps that the read-out was not fitted to.
double narma_error(Network& network, const Series& s) {
  network.fit(steps_of(s.inputs, 0, narma_train), steps_of(s.targets, 0, narma_train), {.washout = narma_washout});
  const V y = network.force(s.inputs, s.targets).outputs;
  return nn::nrmse(steps_of(y, narma_train, narma_steps).value(),
                   steps_of(s.targets, narma_train, narma_steps).value());
}

Result narma_10(std::uint64_t seed) {
  Random random(seed);
  Network network({.output = 1, .reservoir = {.input = 1, .hidden = 200, .radius = 0.9, .input_scale = 0.2}}, random);
  return {narma_error(network, narma(narma_steps, random))};
}

const Register narma_task({.name = "narma_10",
                           .system = "echo state network 200",
                           .measure = "NRMSE, NARMA of order 10",
                           .at_most = 0.25,
                           .published = "none",
                           .quick = 1,
                           .run = narma_10});

/// The error where leak, radius and input scale were found by gradient, by that where they began: read-out by ridge
/// regression and reservoir by gradient take turns, on what the read-out is fitted to.
Result found_by_gradient(std::uint64_t seed) {
  Random random(seed);
  Network network({.output = 1, .reservoir = {.input = 1, .hidden = 100, .leak = 0.5, .radius = 0.5, .input_scale = 1}},
                  random);
  const Series s = narma(narma_steps, random);
  const V inputs = steps_of(s.inputs, 0, narma_train), targets = steps_of(s.targets, 0, narma_train);
  const double begun = narma_error(network, s);
  optim::Adam<double> adam({.learning_rate = 0.05});
  for (int i = 0; i < 60; ++i) {
    network.fit(inputs, targets, {.washout = narma_washout});
    Tape<double> tape;
    const V off = steps_of(network.force(inputs, targets).outputs - targets, narma_washout, narma_train);
    adam.step(network.reservoir.parameters(), tape.backward(log(mean(square(off)))));
  }
  return {narma_error(network, s) / begun};
}

const Register gradient_task({.name = "reservoir_by_gradient",
                              .system = "echo state network 100",
                              .measure = "NARMA-10's NRMSE with leak, radius and scale trained by that before",
                              .at_most = 0.7,
                              .published = "none",
                              .run = found_by_gradient});

}  // namespace
}  // namespace rw::learning
