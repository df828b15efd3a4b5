#pragma once

#include <cstring>
#include <limits>

#include "autograd/gradcheck.hpp"
#include "nn/safetensors.hpp"
#include "nn/stack.hpp"
#include "tests/folder.hpp"
#include "tests/nn/cells/row.hpp"

// What every cell must do. A cell's test names its rows (row.hpp) and ends with this file:
//
//     using Rows = std::tuple<LstmRow<true>, LstmRow<false>>;
//     #include "tests/nn/cells/every_cell.hpp"

namespace {
namespace every_cell {

using cell_rows::made;
using cell_rows::Numbers;
using common::difference;
using common::distance;
using common::list;
using common::numbers;
using common::weighed;
using rw::concatenate;
using rw::Indices;
using rw::reshape;
using rw::Tape;
using rw::Tensor;
using rw::nn::map_state;
using rw::nn::unroll;
using rw::nn::UnrollOptions;
using V = rw::Variable<double>;

constexpr std::size_t T = 5, B = 4, H = 5;

template <class Row>
constexpr std::size_t input_or([[maybe_unused]] std::size_t any) {
  if constexpr (requires { Row::input; }) {
    return Row::input;
  } else {
    return any;
  }
}
template <class Row>
constexpr std::size_t I = input_or<Row>(3);

template <class Row>
bool counts([[maybe_unused]] const V& v) {
  if constexpr (requires { Row::counts(v); }) {
    return Row::counts(v);
  } else {
    return false;
  }
}

// States as lists of Variables.

/// The state of the form of `like` with these Variables.
template <class Row, class State>
State state_of(const State& like, const V* next) {
  return map_state([&](const V& v) { return counts<Row>(v) ? v : *next++; }, like);
}

/// An initial state without zeros.
template <class Row, class Layer>
typename Layer::State some_state(const Layer& layer, std::size_t batch) {
  std::uint64_t stream = 50;
  return map_state([&](const V& v) { return counts<Row>(v) ? v : V(numbers(v.shape(), ++stream)); },
                   layer.initial_state(batch));
}

template <class State>
State row_of(const State& state, std::size_t b) {
  const auto i = static_cast<std::ptrdiff_t>(b);
  return map_state([&](const V& v) { return slice(v, 0, i, i + 1); }, state);
}

/// Row b of a state as numbers.
template <class State>
Numbers flat(const State& state, std::size_t b) {
  Numbers all;
  for (const V& v : list(row_of(state, b))) all.insert(all.end(), v.value().begin(), v.value().end());
  return all;
}

// Losses and gradients.

template <class State>
V weighed_all(const V& outputs, const State& state, std::uint64_t stream) {
  V total = weighed(outputs, stream);
  for (const V& v : list(state)) total = total + weighed(v, ++stream);
  return total;
}

/// The gradients of all parameters, and of x.
template <class Layer>
std::vector<V> gradients_of(Tape<double>& tape, const V& loss, Layer& layer, const V& x, bool record = false) {
  const auto g = tape.backward(loss, {.record = record});
  std::vector<V> all{g[x]};
  for (const auto& entry : layer.parameters()) all.push_back(g[*entry.parameter]);
  return all;
}

/// Calls check(layer) with the cell as it is, in both directions, two deep, and two deep in both directions.
template <class Row, class Check>
void for_every_layer(std::size_t input, std::size_t hidden, const Check& check) {
  using Cell = typename Row::Cell;
  using Both = rw::nn::Bidirectional<Cell>;
  const auto cell = [&](std::size_t width, std::uint64_t seed) { return made<Row>(width, hidden, seed); };
  Cell plain = cell(input, 1);
  const std::size_t width = unroll(plain, V(rw::zeros<double>({1, 1, input}))).outputs.shape()[2];
  BOOST_TEST_CONTEXT("plain") { check(plain); }
  BOOST_TEST_CONTEXT("bidirectional") {
    Both both{cell(input, 1), cell(input, 2)};
    check(both);
  }
  BOOST_TEST_CONTEXT("deep") {
    rw::nn::Stack<Cell> deep;
    deep.layers.push_back(cell(input, 1));
    deep.layers.push_back(cell(width, 2));
    check(deep);
  }
  if constexpr (!requires { Row::input; }) {  // else the second layer could not read both outputs
    BOOST_TEST_CONTEXT("deep bidirectional") {
      rw::nn::Stack<Both> deep;
      deep.layers.push_back({cell(input, 1), cell(input, 2)});
      deep.layers.push_back({cell(2 * width, 3), cell(2 * width, 4)});
      check(deep);
    }
  }
}

template <class Row, class Layer>
void check_gradients_of(Layer& layer, std::size_t input, const std::vector<std::size_t>& lengths, bool reverse) {
  const auto initial = some_state<Row>(layer, 2);
  std::vector<Tensor<double>> inputs{numbers({3, 2, input})};
  for (const V& v : list(initial)) {
    if (!counts<Row>(v)) inputs.push_back(v.value());
  }
  const auto f = [&](const std::vector<V>& x) {
    const auto state = state_of<Row>(initial, x.data() + 1);
    const auto run = unroll(layer, x[0], {.initial = state, .lengths = lengths, .reverse = reverse});
    auto results = list(run.state);
    results.push_back(run.outputs);
    return results;
  };
  const auto report = rw::check_gradients("cell", f, inputs, {.parameters = layer.parameters()});
  BOOST_TEST(report.ok, report.message);
}

template <class Row>
void check_against_scalar_loop(bool reverse) {
  auto cell = made<Row>(I<Row>, H);
  const auto initial = some_state<Row>(cell, B);
  const Tensor<double> xs = numbers({T, B, I<Row>});
  const auto run = unroll(cell, V(xs), {.initial = initial, .reverse = reverse});
  const std::size_t width = run.outputs.shape()[2];
  double worst = 0;
  const auto compare = [&](const Numbers& a, const double* b) {
    for (std::size_t j = 0; j < a.size(); ++j) {
      const double off = std::abs(a[j] - b[j]);
      worst = off <= worst ? worst : off;  // NaN too
    }
  };
  for (std::size_t b = 0; b < B; ++b) {
    Numbers state = flat(initial, b);
    for (std::size_t i = 0; i < T; ++i) {
      const std::size_t t = reverse ? T - 1 - i : i;
      const double* x = xs.data() + (t * B + b) * I<Row>;
      const Numbers y = Row::step(cell, Numbers(x, x + I<Row>), state);
      BOOST_REQUIRE(y.size() == width);
      compare(y, run.outputs.value().data() + (t * B + b) * width);
    }
    const Numbers last = flat(run.state, b);
    BOOST_REQUIRE(last.size() == state.size());
    compare(last, state.data());
  }
  BOOST_TEST(worst < 1e-12);
}

/// Values and gradients of a batch whose rows have some of the steps only, against each row's own steps alone. What
/// stands where a row has no step is `absent`, and must not matter.
template <class Layer>
void check_rows_alone(Layer& layer, std::size_t input, const UnrollOptions<typename Layer::State>& options,
                      double absent) {
  Tensor<double> xs = numbers({T, B, input});
  std::vector<std::vector<std::int64_t>> own(B);  // the steps of each row, as rows of [T·B, ...]
  std::vector<std::size_t> others;
  for (std::size_t n = 0; n < T * B; ++n) {
    if (options.mask ? options.mask->data()[n] != 0 : n / B < options.lengths[n % B]) {
      own[n % B].push_back(static_cast<std::int64_t>(n));
    } else {
      others.push_back(n);
      std::fill_n(xs.data() + n * input, input, absent);
    }
  }
  const auto row = [&](const V& x, std::size_t b) -> V {
    const std::size_t width = x.shape()[2];
    Indices ids = Indices::from_shape({own[b].size()});
    std::copy(own[b].begin(), own[b].end(), ids.data());
    return reshape(gather_rows(reshape(x, {T * B, width}), ids), {own[b].size(), 1, width});
  };

  Tape<double> tape;
  const V x = tape.watch(xs);
  const auto together = unroll(layer, x, options);
  const std::size_t width = together.outputs.shape()[2];
  V loss = rw::scalar<double>(0);
  for (std::size_t b = 0; b < B; ++b) {
    loss = loss + weighed_all(row(together.outputs, b), row_of(together.state, b), 10 * b);
  }
  const std::vector<V> gradients = gradients_of(tape, loss, layer, x);

  Tape<double> another;
  const V y = another.watch(xs);
  loss = rw::scalar<double>(0);
  for (std::size_t b = 0; b < B; ++b) {
    V outputs = rw::zeros<double>({0, 1, width});
    auto state = layer.initial_state(1);
    if (!own[b].empty()) {
      auto alone = unroll(layer, row(y, b), {.reverse = options.reverse});
      outputs = alone.outputs;
      state = alone.state;
    }
    BOOST_TEST(distance(row(together.outputs, b), outputs) < 1e-12);
    BOOST_TEST(difference(row_of(together.state, b), state) < 1e-12);
    loss = loss + weighed_all(outputs, state, 10 * b);
  }
  BOOST_TEST(difference(gradients_of(another, loss, layer, y), gradients) < 1e-12);

  for (const std::size_t n : others) {
    const double* output = together.outputs.value().data() + n * width;
    BOOST_TEST(std::all_of(output, output + width, [](double v) { return v == 0; }));
  }
}

const std::vector<std::size_t> lengths = {3, 0, 5, 1};
const Indices gaps = rw::tensor<std::int64_t>({T, B}, {1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0});
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

BOOST_AUTO_TEST_SUITE(every_cell)

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right, Row, Rows) {
  constexpr std::size_t input = input_or<Row>(2);
  auto cell = made<Row>(input, 3);
  check_gradients_of<Row>(cell, input, {}, false);
  for_every_layer<Row>(input, 3, [](auto& layer) { check_gradients_of<Row>(layer, input, {3, 1}, true); });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(equals_a_scalar_loop, Row, Rows) {
  check_against_scalar_loop<Row>(false);
  check_against_scalar_loop<Row>(true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rows_of_some_steps_equal_each_sequence_alone, Row, Rows) {
  for_every_layer<Row>(I<Row>, H, [](auto& layer) {
    check_rows_alone(layer, I<Row>, {.lengths = lengths}, 50);
    check_rows_alone(layer, I<Row>, {.lengths = lengths, .reverse = true}, nan);
    check_rows_alone(layer, I<Row>, {.mask = gaps}, nan);
    check_rows_alone(layer, I<Row>, {.mask = gaps, .reverse = true}, 50);
  });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_step_is_the_cell, Row, Rows) {
  auto cell = made<Row>(I<Row>, H);
  const V x = numbers({1, B, I<Row>});
  const auto run = unroll(cell, x);
  const auto step = rw::nn::step(cell, reshape(x, {B, I<Row>}), cell.initial_state(B));
  BOOST_TEST(distance(reshape(run.outputs, step.output.shape()), step.output) < 1e-12);
  BOOST_TEST(difference(run.state, step.state) < 1e-12);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streaming_equals_the_whole_sequence, Row, Rows) {
  auto cell = made<Row>(I<Row>, H);
  const V xs = numbers({T, B, I<Row>});
  const auto run = unroll(cell, xs);
  auto state = cell.initial_state(B);
  std::vector<V> outputs;
  for (const V& x : unstack(xs)) {
    auto step = rw::nn::step(cell, x, state);
    outputs.push_back(step.output);
    state = std::move(step.state);
  }
  BOOST_TEST(distance(stack(outputs), run.outputs) < 1e-12);
  BOOST_TEST(difference(state, run.state) < 1e-12);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(saved_and_loaded_it_is_the_same_to_the_bit, Row, Rows) {
  const Folder folder;
  const std::string path = folder.file("cell");
  auto cell = made<Row>(I<Row>, H, 1), other = made<Row>(I<Row>, H, 2);
  const V xs = numbers({T, B, I<Row>});
  const auto same = [](const V& a, const V& b) {
    return a.shape() == b.shape() && std::memcmp(a.value().data(), b.value().data(), a.size() * sizeof(double)) == 0;
  };
  BOOST_TEST(!same(unroll(cell, xs).outputs, unroll(other, xs).outputs));
  rw::nn::save(path, cell.parameters());
  rw::nn::load(path, other.parameters());

  std::vector<std::string> names;
  for (const auto& entry : cell.parameters()) {
    names.push_back(entry.name);
    BOOST_TEST(same(*entry.parameter, other.parameters()[entry.name]), entry.name);
  }
  BOOST_TEST(names == Row::names(), boost::test_tools::per_element());
  BOOST_TEST(same(unroll(cell, xs).outputs, unroll(other, xs).outputs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(fused_equals_unfused, Row, Rows) {
  auto cell = made<Row>(I<Row>, H);
  const auto initial = some_state<Row>(cell, B);
  const Tensor<double> xs = numbers({T, B, I<Row>});

  Tape<double> tape;
  const V x = tape.watch(xs);
  const auto fused = unroll(cell, x, {.initial = initial});
  const V loss = weighed_all(fused.outputs, fused.state, 1);
  const std::vector<V> gradients = gradients_of(tape, loss, cell, x);
  // A recorded pass derives the fused kernels op by op.
  BOOST_TEST(difference(gradients_of(tape, loss, cell, x, true), gradients) < 1e-12);

  Tape<double> another;
  const V y = another.watch(xs);
  auto state = initial;
  std::vector<V> outputs;
  for (const V& now : unstack(y)) {
    auto step = Row::unfused(cell, now, state);
    outputs.push_back(step.output);
    state = std::move(step.state);
  }
  BOOST_TEST(distance(stack(outputs), fused.outputs) < 1e-12);
  BOOST_TEST(difference(state, fused.state) < 1e-12);
  BOOST_TEST(difference(gradients_of(another, weighed_all(stack(outputs), state, 1), cell, y), gradients) < 1e-12);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_detached_state_ends_backpropagation_at_the_window, Row, Rows) {
  auto cell = made<Row>(I<Row>, H);
  const Tensor<double> early = numbers({T, B, I<Row>}, 1), late = numbers({T, B, I<Row>}, 2);

  Tape<double> tape;
  const V x = tape.watch(early), y = tape.watch(late);
  const auto first = unroll(cell, x);
  const auto cut = unroll(cell, y, {.initial = rw::nn::detached(first.state)});
  const auto whole = unroll(cell, y, {.initial = first.state});
  BOOST_TEST(distance(cut.outputs, whole.outputs) == 0);
  BOOST_TEST(distance(concatenate({first.outputs, cut.outputs}, 0), unroll(cell, concatenate({x, y}, 0)).outputs) <
             1e-12);
  const V loss = weighed_all(cut.outputs, cut.state, 1);
  BOOST_TEST(!tape.backward(loss).has(x));
  BOOST_TEST(tape.backward(weighed_all(whole.outputs, whole.state, 1)).has(x));
  const std::vector<V> gradients = gradients_of(tape, loss, cell, y);

  // The same from a state whose tape is gone, which is a constant without being asked.
  auto carried = cell.initial_state(B);
  {
    Tape<double> gone;
    carried = unroll(cell, gone.watch(early)).state;
  }
  Tape<double> another;
  const V z = another.watch(late);
  const auto next = unroll(cell, z, {.initial = carried});
  // Not to the bit: how often a tape reads a weight decides how it is multiplied (Tape::uses).
  BOOST_TEST(difference(gradients_of(another, weighed_all(next.outputs, next.state, 1), cell, z), gradients) < 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace every_cell
}  // namespace
