#include "nn/cells/lstm.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using rw::Random;
using rw::nn::Forget;
using Lstm = rw::nn::Lstm<double>;
using V = rw::Variable<double>;

/// (x − x̄)/√(variance + ε) ⊙ gain + shift.
Numbers normalised(const Numbers& x, const V& gain, const std::optional<rw::Parameter<double>>& shift) {
  const auto n = static_cast<double>(x.size());
  double mean = 0, variance = 0;
  for (const double a : x) mean += a / n;
  for (const double a : x) variance += (a - mean) * (a - mean) / n;
  Numbers y(x.size());
  for (std::size_t j = 0; j < y.size(); ++j) {
    y[j] = (x[j] - mean) / std::sqrt(variance + 1e-5) * at(gain, j) + at(shift, j);
  }
  return y;
}

/// A step of an LSTM of any options. The state is h, c.
Numbers scalar_step(const Lstm& cell, const Numbers& x, Numbers& state) {
  using cell_rows::sigmoid;
  const std::size_t n = cell.hidden(), all = cell.weight_hh.shape()[1], width = cell.weight_hh.shape()[0];
  const bool gate = cell.forget == Forget::gate;
  Numbers from_x(all), from_h(all), next(n), out(n);
  for (std::size_t k = 0; k < all; ++k) from_x[k] = column(x, 0, cell.weight_ih, k);
  for (std::size_t k = 0; k < all; ++k) from_h[k] = column(state, 0, cell.weight_hh, k);
  if (cell.gain_ih) from_x = normalised(from_x, *cell.gain_ih, {});
  if (cell.gain_hh) from_h = normalised(from_h, *cell.gain_hh, {});
  const auto sum = [&](std::size_t block, std::size_t j) {
    const std::size_t k = block * n + j;
    return from_x[k] + from_h[k] + at(cell.bias, k);
  };
  for (std::size_t j = 0; j < n; ++j) {
    const double c = state[width + j];
    const double i = sigmoid(sum(0, j) + at(cell.peephole, j) * c);
    double f = cell.forget == Forget::none ? 1 : 1 - i;
    if (gate) f = sigmoid(sum(1, j) + at(cell.peephole, n + j) * c);
    next[j] = f * c + i * std::tanh(sum(gate ? 2 : 1, j));
    out[j] = sigmoid(sum(gate ? 3 : 2, j) + at(cell.peephole, (gate ? 2 : 1) * n + j) * next[j]);
  }
  const Numbers seen = cell.gain_c ? normalised(next, *cell.gain_c, cell.shift_c) : next;
  for (std::size_t j = 0; j < n; ++j) out[j] *= std::tanh(seen[j]);
  Numbers h(out);
  if (cell.weight_hr) {
    h.resize(width);
    for (std::size_t j = 0; j < width; ++j) h[j] = column(out, 0, *cell.weight_hr, j);
  }
  state = h;
  state.insert(state.end(), next.begin(), next.end());
  return h;
}

V normalised(const V& x, const V& gain) {
  const rw::Reduce row{{-1}, true};
  return (x - mean(x, row)) / sqrt(variance(x, row) + 1e-5) * gain;
}

template <Forget forget, bool peepholes, bool projection, bool layer_norm, bool bias = true>
struct LstmRow {
  using Cell = Lstm;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    return Cell({.input = input,
                 .hidden = hidden,
                 .bias = bias,
                 .forget = forget,
                 .peepholes = peepholes,
                 .projection = projection ? hidden - 1 : 0,
                 .layer_norm = layer_norm},
                random);
  }

  static std::vector<std::string> names() {
    std::vector<std::string> all{"weight_ih", "weight_hh"};
    if (bias) all.push_back("bias");
    if (peepholes) all.push_back("peephole");
    if (projection) all.push_back("weight_hr");
    if (layer_norm) all.insert(all.end(), {"gain_ih", "gain_hh", "gain_c"});
    if (layer_norm && bias) all.push_back("shift_c");
    return all;
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& state) { return scalar_step(cell, x, state); }

  static auto unfused(const Cell& cell, const V& x, const Cell::State& s) {
    V from_x = matmul(x, cell.weight_ih), from_h = matmul(s.h, cell.weight_hh);
    if (layer_norm) {
      from_x = normalised(from_x, *cell.gain_ih);
      from_h = normalised(from_h, *cell.gain_hh);
    }
    const V sums = cell.bias ? from_x + from_h + *cell.bias : from_x + from_h;
    auto sum = split(sums, forget == Forget::gate ? 4 : 3, -1);
    if (forget != Forget::gate) sum.insert(sum.begin() + 1, V());
    std::vector<V> p(3, V(rw::scalar(0.0)));
    if (peepholes) {
      const auto parts = split(V(*cell.peephole), forget == Forget::gate ? 3 : 2, -1);
      p = {parts[0], parts[1], parts.back()};
    }
    const V i = sigmoid(sum[0] + p[0] * s.c);
    const V f = forget == Forget::gate      ? sigmoid(sum[1] + p[1] * s.c)
                : forget == Forget::coupled ? 1 - i
                                            : V(rw::scalar(1.0));
    const V c = f * s.c + i * tanh(sum[2]);
    V seen = c;
    if (layer_norm) seen = normalised(c, *cell.gain_c);
    if (layer_norm && bias) seen = seen + *cell.shift_c;
    V h = sigmoid(sum[3] + p[2] * c) * tanh(seen);
    if (projection) h = matmul(h, *cell.weight_hr);
    return rw::nn::Step<double, Cell::State>{h, {h, c}};
  }
};

using Rows = std::tuple<LstmRow<Forget::gate, false, false, false>, LstmRow<Forget::gate, false, false, false, false>,
                        LstmRow<Forget::gate, true, false, false>, LstmRow<Forget::coupled, false, false, false>,
                        LstmRow<Forget::none, false, false, false>, LstmRow<Forget::gate, false, true, false>,
                        LstmRow<Forget::gate, false, false, true>, LstmRow<Forget::coupled, true, true, true, false>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(lstm)

using common::distance;
using common::numbers;

namespace {

/// A cell with numbers in every parameter.
Lstm lstm(const Lstm::Options& options) {
  Random random(1);
  Lstm cell(options, random);
  common::scatter(cell.parameters(), 7);
  return cell;
}

/// Block `to` of a row of n blocks becomes f(block `from` of another row of m).
template <class F>
void set_block(rw::Parameter<double>& p, std::size_t n, std::size_t to, const V& source, std::size_t m,
               std::size_t from, const F& f) {
  auto blocks = split(p.detached(), n, -1);
  blocks[to] = f(split(source.detached(), m, -1)[from]);
  p.assign(concatenate(blocks, -1).value());
}

/// Blocks {0, 1, 2} of a cell without a forget gate where a cell with one has {0, 2, 3}.
void set_without_forget_gate(Lstm& cell, const Lstm& from) {
  const auto same = [](const V& block) { return block; };
  for (const std::size_t k : {0, 1, 2}) {
    const std::size_t to = k == 0 ? 0 : k + 1;
    set_block(cell.weight_ih, 4, to, from.weight_ih, 3, k, same);
    set_block(cell.weight_hh, 4, to, from.weight_hh, 3, k, same);
    set_block(*cell.bias, 4, to, *from.bias, 3, k, same);
  }
  set_block(*cell.peephole, 3, 0, *from.peephole, 2, 0, same);
  set_block(*cell.peephole, 3, 2, *from.peephole, 2, 1, same);
}

double difference(const Lstm& a, const Lstm& b) {
  const V xs = numbers({6, 2, 3});
  const auto one = unroll(a, xs), other = unroll(b, xs);
  return std::max(distance(one.outputs, other.outputs), distance(one.state.c, other.state.c));
}

}  // namespace

// Gradients, and values against plain scalars, of all the options together.
BOOST_AUTO_TEST_CASE(options_combine) {
  for (int k = 0; k < 48; ++k) {
    const Lstm::Options options{.input = 3,
                                .hidden = 4,
                                .bias = k % 2 == 0,
                                .forget = std::array{Forget::gate, Forget::coupled, Forget::none}[k / 16],
                                .peepholes = k / 2 % 2 == 1,
                                .projection = k / 4 % 2 == 1 ? 5u : 0u,
                                .layer_norm = k / 8 % 2 == 1};
    Lstm cell = lstm(options);
    BOOST_TEST_CONTEXT("combination " << k) {
      const std::size_t width = options.projection > 0 ? 5 : 4;
      const std::vector<rw::Tensor<double>> inputs{numbers({2, 2, 3}), numbers({2, width}, 2), numbers({2, 4}, 3)};
      const auto f = [&](const std::vector<V>& x) {
        const auto run = unroll(cell, x[0], {.initial = Lstm::State{x[1], x[2]}});
        return std::vector<V>{run.outputs, run.state.c};
      };
      const auto report = rw::check_gradients("lstm", f, inputs, {.parameters = cell.parameters()});
      BOOST_TEST(report.ok, report.message);

      Numbers state(inputs[1].data(), inputs[1].data() + width);  // row 0
      state.insert(state.end(), inputs[2].data(), inputs[2].data() + 4);
      const V outputs = f({inputs[0], inputs[1], inputs[2]})[0];
      for (std::size_t t = 0; t < 2; ++t) {
        const double* x = inputs[0].data() + t * 6;
        const Numbers h = scalar_step(cell, Numbers(x, x + 3), state);
        for (std::size_t j = 0; j < width; ++j) {
          BOOST_TEST(std::abs(h[j] - outputs.value().data()[t * 2 * width + j]) < 1e-13);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(coupled_gates_are_a_forget_gate_with_the_opposite_weights) {
  const Lstm coupled = lstm({.input = 3, .hidden = 4, .forget = Forget::coupled, .peepholes = true});
  Lstm cell = lstm({.input = 3, .hidden = 4, .peepholes = true});
  set_without_forget_gate(cell, coupled);
  const auto opposite = [](const V& block) { return -block; };
  set_block(cell.weight_ih, 4, 1, coupled.weight_ih, 3, 0, opposite);
  set_block(cell.weight_hh, 4, 1, coupled.weight_hh, 3, 0, opposite);
  set_block(*cell.bias, 4, 1, *coupled.bias, 3, 0, opposite);
  BOOST_TEST(difference(cell, coupled) > 1e-3);
  set_block(*cell.peephole, 3, 1, *coupled.peephole, 2, 0, opposite);
  BOOST_TEST(difference(cell, coupled) < 1e-14);
}

BOOST_AUTO_TEST_CASE(without_forgetting_it_is_a_forget_gate_that_is_open) {
  const Lstm remembering = lstm({.input = 3, .hidden = 4, .forget = Forget::none, .peepholes = true});
  Lstm cell = lstm({.input = 3, .hidden = 4, .peepholes = true});
  set_without_forget_gate(cell, remembering);
  const auto forget_bias = [&](double value) {
    set_block(*cell.bias, 4, 1, *remembering.bias, 3, 0, [=](const V& block) { return 0 * block + value; });
  };
  forget_bias(1);
  BOOST_TEST(difference(cell, remembering) > 1e-3);
  forget_bias(100);  // σ(100 ± 5) is 1
  BOOST_TEST(difference(cell, remembering) == 0);
}

// The constant error carousel of 1997: with the input gate shut the memory stays to the bit, and so does its gradient.
BOOST_AUTO_TEST_CASE(without_forgetting_the_error_flows_back_unchanged) {
  Lstm cell = lstm({.input = 3, .hidden = 4, .forget = Forget::none});
  set_block(*cell.bias, 3, 0, *cell.bias, 3, 0, [](const V& block) { return 0 * block - 1000; });
  rw::Tape<double> tape;
  const V c = tape.watch(numbers({2, 4}, 1)), seed = numbers({2, 4}, 2);
  const auto run = unroll(cell, V(numbers({100, 2, 3})), {.initial = Lstm::State{numbers({2, 4}, 3), c}});
  BOOST_TEST(distance(run.state.c, c) == 0);
  BOOST_TEST(distance(tape.backward(sum(seed * run.state.c))[c], seed) == 0);
}

BOOST_AUTO_TEST_CASE(what_changes_nothing_gives_the_plain_cell) {
  Lstm cell = lstm({.input = 3, .hidden = 4, .peepholes = true, .projection = 4});
  cell.peephole->assign(rw::zeros<double>({12}));
  BOOST_TEST(difference(cell, lstm({.input = 3, .hidden = 4})) > 1e-3);
  rw::Tensor<double> identity = rw::zeros<double>({4, 4});
  for (std::size_t j = 0; j < 4; ++j) identity(j, j) = 1;
  cell.weight_hr->assign(identity);
  BOOST_TEST(difference(cell, lstm({.input = 3, .hidden = 4})) < 1e-14);
}

// Ba, Kiros & Hinton 2016, section 5.1: a row added to all of a unit's incoming weights and a factor on them is lost.
BOOST_AUTO_TEST_CASE(layer_normalisation_does_not_see_the_scale_and_centre_of_weights) {
  const Lstm cell = lstm({.input = 3, .hidden = 4, .layer_norm = true});
  Lstm other = lstm({.input = 3, .hidden = 4, .layer_norm = true});
  other.weight_ih.assign((other.weight_ih + V(numbers({3, 1}, 1))).value());
  other.weight_hh.assign((other.weight_hh + V(numbers({4, 1}, 2))).value());
  BOOST_TEST(difference(cell, other) < 1e-13);
  other.weight_ih.assign((1000 * other.weight_ih).value());
  BOOST_TEST(difference(cell, other) < 1e-4);  // but for ε
}

BOOST_AUTO_TEST_CASE(parameters_begin_as_documented) {
  Random random(1);
  Lstm cell({.input = 2, .hidden = 3, .forget_bias = 5, .peepholes = true, .projection = 2, .layer_norm = true},
            random);
  BOOST_TEST(distance(*cell.bias, V(rw::tensor<double>({12}, {0, 0, 0, 5, 5, 5, 0, 0, 0, 0, 0, 0}))) == 0);
  BOOST_TEST(distance(*cell.peephole, V(rw::zeros<double>({9}))) == 0);
  BOOST_TEST(distance(*cell.gain_hh, V(rw::full<double>({12}, 1))) == 0);
  BOOST_TEST(distance(*cell.shift_c, V(rw::zeros<double>({3}))) == 0);
  BOOST_TEST(cell.hidden() == 3u);
  const auto state = cell.initial_state(4);
  BOOST_TEST((state.h.shape() == rw::Shape{4, 2} && state.c.shape() == rw::Shape{4, 3}));
  for (const Forget forget : {Forget::coupled, Forget::none}) {
    const Lstm gateless({.input = 2, .hidden = 3, .forget_bias = 5, .forget = forget}, random);
    BOOST_TEST(distance(*gateless.bias, V(rw::zeros<double>({9}))) == 0);
    BOOST_TEST(gateless.hidden() == 3u);
  }
}

BOOST_AUTO_TEST_CASE(float_follows_double) {
  const auto outputs = []<class T>(T) {
    Random random(1);
    const rw::nn::Lstm<T> cell(
        {.input = 3, .hidden = 4, .forget = Forget::coupled, .peepholes = true, .projection = 2, .layer_norm = true},
        random);
    const auto xs = rw::nn::uniform<T>({6, 2, 3}, 1, random);
    const auto y = rw::nn::unroll(cell, rw::Variable<T>(xs)).outputs;
    return Numbers(y.value().begin(), y.value().end());
  };
  const Numbers exact = outputs(0.0), rounded = outputs(0.0f);
  for (std::size_t i = 0; i < exact.size(); ++i) BOOST_TEST(std::abs(exact[i] - rounded[i]) < 1e-5);
}

BOOST_AUTO_TEST_CASE(inputs_of_another_width_are_refused) {
  const Lstm cell = lstm({.input = 3, .hidden = 4});
  BOOST_CHECK_EXCEPTION(rw::nn::unroll(cell, V(rw::zeros<double>({5, 2, 7}))), std::invalid_argument,
                        common::says("affine: expected equal inner extents; got a [5, 2, 7], b [3, 16]"));
}

BOOST_AUTO_TEST_SUITE_END()
