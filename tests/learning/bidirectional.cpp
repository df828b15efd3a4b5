// What came three steps ago xor what will come in three: one direction alone can but guess. Nor could a linear read-out
// of both, which adds what either knows: the xor of two numbers is no sum of functions of each.

#include "nn/bidirectional.hpp"
#include "autograd/ops/activation.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/loss.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

constexpr std::size_t steps = 30, away = 3;
constexpr std::int64_t unasked = -1;

struct Bits {
  Tensor<float> xs;  // [T, B, 1]
  Indices target;    // [T, B], unasked where there is no bit three steps away
};

Bits bits(std::size_t batch, Random& random) {
  Bits made{zeros<float>({steps, batch, 1}), full<std::int64_t>({steps, batch}, unasked)};
  for (auto& x : made.xs) x = static_cast<float>(random.below(2));
  for (std::size_t t = away; t < steps - away; ++t) {
    for (std::size_t b = 0; b < batch; ++b) made.target(t, b) = made.xs(t - away, b, 0) != made.xs(t + away, b, 0);
  }
  return made;
}

/// The accuracy where there is a target, on 1,000 fresh sequences.
template <class C>
Result distant_xor(C cell, std::size_t width, Random& random) {
  nn::Linear<float> hidden({.input = width, .output = 32}, random), readout({.input = 32, .output = 2}, random);
  nn::Parameters<float> parameters;
  parameters.add("cell", cell.parameters());
  parameters.add("hidden", hidden.parameters());
  parameters.add("readout", readout.parameters());
  const auto net = [&](const Tensor<float>& xs) {
    return readout(relu(hidden(nn::unroll(cell, Variable(xs)).outputs)));
  };
  optim::Adam<float> adam({.learning_rate = 0.005});
  for (int i = 0; i < 1500; ++i) {
    const Bits batch = bits(32, random);
    descend(adam, parameters, 1, [&] { return nn::cross_entropy(net(batch.xs), batch.target, {.ignore = unasked}); });
  }
  const Bits fresh = bits(1000, random);
  return {accuracy(net(fresh.xs).value(), fresh.target) * steps / (steps - 2 * away)};
}

Result both_directions(std::uint64_t seed) {
  Random random(seed);
  nn::Lstm<float> forward({.input = 1, .hidden = 16}, random), backward({.input = 1, .hidden = 16}, random);
  return distant_xor(nn::Bidirectional<nn::Lstm<float>>{std::move(forward), std::move(backward)}, 32, random);
}

Result one_direction(std::uint64_t seed) {
  Random random(seed);
  return distant_xor(nn::Lstm<float>({.input = 1, .hidden = 16}, random), 16, random);
}

const Register both({.name = "xor_bidirectional",
                     .system = "bidirectional LSTM 16",
                     .measure = "x[t-3] xor x[t+3], accuracy",
                     .at_least = 0.99,
                     .published = "1 (by construction)",
                     .quick = 1,
                     .run = both_directions});

const Register one({.name = "xor_one_direction",
                    .system = "LSTM 16",
                    .measure = "x[t-3] xor x[t+3], accuracy",
                    .at_most = 0.51,
                    .published = "0.5 (by construction)",
                    .run = one_direction});

}  // namespace
}  // namespace rw::learning
