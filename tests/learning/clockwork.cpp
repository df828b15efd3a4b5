// A clockwork RNN generates a sum of slow and fast sines from a constant input, after the sequence generation of
// Koutník et al. 2014 (section 4.1), against a simple recurrent
// network with as many parameters: 2,497 and 2,449.

#include "nn/cells/clockwork.hpp"

#include <cmath>
#include <numbers>

#include "nn/cells/rnn.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

constexpr std::size_t steps = 320;

/// Sines of the periods 8, 32, 80 and 160 with phases at random, scaled into [-1, 1], [T, 1, 1].
Variable<float> sines(Random& random) {
  Tensor<float> y = zeros<float>({steps, 1, 1});
  for (const double period : {8, 32, 80, 160}) {
    const double phase = random.uniform();
    for (std::size_t t = 0; t < steps; ++t) {
      const double turns = static_cast<double>(t) / period + phase;
      y.data()[t] += static_cast<float>(std::sin(2 * std::numbers::pi * turns) / 4);
    }
  }
  return y;
}

/// The squared error after training.
template <class C>
double generate(Model<C> net, const Variable<float>& target) {
  const Variable<float> constant = full<float>({steps, 1, 1}, 1);
  optim::Adam<float> adam({.learning_rate = 2e-3});
  const auto error = [&] { return mean_squared_error(net(constant), target); };
  for (int i = 0; i < 500; ++i) descend(adam, net.parameters(), 1, error);
  return error().item();
}

template <class C>
Model<C> generator(const typename C::Options& options, Random& random) {
  return {C(options, random), nn::Linear<float>({.input = options.hidden, .output = 1}, random)};
}

Result against_simple(std::uint64_t seed) {
  Random random(seed);
  const Variable<float> target = sines(random);
  auto clockwork =
      generator<nn::Clockwork<float>>({.input = 1, .hidden = 64, .periods = {1, 2, 4, 8, 16, 32, 64, 128}}, random);
  auto simple = generator<nn::Rnn<float>>({.input = 1, .hidden = 48}, random);
  return {generate(std::move(simple), target) / generate(std::move(clockwork), target)};
}

const Register clockwork({.name = "clockwork_sines",
                          .system = "clockwork 64 in 8 modules",
                          .measure = "simple network's squared error by clockwork's, 320 steps",
                          .at_least = 1.5,
                          .published = "the smaller error (Koutnik et al. 2014)",
                          .quick = 1,
                          .run = against_simple});

}  // namespace
}  // namespace rw::learning
