#include <boost/test/unit_test.hpp>
#include <cstring>

#include "autograd/gradcheck.hpp"
#include "nn/safetensors.hpp"
#include "nn/unroll.hpp"
#include "tests/folder.hpp"
#include "tests/nn/cell_table.hpp"

// What every cell must do, for every row of the table.

namespace {

using cell_table::made;
using cell_table::Numbers;
using cell_table::Rows;
using common::distance;
using common::numbers;
using common::weighed;
using rw::concatenate;
using rw::slice;
using rw::Tape;
using rw::Tensor;
using rw::Variable;
using rw::nn::map_state;
using rw::nn::unroll;
using V = Variable<double>;

constexpr std::size_t T = 5, B = 4, I = 3, H = 5;
const std::vector<std::size_t> lengths = {3, 0, 5, 1};

/// The Variables of a state in their order.
template <class State>
std::vector<V> list(const State& state) {
  std::vector<V> all;
  map_state([&](const V& v) { return all.push_back(v), v; }, state);
  return all;
}

/// The state of the form of `like` with these Variables.
template <class State>
State state_of(const State& like, const V* next) {
  return map_state([&](const V&) { return *next++; }, like);
}

/// An initial state without zeros.
template <class Cell>
typename Cell::State some_state(const Cell& cell, std::size_t batch) {
  std::uint64_t stream = 50;
  return map_state([&](const V& v) { return V(numbers(v.shape(), ++stream)); }, cell.initial_state(batch));
}

template <class State>
State row_of(const State& state, std::size_t b) {
  const auto i = static_cast<std::ptrdiff_t>(b);
  return map_state([&](const V& v) { return slice(v, 0, i, i + 1); }, state);
}

template <class State>
V weighed_all(const V& outputs, const State& state, std::uint64_t stream) {
  V total = weighed(outputs, stream);
  for (const V& v : list(state)) total = total + weighed(v, ++stream);
  return total;
}

/// The largest difference between two states.
template <class State>
double difference(const State& a, const State& b) {
  const auto as = list(a), bs = list(b);
  BOOST_REQUIRE(as.size() == bs.size());
  double worst = 0;
  for (std::size_t k = 0; k < as.size(); ++k) worst = std::max(worst, distance(as[k], bs[k]));
  return worst;
}

/// The gradients of all parameters, and of x.
template <class Cell>
std::vector<V> gradients_of(Tape<double>& tape, const V& loss, Cell& cell, const V& x, bool record = false) {
  const auto g = tape.backward(loss, {.record = record});
  std::vector<V> all{g[x]};
  for (const auto& entry : cell.parameters()) all.push_back(g[*entry.parameter]);
  return all;
}

double difference(const std::vector<V>& a, const std::vector<V>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k) worst = std::max(worst, distance(a[k], b[k]));
  return worst;
}

/// Row b of a state as numbers.
template <class State>
Numbers flat(const State& state, std::size_t b) {
  Numbers all;
  for (const V& v : list(row_of(state, b))) all.insert(all.end(), v.value().begin(), v.value().end());
  return all;
}

template <class Row>
void check_cell_gradients(const std::vector<std::size_t>& lengths, bool reverse) {
  auto cell = made<Row>(2, 3);
  const auto initial = some_state(cell, 2);
  std::vector<Tensor<double>> inputs{numbers({3, 2, 2})};
  for (const V& v : list(initial)) inputs.push_back(v.value());
  const auto f = [&](const std::vector<V>& x) {
    const auto run =
        unroll(cell, x[0], {.initial = state_of(initial, x.data() + 1), .lengths = lengths, .reverse = reverse});
    auto results = list(run.state);
    results.push_back(run.outputs);
    return results;
  };
  const auto report = rw::check_gradients("cell", f, inputs, {.parameters = cell.parameters()});
  BOOST_TEST(report.ok, report.message);
}

template <class Row>
void check_against_scalar_loop(bool reverse) {
  auto cell = made<Row>(I, H);
  const auto initial = some_state(cell, B);
  const Tensor<double> xs = numbers({T, B, I});
  const auto run = unroll(cell, V(xs), {.initial = initial, .reverse = reverse});
  double worst = 0;
  for (std::size_t b = 0; b < B; ++b) {
    Numbers state = flat(initial, b);
    for (std::size_t i = 0; i < T; ++i) {
      const std::size_t t = reverse ? T - 1 - i : i;
      const double* x = xs.data() + (t * B + b) * I;
      const Numbers y = Row::step(cell, Numbers(x, x + I), state);
      for (std::size_t j = 0; j < H; ++j) {
        worst = std::max(worst, std::abs(y[j] - run.outputs.value().data()[(t * B + b) * H + j]));
      }
    }
    const Numbers last = flat(run.state, b);
    BOOST_REQUIRE(last.size() == state.size());
    for (std::size_t j = 0; j < last.size(); ++j) worst = std::max(worst, std::abs(last[j] - state[j]));
  }
  BOOST_TEST(worst < 1e-12);
}

// Values and gradients; what stands behind a row's end is far off and must not matter.
template <class Row>
void check_ragged(bool reverse) {
  auto cell = made<Row>(I, H);
  Tensor<double> xs = numbers({T, B, I});
  for (std::size_t t = 0; t < T; ++t) {
    for (std::size_t b = 0; b < B; ++b) {
      for (std::size_t i = 0; i < I; ++i) xs.data()[(t * B + b) * I + i] *= t < lengths[b] ? 1 : 50;
    }
  }
  const auto row = [](const V& x, std::size_t b) {  // the valid steps of a row
    const auto i = static_cast<std::ptrdiff_t>(b);
    return slice(slice(x, 1, i, i + 1), 0, 0, static_cast<std::ptrdiff_t>(lengths[b]));
  };

  Tape<double> tape;
  const V x = tape.watch(xs);
  const auto together = unroll(cell, x, {.lengths = lengths, .reverse = reverse});
  V loss = rw::scalar<double>(0);
  for (std::size_t b = 0; b < B; ++b) {
    loss = loss + weighed_all(row(together.outputs, b), row_of(together.state, b), 10 * b);
  }
  const std::vector<V> gradients = gradients_of(tape, loss, cell, x);

  Tape<double> another;
  const V y = another.watch(xs);
  loss = rw::scalar<double>(0);
  for (std::size_t b = 0; b < B; ++b) {
    V outputs = rw::zeros<double>({0, 1, H});
    auto state = cell.initial_state(1);
    if (lengths[b] > 0) {
      auto alone = unroll(cell, row(y, b), {.reverse = reverse});
      outputs = alone.outputs;
      state = alone.state;
    }
    BOOST_TEST(distance(row(together.outputs, b), outputs) < 1e-12);
    BOOST_TEST(difference(row_of(together.state, b), state) < 1e-12);
    loss = loss + weighed_all(outputs, state, 10 * b);
  }
  BOOST_TEST(difference(gradients_of(another, loss, cell, y), gradients) < 1e-12);

  for (std::size_t t = 0; t < T; ++t) {
    for (std::size_t b = 0; b < B; ++b) {
      const double* output = together.outputs.value().data() + (t * B + b) * H;
      const bool silent = std::all_of(output, output + H, [](double v) { return v == 0; });
      BOOST_TEST(silent == (t >= lengths[b]));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cells)

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right, Row, Rows) { check_cell_gradients<Row>({}, false); }

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right_where_rows_have_lengths, Row, Rows) {
  check_cell_gradients<Row>({3, 1}, true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(equals_a_scalar_loop, Row, Rows) {
  check_against_scalar_loop<Row>(false);
  check_against_scalar_loop<Row>(true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ragged_batch_equals_each_sequence_alone, Row, Rows) {
  check_ragged<Row>(false);
  check_ragged<Row>(true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_step_is_the_cell, Row, Rows) {
  auto cell = made<Row>(I, H);
  const V x = numbers({1, B, I});
  const auto run = unroll(cell, x);
  const auto step = rw::nn::step(cell, reshape(x, {B, I}), cell.initial_state(B));
  BOOST_TEST(distance(reshape(run.outputs, {B, H}), step.output) < 1e-12);
  BOOST_TEST(difference(run.state, step.state) < 1e-12);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streaming_equals_the_whole_sequence, Row, Rows) {
  auto cell = made<Row>(I, H);
  const V xs = numbers({T, B, I});
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
  auto cell = made<Row>(I, H, 1), other = made<Row>(I, H, 2);
  const V xs = numbers({T, B, I});
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
  auto cell = made<Row>(I, H);
  const auto initial = some_state(cell, B);
  const Tensor<double> xs = numbers({T, B, I});

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
  auto cell = made<Row>(I, H);
  const Tensor<double> early = numbers({T, B, I}, 1), late = numbers({T, B, I}, 2);

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
  BOOST_TEST(difference(gradients_of(another, weighed_all(next.outputs, next.state, 1), cell, z), gradients) < 1e-15);
}

BOOST_AUTO_TEST_SUITE_END()
