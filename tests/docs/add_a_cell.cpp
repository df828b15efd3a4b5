// The code of docs/add_a_cell.md.

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

using namespace rw;

namespace {

// [cell]
/// Update gate network (Collins, Sohl-Dickstein & Sussillo 2017).
///     c = tanh(x·W_c + h·U_c + b_c)
///     g = σ(x·W_g + h·U_g + b_g)
///     h' = g ⊙ h + (1 − g) ⊙ c
/// x [B, I], h [B, H]; W [I, 2H], U [H, 2H] and b [2H] hold c and g in this order.
template <class T>
struct UpdateGate {
  struct Options {
    std::size_t input, hidden;
  };
  struct State {
    Variable<T> h;
  };

  UpdateGate(const Options& o, Random& random)
      : weight_ih("weight_ih", nn::glorot_uniform_blocks<T>({o.input, 2 * o.hidden}, 2, random)),
        weight_hh("weight_hh", nn::orthogonal_blocks<T>({o.hidden, 2 * o.hidden}, 2, random)),
        bias("bias", nn::bias_blocks<T>(o.hidden, {0, 1})) {}

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, weight_hh.shape()[0]})}; }

  Variable<T> project(const Variable<T>& xs) const { return affine(xs, weight_ih, bias); }

  nn::Step<T, State> step(const Variable<T>& x, const State& s) const {
    const auto gates = affine(s.h, weight_hh, x);
    const auto update = [](auto c, auto g, auto h) {
      auto keep = sigmoid(g);
      return keep * h + (1 - keep) * tanh(c);
    };
    const auto h = fuse(update, blocks<2>(gates), s.h);
    return {h, {h}};
  }

  nn::Parameters<T> parameters() { return {weight_ih, weight_hh, bias}; }

  Parameter<T> weight_ih, weight_hh, bias;
};
// [end]

static_assert(nn::Cell<UpdateGate<float>, float> && nn::ProjectsInput<UpdateGate<float>, float>);

bool same(const Variable<double>& a, const Variable<double>& b, double tolerance = 1e-12) {
  bool equal = a.shape() == b.shape();
  for (std::size_t i = 0; equal && i < a.size(); ++i) {
    equal = std::abs(a.value().data()[i] - b.value().data()[i]) <= tolerance;
  }
  return equal;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(add_a_cell)

BOOST_AUTO_TEST_CASE(gradcheck_of_the_cell) {
  // [gradcheck]
  Random random(1);
  UpdateGate<double> cell({.input = 2, .hidden = 3}, random);
  const auto xs = nn::normal<double>({4, 2, 2}, 1, random);
  const auto report = check_gradients("update_gate",
                                      [&](auto& x) {
                                        const auto all = nn::unroll(cell, x[0], {.lengths = {4, 2}});
                                        return std::vector{all.outputs, all.state.h};
                                      },
                                      {xs}, {.parameters = cell.parameters()});
  // [end]
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(unrolled_streamed_and_written_out_agree) {
  Random random(2);
  UpdateGate<double> cell({.input = 2, .hidden = 3}, random);
  const Variable<double> xs = nn::normal<double>({5, 3, 2}, 1, random);
  // [unroll]
  const auto all = nn::unroll(cell, xs, {.lengths = {5, 0, 3}});  // xs [5, 3, 2]: T, B, I
  // all.outputs [5, 3, 3]: T, B, H, zero after a row's end;  all.state.h [3, 3]: B, H, each after its own last step
  // [end]
  BOOST_TEST((all.outputs.shape() == Shape{5, 3, 3}));
  BOOST_TEST((all.state.h.shape() == Shape{3, 3}));
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(all.outputs.value()(4, 2, i) == 0);
    BOOST_TEST(all.state.h.value()(1, i) == 0);
    BOOST_TEST(all.state.h.value()(2, i) == all.outputs.value()(2, 2, i));
  }

  const auto whole = nn::unroll(cell, xs);
  const auto inputs = unstack(xs);
  std::vector<Variable<double>> outputs;
  // [stream]
  auto state = cell.initial_state(3);
  for (const auto& x : inputs) {  // x [B, I]
    const auto next = nn::step(cell, x, state);
    state = next.state;
    outputs.push_back(next.output);
  }
  // [end]
  BOOST_TEST(same(stack(outputs), whole.outputs));

  const Variable<double> x = inputs[0], h = nn::normal<double>({3, 3}, 1, random);
  // [plain]
  const auto [c, g] = split<2>(affine(x, cell.weight_ih, cell.bias) + matmul(h, cell.weight_hh));
  const auto next = sigmoid(g) * h + (1 - sigmoid(g)) * tanh(c);
  // [end]
  BOOST_TEST(same(nn::step(cell, x, {h}).output, next));
}

BOOST_AUTO_TEST_CASE(what_is_written_once_serves_the_cell) {
  Random random(3);
  // [bidirectional]
  nn::Bidirectional<UpdateGate<double>> encoder{{{.input = 2, .hidden = 3}, random},
                                                {{.input = 2, .hidden = 3}, random}};
  nn::Parameters<double> all;
  all.add("encoder", encoder.parameters());  // encoder.forward.weight_ih, ..., encoder.backward.bias
  // [end]
  BOOST_TEST(all.size() == 6u);
  BOOST_TEST(all.find("encoder.forward.weight_ih") == &encoder.forward.weight_ih);
  BOOST_TEST(all.find("encoder.backward.bias") == &encoder.backward.bias);
  const Variable<double> xs = nn::normal<double>({4, 2, 2}, 1, random);
  const auto start = encoder.initial_state(2);
  BOOST_TEST((nn::unroll(encoder, xs, {.initial = start, .lengths = {4, 1}}).outputs.shape() == Shape{4, 2, 6}));
}

BOOST_AUTO_TEST_CASE(training_lowers_the_loss) {
  constexpr std::size_t steps = 6, batch = 32;
  Random random(4);
  UpdateGate<float> cell({.input = 2, .hidden = 16}, random);
  nn::Linear<float> readout({.input = 16, .output = 2}, random);
  optim::Adam<float> adam({.learning_rate = 0.02});
  // At each step: which of two symbols was the first of the sequence?
  Tensor<float> symbols = zeros<float>({steps, batch, 2});
  Indices targets = zeros<std::int64_t>({steps, batch});
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < batch; ++b) {
      const std::size_t symbol = random.below(2);
      symbols(t, b, symbol) = 1;
      targets(t, b) = t == 0 ? static_cast<std::int64_t>(symbol) : targets(0, b);
    }
  }
  const Variable<float> xs = symbols;
  double first = 0, last = 0;
  // [train]
  nn::Parameters<float> parameters;
  parameters.add("cell", cell.parameters());
  parameters.add("readout", readout.parameters());
  for (int step = 0; step < 150; ++step) {
    Tape<float> tape;
    const auto loss = nn::cross_entropy(readout(nn::unroll(cell, xs).outputs), targets);
    auto gradients = tape.backward(loss);
    optim::clip_global_norm(gradients, 1);
    adam.step(parameters, gradients);
    (step == 0 ? first : last) = loss.item();
  }
  // [end]
  BOOST_TEST(first > 0.5);
  BOOST_TEST(last < 0.05);
}

BOOST_AUTO_TEST_CASE(a_state_goes_into_the_next_window) {
  Random random(5);
  UpdateGate<double> cell({.input = 2, .hidden = 3}, random);
  optim::Sgd<double> sgd({.learning_rate = 0});
  const Variable<double> xs = nn::normal<double>({6, 2, 2}, 1, random);
  const auto windows = split(xs, 3, 0);
  // [windows]
  auto state = cell.initial_state(2);
  for (const auto& window : windows) {  // [T, B, I] each
    Tape<double> tape;
    const auto run = nn::unroll(cell, window, {.initial = state});
    sgd.step(cell.parameters(), tape.backward(mean(square(run.outputs))));
    state = run.state;  // a constant for the next tape: the gradient ends here
  }
  // [end]
  BOOST_TEST(same(state.h, nn::unroll(cell, xs).state.h));
}

BOOST_AUTO_TEST_SUITE_END()
