// IndRNN on the adding problem of its paper (Li et al. 2018, section 5.1): of T numbers the two that are marked are to
// be added, one in either half. Who always says 1 errs by 1/6.

#include "nn/cells/ind_rnn.hpp"

#include "nn/cells/rnn.hpp"
#include "nn/stack.hpp"
#include "tests/learning/learning.hpp"
#include "tests/learning/sums.hpp"

namespace rw::learning {
namespace {

/// Two layers of 64 and a read-out of the last state.
template <class C>
struct Adder {
  nn::Stack<C> layers;
  nn::Linear<float> readout;

  Variable<float> error(const Sums& data) const {
    const auto run = nn::unroll(layers, Variable(data.xs), {.outputs = false});
    return mean_squared_error(readout(run.state.layers.back().h), Variable(data.target));
  }

  nn::Parameters<float> parameters() {
    nn::Parameters<float> all;
    all.add("layers", layers.parameters());
    all.add("readout", readout.parameters());
    return all;
  }
};

template <class C, class... Options>
Adder<C> adder(Random& random, const Options&... options) {
  Adder<C> net{{}, {{.input = 64, .output = 1}, random}};
  (net.layers.layers.emplace_back(options, random), ...);
  return net;
}

using IndRnn = nn::IndRnn<float>;

/// The last layer begins with units that keep between half and twice a state over the whole sequence.
Adder<IndRnn> independent_adder(std::size_t steps, Random& random) {
  const double half = nn::ind_rnn_bound(steps, 0.5), twice = nn::ind_rnn_bound(steps, 2);
  return adder<IndRnn>(random, IndRnn::Options{.input = 2, .hidden = 64, .bound = twice},
                       IndRnn::Options{.input = 64, .hidden = 64, .bound = twice, .least = half});
}

/// Trains on 2,000 batches, and gives the error on 1,000 fresh sequences of 200 steps.
template <class C, class After>
Result learn(Adder<C>& net, Random& random, const After& after) {
  optim::Adam<float> adam;
  constexpr int updates = 2000;
  for (int i = 0; i < updates; ++i) {
    adam.set_learning_rate(2e-3 * std::pow(0.05, static_cast<double>(i) / updates));
    const Sums batch = sums(200, 32, 0, random);
    descend(adam, net.parameters(), 1, [&] { return net.error(batch); });
    after();
  }
  return {net.error(sums(200, 1000, 0, random)).item()};
}

Result adding(std::uint64_t seed) {
  Random random(seed);
  auto net = independent_adder(200, random);
  return learn(net, random, [&] {
    for (IndRnn& layer : net.layers.layers) layer.clamp();
  });
}

Result adding_by_simple_networks(std::uint64_t seed) {
  Random random(seed);
  auto net = adder<nn::Rnn<float>>(random, nn::Rnn<float>::Options{.input = 2, .hidden = 64},
                                   nn::Rnn<float>::Options{.input = 64, .hidden = 64});
  return learn(net, random, [] {});
}

/// The norm of the gradient by u after 20 updates on sequences of 1,000 steps.
Result gradient_over_a_thousand_steps(std::uint64_t seed) {
  Random random(seed);
  auto net = independent_adder(1000, random);
  optim::Adam<float> adam({.learning_rate = 2e-3});
  double gradient = 0;
  for (int i = 0; i < 20; ++i) {
    const Sums batch = sums(1000, 32, 0, random);
    Tape<float> tape;
    const auto gradients = tape.backward(net.error(batch));
    gradient = norm(gradients[net.layers.layers[0].weight_hh]).item();
    adam.step(net.parameters(), gradients);
    for (IndRnn& layer : net.layers.layers) layer.clamp();
  }
  return {gradient, std::isfinite(gradient)};
}

constexpr const char* measure = "adding problem, 200 steps, squared error";

const Register ind_rnn({.name = "ind_rnn_adding",
                        .system = "IndRNN 2 x 64",
                        .measure = measure,
                        .at_most = 0.01,
                        .published = "about 0 up to 5,000 steps (Li et al. 2018)",
                        .run = adding});

const Register rnn({.name = "ind_rnn_adding_rnn",
                    .system = "simple RNN 2 x 64",
                    .measure = measure,
                    .at_least = 0.1,
                    .published = "0.167, as the constant 1 (Li et al. 2018)",
                    .seeds = 3,
                    .must_pass = 3,
                    .run = adding_by_simple_networks});

const Register gradient({.name = "ind_rnn_gradient",
                         .system = "IndRNN 2 x 64",
                         .measure = "|gradient by u|, 1,000 steps",
                         .at_least = 1e-6,
                         .published = "neither vanishes nor explodes (Li et al. 2018)",
                         .quick = 1,
                         .run = gradient_over_a_thousand_steps});

}  // namespace
}  // namespace rw::learning
