#include <boost/test/unit_test.hpp>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/broadcast.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/ops/softmax.hpp"
#include "nn/init.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::column;
using cell_rows::Numbers;
using rw::Parameter;
using rw::Random;
using rw::Variable;

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

using Rows = std::tuple<NotebookRow>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"
