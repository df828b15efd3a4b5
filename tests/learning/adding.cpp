// The adding problem (Hochreiter & Schmidhuber 1997, experiment 4): of 100 numbers the two that are marked are to be
// added, one in either half. Who always says 0 errs by 2/3.

#include <cmath>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "tests/learning/learning.hpp"
#include "tests/learning/sums.hpp"

namespace rw::learning {
namespace {

constexpr std::size_t steps = 100;

/// The mean squared error over 2,000 fresh sequences.
template <class C>
Result adding(std::uint64_t seed) {
  Random random(seed);
  auto net = model<C>(2, 8, 1, random);
  optim::Adam<float> adam;
  for (int i = 0; i < 8000; ++i) {
    adam.set_learning_rate(5e-3 * std::pow(0.5, i / 1500));
    const Sums batch = sums(steps, 32, -1, random);
    descend(adam, net.parameters(), 1, [&] { return mean_squared_error(net.last(batch.xs), Variable(batch.target)); });
  }
  const Sums fresh = sums(steps, 2000, -1, random);
  return {mean_squared_error(net.last(fresh.xs), Variable(fresh.target)).item()};
}

constexpr const char* measure = "adding problem, 100 steps, squared error";

const Register lstm({.name = "adding_lstm",
                     .system = "LSTM 8",
                     .measure = measure,
                     .at_most = 0.005,
                     .published = "errors below 0.04 (Hochreiter & Schmidhuber 1997)",
                     .run = adding<nn::Lstm<float>>});

const Register gru(
    {.name = "adding_gru", .system = "GRU 8", .measure = measure, .at_most = 0.005, .run = adding<nn::Gru<float>>});

const Register rnn({.name = "adding_rnn",
                    .system = "simple RNN 8",
                    .measure = measure,
                    .at_least = 0.04,
                    .published = "fails (Bengio, Simard & Frasconi 1994)",
                    .run = adding<nn::Rnn<float>>});

}  // namespace
}  // namespace rw::learning
