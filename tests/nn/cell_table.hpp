#pragma once

#include <tuple>

#include "autograd/ops/broadcast.hpp"
#include "autograd/ops/softmax.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "tests/nn/common.hpp"

// One row a cell. A row names the cell, makes one and gives
//     step(cell, x, state)       one step of one sequence in plain scalars; the state's numbers stand in a row
//     unfused(cell, x, state)    one step from the raw input, op by op, where the cell fuses

namespace cell_table {

using rw::Parameter;
using rw::Random;
using rw::Variable;
using Numbers = std::vector<double>;

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Column j of x·W, with x from `begin` on.
inline double column(const Numbers& x, std::size_t begin, const Parameter<double>& w, std::size_t j) {
  const std::size_t rows = w.shape()[0], columns = w.shape()[1];
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) sum += x[begin + i] * w.value().data()[i * columns + j];
  return sum;
}

inline double at(const std::optional<Parameter<double>>& bias, std::size_t j) {
  return bias ? bias->value().data()[j] : 0;
}

template <bool Bias>
struct LstmRow {
  using Cell = rw::nn::Lstm<double>;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    return Cell({.input = input, .hidden = hidden, .bias = Bias}, random);
  }
  static std::vector<std::string> names() {
    return Bias ? std::vector<std::string>{"weight_ih", "weight_hh", "bias"}
                : std::vector<std::string>{"weight_ih", "weight_hh"};
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) {
    const std::size_t n = cell.hidden();
    Numbers next(2 * n);
    for (std::size_t j = 0; j < n; ++j) {
      const auto gate = [&](std::size_t g) {
        const std::size_t k = g * n + j;
        return column(x, 0, cell.weight_ih, k) + column(state, 0, cell.weight_hh, k) + at(cell.bias, k);
      };
      next[n + j] = sigmoid(gate(1)) * state[n + j] + sigmoid(gate(0)) * std::tanh(gate(2));
      next[j] = sigmoid(gate(3)) * std::tanh(next[n + j]);
    }
    state = next;
    return Numbers(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(n));
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    auto gates = matmul(x, cell.weight_ih) + matmul(s.h, cell.weight_hh);
    if (cell.bias) gates = gates + *cell.bias;
    const auto parts = rw::split(gates, 4, -1);
    const auto c = sigmoid(parts[1]) * s.c + sigmoid(parts[0]) * tanh(parts[2]);
    const auto h = sigmoid(parts[3]) * tanh(c);
    return rw::nn::Step<double, Cell::State>{h, {h, c}};
  }
};

template <bool Bias>
struct RnnRow {
  using Cell = rw::nn::Rnn<double>;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    return Cell({.input = input, .hidden = hidden, .bias = Bias}, random);
  }
  static std::vector<std::string> names() {
    return Bias ? std::vector<std::string>{"weight_ih", "weight_hh", "bias"}
                : std::vector<std::string>{"weight_ih", "weight_hh"};
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    Numbers next(cell.hidden());
    for (std::size_t j = 0; j < next.size(); ++j) {
      next[j] = std::tanh(column(x, 0, cell.weight_ih, j) + column(h, 0, cell.weight_hh, j) + at(cell.bias, j));
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    auto sum = matmul(x, cell.weight_ih) + matmul(s.h, cell.weight_hh);
    if (cell.bias) sum = sum + *cell.bias;
    const auto h = tanh(sum);
    return rw::nn::Step<double, Cell::State>{h, {h}};
  }
};

template <bool Bias>
struct GruRow {
  using Cell = rw::nn::Gru<double>;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    return Cell({.input = input, .hidden = hidden, .bias = Bias}, random);
  }
  static std::vector<std::string> names() {
    return Bias ? std::vector<std::string>{"weight_ih", "weight_hh", "bias", "bias_hn"}
                : std::vector<std::string>{"weight_ih", "weight_hh"};
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    const std::size_t n = cell.hidden();
    Numbers next(n);
    for (std::size_t j = 0; j < n; ++j) {
      const auto from_x = [&](std::size_t g) {
        return column(x, 0, cell.weight_ih, g * n + j) + at(cell.bias, g * n + j);
      };
      const auto from_h = [&](std::size_t g) { return column(h, 0, cell.weight_hh, g * n + j); };
      const double r = sigmoid(from_x(0) + from_h(0)), z = sigmoid(from_x(1) + from_h(1));
      const double candidate = std::tanh(from_x(2) + r * (from_h(2) + at(cell.bias_hn, j)));
      next[j] = (1 - z) * candidate + z * h[j];
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    auto from_x = matmul(x, cell.weight_ih);
    if (cell.bias) from_x = from_x + *cell.bias;
    const auto xs = rw::split(from_x, 3, -1), hs = rw::split(matmul(s.h, cell.weight_hh), 3, -1);
    const auto r = sigmoid(xs[0] + hs[0]), z = sigmoid(xs[1] + hs[1]);
    const auto n = tanh(xs[2] + r * (cell.bias_hn ? hs[2] + *cell.bias_hn : hs[2]));
    const auto h = (1 - z) * n + z * s.h;
    return rw::nn::Step<double, Cell::State>{h, {h}};
  }
};

/// A user's cell, the minimal gated unit (Zhou et al. 2016):
///     f = σ(x·W_f + h·U_f + b_f),  h' = (1 − f) ⊙ h + f ⊙ tanh(x·W + (f ⊙ h)·U + b)
struct MinimalGatedUnit {
  struct State {
    Variable<double> h;
  };

  MinimalGatedUnit(std::size_t input, std::size_t hidden, Random& random)
      : w("w", rw::nn::glorot_uniform<double>({input, 2 * hidden}, random)),
        b("b", rw::zeros<double>({2 * hidden})),
        u_f("u_f", rw::nn::orthogonal<double>({hidden, hidden}, random)),
        u("u", rw::nn::orthogonal<double>({hidden, hidden}, random)) {}

  State initial_state(std::size_t batch) const { return {rw::zeros<double>({batch, u.shape()[0]})}; }

  Variable<double> project(const Variable<double>& xs) const { return affine(xs, w, b); }

  rw::nn::Step<double, State> step(const Variable<double>& x, const State& s) const {
    const auto [x_f, x_h] = rw::split<2>(x);
    const auto f = rw::fuse([](auto a, auto b) { return sigmoid(a + b); }, x_f, matmul(s.h, u_f));
    const auto h = rw::fuse([](auto f, auto h, auto a, auto b) { return (1 - f) * h + f * tanh(a + b); }, f, s.h, x_h,
                            matmul(f * s.h, u));
    return {h, {h}};
  }

  rw::nn::Parameters<double> parameters() { return {w, b, u_f, u}; }

  Parameter<double> w, b, u_f, u;
};

struct MinimalGatedUnitRow {
  using Cell = MinimalGatedUnit;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) { return Cell(input, hidden, random); }
  static std::vector<std::string> names() { return {"w", "b", "u_f", "u"}; }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    const std::size_t n = h.size();
    const auto from_x = [&](std::size_t k) { return column(x, 0, cell.w, k) + cell.b.value().data()[k]; };
    Numbers f(n), kept(n), next(n);
    for (std::size_t j = 0; j < n; ++j) f[j] = sigmoid(from_x(j) + column(h, 0, cell.u_f, j));
    for (std::size_t j = 0; j < n; ++j) kept[j] = f[j] * h[j];
    for (std::size_t j = 0; j < n; ++j) {
      next[j] = (1 - f[j]) * h[j] + f[j] * std::tanh(from_x(n + j) + column(kept, 0, cell.u, j));
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    const auto xs = rw::split(matmul(x, cell.w) + cell.b, 2, -1);
    const auto f = sigmoid(xs[0] + matmul(s.h, cell.u_f));
    const auto h = (1 - f) * s.h + f * tanh(xs[1] + matmul(f * s.h, cell.u));
    return rw::nn::Step<double, Cell::State>{h, {h}};
  }
};

/// A user's cell with a state of every form: layers, the last two outputs and a memory of slots M [B, N, H], which is
/// written to and read from by weights w [B, N] and begins with trained contents.
///     h₁' = tanh(x·A + h₁·U₁),   h₂' = tanh(h₁' + y₋₂ + h₂·U₂),   w = softmax(h₂'·K)
///     M' = M + w ⊗ h₂',   y = Σₙ wₙ·M'ₙ
struct Notebook {
  static constexpr std::size_t slots = 2;
  struct Layer {
    Variable<double> h;
  };
  struct State {
    std::vector<Layer> layers;
    std::array<Variable<double>, 2> past;
    Variable<double> memory;
  };

  Notebook(std::size_t input, std::size_t hidden, Random& random)
      : a("a", rw::nn::glorot_uniform<double>({input, hidden}, random)),
        u1("u1", rw::nn::orthogonal<double>({hidden, hidden}, random)),
        u2("u2", rw::nn::orthogonal<double>({hidden, hidden}, random)),
        k("k", rw::nn::glorot_uniform<double>({hidden, slots}, random)),
        contents("contents", rw::zeros<double>({slots, hidden})) {}

  State initial_state(std::size_t batch) const {
    const std::size_t hidden = u1.shape()[0];
    const Variable<double> zero = rw::zeros<double>({batch, hidden});
    return {{{zero}, {zero}}, {zero, zero}, rw::broadcast_to<double>(contents, {batch, slots, hidden})};
  }

  rw::nn::Step<double, State> step(const Variable<double>& x, const State& s) const {
    const auto h1 = tanh(matmul(x, a) + matmul(s.layers[0].h, u1));
    const auto h2 = tanh(h1 + s.past[1] + matmul(s.layers[1].h, u2));
    const auto weights = expand_dims(rw::softmax(matmul(h2, k)), 2);
    const auto memory = s.memory + weights * expand_dims(h2, 1);
    const auto y = sum(weights * memory, {.axes = {1}});
    return {y, {{{h1}, {h2}}, {y, s.past[0]}, memory}};
  }

  rw::nn::Parameters<double> parameters() { return {a, u1, u2, k, contents}; }

  Parameter<double> a, u1, u2, k, contents;
};

struct NotebookRow {
  using Cell = Notebook;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) { return Cell(input, hidden, random); }
  static std::vector<std::string> names() { return {"a", "u1", "u2", "k", "contents"}; }

  // The state is h₁, h₂, y₋₁, y₋₂, M one after the other.
  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) {
    const std::size_t n = cell.u1.shape()[0], slots = Cell::slots;
    Numbers next = state, h2(n), weights(slots), y(n);
    double total = 0;
    for (std::size_t j = 0; j < n; ++j) {
      next[j] = std::tanh(column(x, 0, cell.a, j) + column(state, 0, cell.u1, j));
      h2[j] = next[n + j] = std::tanh(next[j] + state[3 * n + j] + column(state, n, cell.u2, j));
      next[3 * n + j] = state[2 * n + j];
    }
    for (std::size_t k = 0; k < slots; ++k) total += weights[k] = std::exp(column(h2, 0, cell.k, k));
    for (std::size_t k = 0; k < slots; ++k) {
      for (std::size_t j = 0; j < n; ++j) {
        double& m = next[(4 + k) * n + j];
        m += weights[k] / total * h2[j];
        y[j] += weights[k] / total * m;
      }
    }
    std::copy(y.begin(), y.end(), next.begin() + static_cast<std::ptrdiff_t>(2 * n));
    state = next;
    return y;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) { return cell.step(x, s); }
};

using Rows = std::tuple<LstmRow<true>, LstmRow<false>, GruRow<true>, GruRow<false>, RnnRow<true>, RnnRow<false>,
                        MinimalGatedUnitRow, NotebookRow>;

/// The row's cell with parameters that are all different, biases too.
template <class Row>
typename Row::Cell made(std::size_t input, std::size_t hidden, std::uint64_t seed = 1) {
  Random random(seed);
  auto cell = Row::make(input, hidden, random);
  common::scatter(cell.parameters(), 100 * seed);
  return cell;
}

}  // namespace cell_table
