#pragma once

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"
#include "tests/nn/common.hpp"

namespace common {

/// A cell as a user writes one, in plain ops; its output is narrower than h and comes back at the next step.
///     h' = tanh(x·A + h·U + y·F),   y' = h'·V         x [B, I], h [B, H + 1], y [B, H]
struct UsersCell {
  struct Options {
    std::size_t input, hidden;
  };
  struct State {
    rw::Variable<double> h, y;
  };

  UsersCell(const Options& o, rw::Random& random)
      : a("a", rw::nn::glorot_uniform<double>({o.input, o.hidden + 1}, random)),
        u("u", rw::nn::orthogonal<double>({o.hidden + 1, o.hidden + 1}, random)),
        f("f", rw::nn::glorot_uniform<double>({o.hidden, o.hidden + 1}, random)),
        v("v", rw::nn::glorot_uniform<double>({o.hidden + 1, o.hidden}, random)) {}

  State initial_state(std::size_t batch) const {
    return {rw::zeros<double>({batch, u.shape()[0]}), rw::zeros<double>({batch, v.shape()[1]})};
  }

  rw::nn::Step<double, State> step(const rw::Variable<double>& x, const State& s) const {
    const auto h = tanh(matmul(x, a) + matmul(s.h, u) + matmul(s.y, f));
    const auto y = matmul(h, v);
    return {y, {h, y}};
  }

  rw::nn::Parameters<double> parameters() { return {a, u, f, v}; }

  rw::Parameter<double> a, u, f, v;
};

/// A cell of these options with parameters that are all different, biases too.
template <class Cell>
Cell made(std::size_t input, std::size_t hidden, std::uint64_t seed = 1) {
  rw::Random random(seed);
  Cell cell({.input = input, .hidden = hidden}, random);
  scatter(cell.parameters(), 100 * seed);
  return cell;
}

/// The state of the form of `like` without zeros.
template <class State>
State scattered(const State& like, std::uint64_t stream) {
  return rw::nn::map_state(
      [&](const rw::Variable<double>& v) { return rw::Variable<double>(numbers(v.shape(), ++stream)); }, like);
}

}  // namespace common
