// Copy memory (Hochreiter & Schmidhuber 1997; in this form Arjovsky, Shah & Bengio 2016): ten symbols of eight are
// shown, then nothing for a while, then a sign to say them again. Who remembers nothing errs by 10·ln 8 / T nats.

#include <cmath>

#include "nn/cells/gru.hpp"
#include "nn/loss.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

constexpr std::size_t shown = 10, lag = 50, steps = lag + 2 * shown, symbols = 10;
constexpr std::int64_t blank = 8, sign = 9;

struct Sequences {
  Tensor<float> xs;  // [T, B, symbols]
  Indices target;    // [T, B], blank until the sign
};

Sequences sequences(std::size_t batch, Random& random) {
  Indices ids = full<std::int64_t>({steps, batch}, blank), target = ids;
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t t = 0; t < shown; ++t) {
      ids(t, b) = target(steps - shown + t, b) = static_cast<std::int64_t>(random.below(8));
    }
    ids(steps - shown - 1, b) = sign;
  }
  return {one_hot(ids, symbols), target};
}

/// The cross entropy on 500 fresh sequences, in shares of 10·ln 8 / T.
Result copy(std::uint64_t seed) {
  Random random(seed);
  auto net = model<nn::Gru<float>>(symbols, 64, symbols - 1, random);
  net.cell.bias->assign(nn::chrono<float>(64, lag, {0, 1, 0}, random));
  optim::Adam<float> adam({.learning_rate = 0.01});
  for (int i = 0; i < 2000; ++i) {
    const Sequences batch = sequences(32, random);
    descend(adam, net.parameters(), 1, [&] { return nn::cross_entropy(net(batch.xs), batch.target); });
  }
  const Sequences fresh = sequences(500, random);
  return {nn::cross_entropy(net(fresh.xs), fresh.target).item() * steps / (shown * std::log(8.0))};
}

const Register gru({.name = "copy_gru",
                    .system = "GRU 64, chrono initialisation",
                    .measure = "copy of 10 symbols after 50 steps, cross entropy by that without memory",
                    .at_most = 0.5,
                    .published = "1 without memory (by construction)",
                    .run = copy});

}  // namespace
}  // namespace rw::learning
