// A multiple-timescale network learns six sequences made of three primitives, after Yamashita & Tani 2008: which
// sequence it is going to make is in the start of its slow group alone, which is learned for each.

#include "nn/cells/mtrnn.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

constexpr std::size_t steps = 120, segment = 30, sequences = 6;
constexpr std::array<double, 3> periods = {8, 12, 20};
constexpr std::array<std::array<std::size_t, 2>, sequences> pairs = {{{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}}};

/// Where the sequences are, from the first step on [T + 1, 6, 2]: on a circle that they run through at the periods of a
/// pair by turns.
Variable<float> primitives_in_turn() {
  Tensor<float> all = empty<float>({steps + 1, sequences, 2});
  for (std::size_t b = 0; b < sequences; ++b) {
    double turns = 0;
    for (std::size_t t = 0; t <= steps; ++t) {
      all(t, b, 0) = static_cast<float>(0.8 * std::sin(2 * std::numbers::pi * turns));
      all(t, b, 1) = static_cast<float>(0.8 * std::cos(2 * std::numbers::pi * turns));
      turns += 1 / periods[pairs[b][t / segment % 2]];
    }
  }
  return all;
}

struct Generator {
  nn::MultipleTimescaleRnn<float> cell;
  Parameter<float> start;  // of the slow group, one a sequence

  Generator(double slow, Random& random)
      : cell({.input = 2, .groups = {{2, 2}, {20, 2}, {6, slow}}}, random),
        start("start", nn::normal<float>({sequences, 6}, 1, random)) {}

  /// The squared error of the free run: every input but the first is the last output.
  Variable<float> error(const Variable<float>& places) const {
    const auto at = unstack(places);
    auto state = cell.initial_state(sequences);
    state.groups[2] = start;
    Variable<float> x = at[0];
    List<Variable<float>> outputs;
    for (std::size_t t = 1; t < at.size(); ++t) {
      auto next = nn::step(cell, x, state);
      x = next.output;
      outputs.push_back(std::move(next.output));
      state = std::move(next.state);
    }
    return mean_squared_error(stack(outputs), slice(places, 0, 1));
  }

  nn::Parameters<float> parameters() {
    auto all = cell.parameters();
    all.add(start);
    return all;
  }
};

/// The squared error of the net running on its own output after training, whose slow group has this time constant.
double free_run(double slow, std::uint64_t seed) {
  Random random(seed);
  Generator net(slow, random);
  const Variable<float> places = primitives_in_turn();
  optim::Adam<float> adam;
  for (int i = 0; i < 3000; ++i) {
    adam.set_learning_rate(1e-2 * std::pow(0.1, i / 3000.0));
    descend(adam, net.parameters(), 1, [&] { return net.error(places); });
  }
  return net.error(places).item();
}

Result primitives(std::uint64_t seed) { return {free_run(28, seed)}; }

Result against_one_timescale(std::uint64_t seed) { return {free_run(2, seed) / free_run(28, seed)}; }

const Register two_timescales({.name = "mtrnn_primitives",
                               .system = "MTRNN, fast 20 (2), slow 6 (28)",
                               .measure = "squared error of the free run, 120 steps",
                               .at_most = 0.02,
                               .published = "learned (Yamashita & Tani 2008)",
                               .quick = 1,
                               .run = primitives});

const Register one_timescale({.name = "mtrnn_timescales",
                              .system = "MTRNN, slow group 2 by 28",
                              .measure = "ratio of these errors",
                              .at_least = 1.5,
                              .published = "clearly worse (Yamashita & Tani 2008)",
                              .seeds = 3,
                              .must_pass = 0,  // slow is better each time, but often by less
                              .run = against_one_timescale});

}  // namespace
}  // namespace rw::learning
