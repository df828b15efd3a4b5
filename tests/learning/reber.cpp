// Reber's grammar inside of itself, string by string and as an endless stream: the second of the outer pair of letters
// can only be foretold by whoever kept the first over the whole string within.

#include <algorithm>
#include <array>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/loss.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

enum Letter : std::int64_t { B, T, P, S, X, V, E, letters };

struct Text {
  std::vector<std::int64_t> read;  // letters
  std::vector<unsigned> next;      // after each, the set of those that may follow
  std::vector<bool> outer;         // whether what follows is the second of the outer pair

  void add(std::int64_t letter, unsigned followers, bool closes = false) {
    read.push_back(letter);
    next.push_back(followers);
    outer.push_back(closes);
  }
};

constexpr unsigned set(std::int64_t letter) { return 1u << letter; }

/// Appends a string: B, an outer letter, a string of Reber's grammar, the outer letter, E.
void add_string(Text& text, Random& random) {
  struct Edge {
    Letter letter;
    std::size_t to;
  };
  static constexpr std::size_t last = 5;
  static constexpr std::array<std::array<Edge, 2>, last> graph{
      {{{{T, 1}, {P, 2}}}, {{{S, 1}, {X, 3}}}, {{{T, 2}, {V, 4}}}, {{{X, 2}, {S, last}}}, {{{P, 3}, {V, last}}}}};
  const auto leaving = [](std::size_t node) {
    return node == last ? set(E) : set(graph[node][0].letter) | set(graph[node][1].letter);
  };
  const Letter outer = random.below(2) == 0 ? T : P;
  text.add(B, set(T) | set(P));
  text.add(outer, set(B));
  text.add(B, leaving(0));
  for (std::size_t node = 0; node != last;) {
    const Edge& edge = graph[node][random.below(2)];
    text.add(edge.letter, leaving(node = edge.to));
  }
  text.add(E, set(outer), true);
  text.add(outer, set(E));
  text.add(E, set(B));  // of the next string
}

Text strings(std::size_t count, Random& random) {
  Text text;
  for (std::size_t i = 0; i < count; ++i) add_string(text, random);
  return text;
}

/// The first letters [n, 1, letters].
Variable<float> inputs(const Text& text, std::size_t n) {
  Indices ids = zeros<std::int64_t>({n, 1});
  std::copy_n(text.read.begin(), n, ids.data());
  return one_hot(ids, letters);
}

/// What followed each of them [n, 1].
Indices targets(const Text& text, std::size_t n) {
  Indices ids = zeros<std::int64_t>({n, 1});
  for (std::size_t t = 0; t < n; ++t) ids.data()[t] = t + 1 < text.read.size() ? text.read[t + 1] : B;
  return ids;
}

/// How often all letters that may follow were above all others: everywhere, and where the outer pair is closed.
class Score {
 public:
  void add(const Text& text, const Tensor<float>& logits) {
    for (std::size_t t = 0; t < logits.shape()[0]; ++t) {
      float lowest = std::numeric_limits<float>::infinity(), highest = -lowest;
      for (std::int64_t k = 0; k < letters; ++k) {
        const float y = logits.data()[t * letters + static_cast<std::size_t>(k)];
        (text.next[t] & set(k) ? lowest = std::min(lowest, y) : highest = std::max(highest, y));
      }
      right_ += lowest > highest;
      ++all_;
      closed_ += text.outer[t] && lowest > highest;
      closings_ += text.outer[t];
    }
  }

  double legal() const { return right_ / all_; }
  double outer() const { return closed_ / closings_; }

 private:
  double right_ = 0, all_ = 0, closed_ = 0, closings_ = 0;
};

/// Online over 10,000 strings, tested on 200 fresh ones.
template <class C>
Result embedded(C cell, Random& random) {
  const std::size_t hidden = cell.hidden();
  Model<C> net{std::move(cell), {{.input = hidden, .output = letters}, random}};
  optim::Adam<float> adam({.learning_rate = 0.01});
  for (int i = 0; i < 10000; ++i) {
    const Text text = strings(1, random);
    const std::size_t n = text.read.size() - 1;
    descend(adam, net.parameters(), 5, [&] { return nn::cross_entropy(net(inputs(text, n)), targets(text, n)); });
  }
  Score score;
  for (int i = 0; i < 200; ++i) {
    const Text text = strings(1, random);
    score.add(text, net(inputs(text, text.read.size() - 1)).value());
  }
  return {score.legal(), score.outer() == 1};
}

/// Input and output gates begin closed, as in the paper.
Result embedded_lstm(std::uint64_t seed) {
  Random random(seed);
  nn::Lstm<float> cell({.input = letters, .hidden = 8}, random);
  cell.bias->assign(nn::bias_blocks<float>(8, {-1, 1, 0, -1}));
  return embedded(std::move(cell), random);
}

/// The state is kept at first.
template <nn::Reset reset, nn::Keep keep>
Result embedded_gru(std::uint64_t seed) {
  Random random(seed);
  nn::Gru<float> cell({.input = letters, .hidden = 16, .reset = reset, .keep = keep}, random);
  cell.bias->assign(nn::bias_blocks<float>(16, {0, keep == nn::Keep::old ? 1.0 : -1.0, 0}));
  return embedded(std::move(cell), random);
}

/// One endless stream, cut for the gradient alone every 6 strings: 2,000 times to learn, then 200 to be tested. The
/// state is never reset.
Result continual(nn::Lstm<float> cell, Random& random) {
  const std::size_t hidden = cell.hidden();
  Model<nn::Lstm<float>> net{std::move(cell), {{.input = hidden, .output = letters}, random}};
  optim::Adam<float> adam({.learning_rate = 0.01});
  auto state = net.cell.initial_state(1);
  const auto read = [&](const Text& text) {
    auto run = nn::unroll(net.cell, inputs(text, text.read.size()), {.initial = state});
    state = nn::detached(run.state);
    return net.readout(run.outputs);
  };
  for (int i = 0; i < 2000; ++i) {
    const Text text = strings(6, random);
    descend(adam, net.parameters(), 5, [&] { return nn::cross_entropy(read(text), targets(text, text.read.size())); });
  }
  Score score;
  for (int i = 0; i < 200; ++i) {
    const Text text = strings(6, random);
    score.add(text, read(text).value());
  }
  return {score.outer()};
}

Result continual_with_forget_gate(std::uint64_t seed) {
  Random random(seed);
  return continual(nn::Lstm<float>({.input = letters, .hidden = 12}, random), random);
}

Result continual_without_forget_gate(std::uint64_t seed) {
  Random random(seed);
  return continual(nn::Lstm<float>({.input = letters, .hidden = 12, .forget = nn::Forget::none}, random), random);
}

const Register lstm({.name = "reber_lstm",
                     .system = "LSTM 8",
                     .measure = "embedded Reber grammar, legal successors after 10,000 strings",
                     .at_least = 0.999,
                     .published = "150 of 150 runs (Hochreiter & Schmidhuber 1997)",
                     .quick = 2,
                     .run = embedded_lstm});

const Register gru({.name = "reber_gru",
                    .system = "GRU 16",
                    .measure = "embedded Reber grammar, legal successors after 10,000 strings",
                    .at_least = 0.999,
                    .run = embedded_gru<nn::Reset::after, nn::Keep::old>});

const Register reset_before({.name = "reber_gru_reset_before",
                             .system = "GRU 16, reset before the product, z for the fresh",
                             .measure = "embedded Reber grammar, legal successors after 10,000 strings",
                             .at_least = 0.999,
                             .run = embedded_gru<nn::Reset::before, nn::Keep::fresh>});

const Register forgetting({.name = "reber_continual",
                           .system = "LSTM 12",
                           .measure = "continual embedded Reber grammar, outer letters",
                           .at_least = 0.95,
                           .published = "solved (Gers, Schmidhuber & Cummins 2000)",
                           .run = continual_with_forget_gate});

const Register remembering({.name = "reber_continual_1997",
                            .system = "LSTM 12 without forget gate",
                            .measure = "continual embedded Reber grammar, outer letters",
                            .at_most = 0.7,
                            .published = "fails (Gers, Schmidhuber & Cummins 2000)",
                            .run = continual_without_forget_gate});

}  // namespace
}  // namespace rw::learning
