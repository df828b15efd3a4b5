#include <boost/test/unit_test.hpp>
#include <numeric>

#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/segments.hpp"
#include "nn/stack.hpp"
#include "tests/nn/users_cell.hpp"
#include "tests/property.hpp"

// Batches whose rows have steps of their own, none too: each row is what a plain loop over it gives, value, state and
// gradient.

BOOST_AUTO_TEST_SUITE(ragged_properties)

using namespace rw;
using namespace rw::property;
using common::difference;
using common::distance;
using common::list;
using common::made;
using nn::unroll;

namespace {

using Rnn = nn::Rnn<double>;
using Gru = nn::Gru<double>;
using Lstm = nn::Lstm<double>;

// Which steps each row has: the first of them, or any.
struct Steps {
  std::size_t steps, rows;
  std::vector<Index> own;            // of each row
  std::vector<std::size_t> lengths;  // one of the two is empty
  std::optional<Indices> mask;

  bool has(std::size_t t, std::size_t b) const { return std::count(own[b].begin(), own[b].end(), t) == 1; }
};

Steps any_steps() {
  Steps all{between(1, 6), between(1, 6), {}, {}, {}};
  all.own.resize(all.rows);
  if (coin()) {
    all.lengths = several(all.rows, 0, all.steps);
    for (std::size_t b = 0; b < all.rows; ++b) {
      all.own[b].resize(all.lengths[b]);
      std::iota(all.own[b].begin(), all.own[b].end(), 0);
    }
  } else {
    all.mask = any_indices({all.steps, all.rows}, 0, 1);
    for (std::size_t n = 0; n < all.mask->size(); ++n) {
      if (all.mask->data()[n] == 1) all.own[n % all.rows].push_back(n / all.rows);
    }
  }
  return all;
}

// x[t, b] of the steps t that row b has, of x [T, B, n], [steps, 1, n].
V of_row(const V& x, const Steps& steps, std::size_t b) {
  Indices ids = rw::empty<std::int64_t>({steps.own[b].size(), 1});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids.data()[i] = static_cast<std::int64_t>(steps.own[b][i] * steps.rows + b);
  }
  return gather_rows(reshape(x, {steps.steps * steps.rows, x.shape()[2]}), ids);
}

V row(const V& x, std::size_t b) {
  const auto at = static_cast<std::ptrdiff_t>(b);
  return slice(x, 0, at, at + 1);
}

template <class State>
State row_of(const State& state, std::size_t b) {
  return nn::map_state([b](const V& v) { return row(v, b); }, state);
}

// The reference: a plain loop of steps over one row x [steps, 1, n].
template <class L>
using Run = nn::Unrolled<double, typename L::State>;

template <nn::Cell<double> C>
Run<C> loop(const C& cell, const V& x, typename C::State state, bool reverse) {
  const std::size_t steps = x.shape()[0];
  std::vector<V> outputs(steps);
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t t = reverse ? steps - 1 - i : i;
    const auto next = nn::step(cell, squeeze(row(x, t), 0), state);
    outputs[t] = next.output;
    state = next.state;
  }
  return {stack(outputs), state};
}

template <class C>
Run<nn::Bidirectional<C>> loop(const nn::Bidirectional<C>& layer, const V& x,
                               const typename nn::Bidirectional<C>::State& state, bool reverse) {
  const auto forward = loop(layer.forward, x, state.forward, reverse);
  const auto backward = loop(layer.backward, x, state.backward, !reverse);
  return {concatenate({forward.outputs, backward.outputs}, 2), {forward.state, backward.state}};
}

template <class C>
Run<nn::Stack<nn::Bidirectional<C>>> loop(const nn::Stack<nn::Bidirectional<C>>& both, const V& x,
                                          const typename nn::Stack<nn::Bidirectional<C>>::State& state, bool reverse) {
  Run<nn::Stack<nn::Bidirectional<C>>> all{x, {}};
  for (std::size_t k = 0; k < both.layers.size(); ++k) {
    const auto run = loop(both.layers[k], all.outputs, state.layers[k], reverse);
    all.outputs = both.options.residual && k > 0 ? all.outputs + run.outputs : run.outputs;
    all.state.layers.push_back(run.state);
  }
  return all;
}

template <class Layer>
void rows_are_what_they_are_alone(Layer& layer, std::size_t width) {
  using State = typename Layer::State;
  const Steps steps = any_steps();
  Tensor<double> xs = any_values({steps.steps, steps.rows, width});
  if (coin()) {  // what stands where there is no step does not matter
    for (std::size_t n = 0; n < xs.size(); ++n) {
      if (!steps.has(n / width / steps.rows, n / width % steps.rows)) xs.data()[n] = NAN;
    }
  }
  const State initial =
      coin() ? layer.initial_state(steps.rows) : common::scattered(layer.initial_state(steps.rows), 7);
  const bool reverse = coin();

  Tape<double> tape;
  const V x = tape.watch(xs);
  const auto run =
      unroll(layer, x, {.initial = initial, .lengths = steps.lengths, .mask = steps.mask, .reverse = reverse});
  const V weights = common::numbers(run.outputs.shape(), 3);
  const State state_weights = common::scattered(run.state, 4);
  const auto loss_of = [](const auto& run, const V& weights, const State& state_weights) {
    V loss = sum(run.outputs * weights);
    const auto states = list(run.state), of_states = list(state_weights);
    for (std::size_t k = 0; k < states.size(); ++k) loss = loss + sum(states[k] * of_states[k]);
    return loss;
  };
  const V loss = loss_of(run, weights, state_weights);
  const bool any = tape.holds(loss);
  auto gradients = any ? tape.backward(loss) : Gradients<double>();

  Gradients<double> alone;
  double outside = 0;  // all that is where no row has a step
  for (std::size_t n = 0; n < run.outputs.size(); ++n) outside += std::abs(run.outputs.value().data()[n]);
  for (std::size_t b = 0; b < steps.rows; ++b) {
    const V outputs = of_row(run.outputs, steps, b);
    for (const double output : outputs.value()) outside -= std::abs(output);
    if (steps.own[b].empty()) {
      RC_ASSERT(difference(row_of(run.state, b), row_of(initial, b)) == 0);
      continue;
    }
    Tape<double> own;
    const V own_x = own.watch(of_row(x.detached(), steps, b));
    const auto own_run = loop(layer, own_x, row_of(initial, b), reverse);
    RC_ASSERT(distance(outputs, own_run.outputs) < 1e-12);
    RC_ASSERT(difference(row_of(run.state, b), own_run.state) < 1e-12);
    auto own_gradients = own.backward(loss_of(own_run, of_row(weights, steps, b), row_of(state_weights, b)));
    RC_ASSERT(distance(of_row(gradients[x], steps, b), own_gradients[own_x]) < 1e-12);
    alone += std::move(own_gradients);
  }
  RC_ASSERT(std::abs(outside) < 1e-12);
  if (!any) return;
  for (const auto& entry : layer.parameters()) {
    RC_ASSERT(distance(gradients[*entry.parameter], alone[*entry.parameter]) < 1e-11);
  }
  for (std::size_t n = 0; n < xs.size(); ++n) {
    if (!steps.has(n / width / steps.rows, n / width % steps.rows)) RC_ASSERT(gradients[x].value().data()[n] == 0);
  }
}

template <class Cell>
void rows_of_a_cell() {
  const std::size_t width = between(1, 3);
  Cell cell = made<Cell>(width, between(1, 3));
  rows_are_what_they_are_alone(cell, width);
}

template <class Cell>
void rows_of_both_directions() {
  const std::size_t width = between(1, 3), hidden = between(1, 3);
  nn::Bidirectional<Cell> layer{made<Cell>(width, hidden, 1), made<Cell>(width, hidden, 2)};
  rows_are_what_they_are_alone(layer, width);
}

}  // namespace

RC_BOOST_PROP(rows_of_rnn, ()) { rows_of_a_cell<Rnn>(); }
RC_BOOST_PROP(rows_of_gru, ()) { rows_of_a_cell<Gru>(); }
RC_BOOST_PROP(rows_of_lstm, ()) { rows_of_a_cell<Lstm>(); }
RC_BOOST_PROP(rows_of_a_users_cell, ()) { rows_of_a_cell<common::UsersCell>(); }
RC_BOOST_PROP(rows_of_gru_in_both_directions, ()) { rows_of_both_directions<Gru>(); }
RC_BOOST_PROP(rows_of_lstm_in_both_directions, ()) { rows_of_both_directions<Lstm>(); }

RC_BOOST_PROP(rows_of_a_stack, ()) {
  const std::size_t layers = between(1, 3), hidden = between(1, 3);
  nn::Stack<Lstm> stack{{}, {.residual = coin()}};
  for (std::size_t k = 0; k < layers; ++k) stack.layers.push_back(made<Lstm>(hidden, hidden, k + 1));
  rows_are_what_they_are_alone(stack, hidden);
}

RC_BOOST_PROP(rows_of_a_stack_in_both_directions, ()) {
  const std::size_t layers = between(1, 3), hidden = between(1, 2), width = between(1, 3);
  nn::Stack<nn::Bidirectional<Rnn>> stack{{}, {.residual = coin()}};
  for (std::size_t k = 0; k < layers; ++k) {
    const std::size_t input = k == 0 ? width : 2 * hidden;
    stack.layers.push_back({made<Rnn>(input, hidden, 2 * k + 1), made<Rnn>(input, hidden, 2 * k + 2)});
  }
  rows_are_what_they_are_alone(stack, width);
}

RC_BOOST_PROP(sequences_of_any_extents, ()) {
  const std::size_t steps = between(0, 2), rows = between(0, 2), width = between(0, 2);
  Lstm cell = made<Lstm>(width, 2);
  Tape<double> tape;
  const V x = tape.watch(any_values({steps, rows, width}));
  std::string said;
  try {
    const V outputs = unroll(cell, x).outputs;
    RC_ASSERT(to_string(outputs.shape()) == to_string({steps, rows, 2}));
    const auto gradients = tape.backward(sum(outputs));
    RC_ASSERT(to_string(gradients[x].shape()) == to_string(x.shape()));
    for (const auto& entry : cell.parameters()) {
      RC_ASSERT(to_string(gradients[*entry.parameter].shape()) == to_string(entry.parameter->shape()));
    }
  } catch (const std::invalid_argument& error) {
    said = error.what();
  }
  const bool refused = steps == 0 || rows == 0;
  RC_ASSERT(said == (refused ? "unroll: expected at least one step and one row; got xs " + to_string(x.shape()) : ""));
}

RC_BOOST_PROP(last_outputs_of_rows, ()) {
  const std::size_t steps = between(1, 5), rows = between(0, 4), width = between(0, 3);
  const auto lengths = several(rows, 0, steps);
  agree(
      "last_valid", [&](const std::vector<V>& x) -> std::vector<V> { return {nn::last_valid(x[0], lengths)}; },
      [&](const Arrays& x) -> Arrays {
        return {tabulate({rows, width}, [&](const Index& i) {
          return lengths[i[0]] == 0 ? Tangent() : x[0][{lengths[i[0]] - 1, i[0], i[1]}];
        })};
      },
      {any_values({steps, rows, width})});
}

RC_BOOST_PROP(segments_are_loops_within_a_loop, ()) {
  const std::size_t segments = between(1, 3), steps = between(1, 3), rows = between(1, 3);
  const nn::Segments<Gru, Rnn> both{made<Gru>(2, 2), made<Rnn>(2, 3, 2)};
  nn::SegmentLengths lengths{coin() ? several(rows, 0, segments) : std::vector<std::size_t>(), {}};
  if (coin()) {
    for (std::size_t s = 0; s < segments; ++s) lengths.steps.push_back(several(rows, 0, steps));
  }
  const V xs = any_values({segments, steps, rows, 2});
  const auto run = unroll(both, xs, lengths);
  for (std::size_t b = 0; b < rows; ++b) {
    const std::size_t own = lengths.segments.empty() ? segments : lengths.segments[b];
    auto state = both.outer.initial_state(1);
    for (std::size_t s = 0; s < segments; ++s) {
      const V output = row(reshape(row(run.outputs, s), {rows, 3}), b);
      if (s >= own) {
        RC_ASSERT(distance(output, V(rw::zeros<double>({1, 3}))) == 0);
        continue;
      }
      auto code = both.inner.initial_state(1);
      code.h = rw::zeros<double>({1, 2});
      const std::size_t length = lengths.steps.empty() ? steps : lengths.steps[s][b];
      for (std::size_t t = 0; t < length; ++t) {
        const V x = row(reshape(xs, {segments * steps * rows, 2}), (s * steps + t) * rows + b);
        code = nn::step(both.inner, x, code).state;
      }
      const auto next = nn::step(both.outer, code.h, state);
      RC_ASSERT(distance(output, next.output) < 1e-12);
      state = next.state;
    }
    RC_ASSERT(difference(row_of(run.state, b), state) < 1e-12);
  }
}

BOOST_AUTO_TEST_SUITE_END()
