// Temporal order (Hochreiter & Schmidhuber 1997, experiment 6a): two letters, each X or Y, far apart among noise; which
// came in which order is asked at the end. Four classes.

#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/loss.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

constexpr std::size_t steps = 50, letters = 8, classes = 4;  // letters: begin, end, four of noise, X and Y
constexpr std::int64_t begin = 0, end = 1, noise = 2, x = 6;

struct Orders {
  Tensor<float> xs;  // [T, B, letters]
  Indices order;     // [B]
};

Orders orders(std::size_t batch, Random& random) {
  Indices ids = zeros<std::int64_t>({steps, batch}), order = zeros<std::int64_t>({batch});
  for (auto& id : ids) id = noise + static_cast<std::int64_t>(random.below(4));
  for (std::size_t b = 0; b < batch; ++b) {
    ids(0, b) = begin;
    ids(steps - 1, b) = end;
    for (const std::size_t from : {steps / 10, steps / 2}) {
      const auto letter = static_cast<std::int64_t>(random.below(2));
      ids(from + random.below(steps / 10 + 1), b) = x + letter;
      order(b) = 2 * order(b) + letter;
    }
  }
  return {one_hot(ids, letters), order};
}

/// The accuracy on 2,000 fresh sequences.
template <class C>
Result temporal_order(C cell, Random& random) {
  Model<C> net{std::move(cell), {{.input = 4, .output = classes}, random}};
  optim::Adam<float> adam({.learning_rate = 0.02});
  for (int i = 0; i < 1000; ++i) {
    const Orders batch = orders(32, random);
    descend(adam, net.parameters(), 1, [&] { return nn::cross_entropy(net.last(batch.xs), batch.order); });
  }
  const Orders fresh = orders(2000, random);
  return {accuracy(net.last(fresh.xs).value(), fresh.order)};
}

/// The cell of 1997: no forget gate, and input gates that begin closed.
Result lstm_1997(std::uint64_t seed) {
  Random random(seed);
  nn::Lstm<float> cell({.input = letters, .hidden = 4, .forget = nn::Forget::none}, random);
  cell.bias->update([](Tensor<float>& b) { std::fill_n(b.data(), 4, -1.f); });
  return temporal_order(std::move(cell), random);
}

Result simple_rnn(std::uint64_t seed) {
  Random random(seed);
  return temporal_order(nn::Rnn<float>({.input = letters, .hidden = 4}, random), random);
}

const Register lstm({.name = "temporal_order_lstm",
                     .system = "LSTM 4 without forget gate",
                     .measure = "temporal order, 50 steps, accuracy after 32,000 sequences",
                     .at_least = 0.99,
                     .published = "solved after 31,390 sequences (Hochreiter & Schmidhuber 1997)",
                     .quick = 1,
                     .run = lstm_1997});

const Register rnn({.name = "temporal_order_rnn",
                    .system = "simple RNN 4",
                    .measure = "temporal order, 50 steps, accuracy after 32,000 sequences",
                    .at_most = 0.6,
                    .published = "fails (Hochreiter & Schmidhuber 1997)",
                    .run = simple_rnn});

}  // namespace
}  // namespace rw::learning
