// Jordan's network learns serial orders, Jordan 1986, "Serial order: a parallel distributed processing approach": a
// constant plan goes in, a sequence of actions comes out.

#include "nn/cells/jordan.hpp"

#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

using nn::Jordan;

/// The outputs for one plan a row [B, I] over all steps of the targets [T, B, O], which stand for the outputs in the
/// state if the network is taught; else it runs free.
Variable<float> perform(const Jordan<float>& net, const Variable<float>& plan, const Variable<float>& targets,
                        bool taught) {
  List<Variable<float>> outputs;
  auto state = net.initial_state(plan.shape()[0]);
  for (const auto& target : unstack(targets)) {
    auto next = nn::step(net, plan, state);
    outputs.push_back(next.output);
    state = taught ? Jordan<float>::forced(next.state, target) : next.state;
  }
  return stack(outputs);
}

/// Taught, 3,000 times through all sequences.
void learn(Jordan<float>& net, const Variable<float>& plan, const Variable<float>& targets) {
  optim::Adam<float> adam({.learning_rate = 0.02});
  for (int epoch = 0; epoch < 3000; ++epoch) {
    descend(adam, net.parameters(), 0, [&] { return mean_squared_error(perform(net, plan, targets, true), targets); });
  }
}

/// The share of steps from `begin` on all of whose outputs are on their targets' side of 1/2.
double right(const Variable<float>& outputs, const Variable<float>& targets, std::ptrdiff_t begin = 0) {
  const auto wrong = greater(abs(outputs - targets), 0.5);
  return 1 - mean(max(slice(wrong, 0, begin), {.axes = {-1}})).item();
}

// 1. A A A B over and over. If the state is the last output alone it is the same after each A, so one step of four is
// wrong, whatever is learnt; with the trace of the outputs before none needs to be.

Result aaab(std::uint64_t seed, double decay, bool taught) {
  Random random(seed);
  Jordan<float> net({.input = 1, .hidden = 8, .output = 2, .decay = decay}, random);
  const Variable<float> plan = full<float>({1, 1}, 1);
  Indices ids = Indices::from_shape({24, 1});
  for (std::size_t t = 0; t < ids.size(); ++t) ids.data()[t] = t % 4 == 3;
  const Variable<float> targets = one_hot(ids, 2);
  learn(net, plan, targets);
  return {right(perform(net, plan, targets, taught), targets, 4)};  // before that it is told apart by its beginning
}

const Register aaab_task({.name = "jordan_aaab",
                          .system = "Jordan 1-8-2, decay 0.5",
                          .measure = "steps right of AAAB..., running free",
                          .at_least = 1,
                          .published = "1 [optimum]",
                          .quick = 2,
                          .run = [](std::uint64_t seed) { return aaab(seed, 0.5, false); }});

const Register no_memory_task({.name = "jordan_aaab_no_trace",
                               .system = "Jordan 1-8-2, decay 0",
                               .measure = "steps right of AAAB..., taught",
                               .at_most = 0.75,
                               .published = "3/4 [optimum]",
                               .quick = 2,
                               .run = [](std::uint64_t seed) { return aaab(seed, 0, true); }});

// 2. A plan each for four sequences of random actions. The first action is not all zeros, which would leave no trace.

Result plans(std::uint64_t seed) {
  constexpr std::size_t steps = 8, sequences = 4, bits = 4;
  Random random(seed);
  Jordan<float> net({.input = sequences, .hidden = 16, .output = bits, .decay = 0.7}, random);
  Indices ids = Indices::from_shape({sequences});
  Tensor<float> actions = empty<float>({steps, sequences, bits});
  for (std::size_t b = 0; b < sequences; ++b) {
    ids.data()[b] = static_cast<std::int64_t>(b);
    for (std::size_t t = 0; t < steps; ++t) {
      const std::size_t action = t == 0 ? 1 + random.below(15) : random.below(16);
      for (std::size_t i = 0; i < bits; ++i) {
        actions.data()[(t * sequences + b) * bits + i] = static_cast<float>(action >> i & 1);
      }
    }
  }
  const Variable<float> plan = one_hot(ids, sequences), targets = actions;
  learn(net, plan, targets);
  return {right(perform(net, plan, targets, false), targets)};
}

const Register plans_task({.name = "jordan_plans",
                           .system = "Jordan 4-16-4, decay 0.7",
                           .measure = "steps right of 4 plans, running free",
                           .at_least = 1,
                           .published = "1 [optimum]",
                           .quick = 2,
                           .run = plans});

}  // namespace
}  // namespace rw::learning
