// Languages that are told apart by counting (Gers & Schmidhuber 2001): strings aⁿbⁿ and aⁿbⁿcⁿ of n up to 10 are read,
// and after every letter the set of those that may follow is asked. Who counts goes on right beyond 10.

#include "nn/cells/lstm.hpp"
#include "nn/loss.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

struct String {
  Tensor<float> xs;    // [T, 1, letters + 1]: the begin, then n of each letter
  Tensor<float> next;  // [T, 1, letters + 1]: 1 for each letter that may follow, the last being the end
};

String string_of(std::size_t n, std::size_t letters) {
  const std::size_t steps = 1 + n * letters;
  String made{zeros<float>({steps, 1, letters + 1}), zeros<float>({steps, 1, letters + 1})};
  made.xs(0, 0, letters) = made.next(0, 0, 0) = 1;
  for (std::size_t t = 1; t < steps; ++t) {
    const std::size_t letter = (t - 1) / n, left = n * (letter + 1) - t;
    made.xs(t, 0, letter) = 1;
    // How many of the first letter come is open, of the others known.
    if (letter == 0 || left > 0) made.next(t, 0, letter) = 1;
    if (letter == 0 || left == 0) made.next(t, 0, letter + 1) = 1;
  }
  return made;
}

/// −log of the probability of independent bits: log(1 + e^z) − z·bit, mean over all.
Variable<float> binary_cross_entropy(const Variable<float>& logits, const Variable<float>& bits) {
  return mean(softplus(logits) - logits * bits);
}

bool right(const Tensor<float>& logits, const Tensor<float>& bits) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if ((logits.data()[i] > 0) != (bits.data()[i] > 0.5f)) return false;
  }
  return true;
}

/// The largest n up to which every string is right.
template <std::size_t letters>
Result count(nn::Lstm<float> cell, int strings, Random& random) {
  for (const auto& entry : cell.parameters()) {
    if (entry.name != "bias") entry.parameter->assign(nn::normal<float>(entry.parameter->shape(), 0.05, random));
  }
  cell.bias->update([](Tensor<float>& b) { std::fill_n(b.data(), letters, -1.f); });  // input gates begin closed
  Model<nn::Lstm<float>> net{std::move(cell), {{.input = letters, .output = letters + 1}, random}};
  optim::Adam<float> adam({.learning_rate = 0.01});
  for (int i = 0; i < strings; ++i) {
    const String string = string_of(1 + random.below(10), letters);
    descend(adam, net.parameters(), 1, [&] { return binary_cross_entropy(net(string.xs), Variable(string.next)); });
  }
  std::size_t n = 0;
  for (; n < 1000; ++n) {
    const String string = string_of(n + 1, letters);
    if (!right(net(string.xs).value(), string.next)) break;
  }
  return {static_cast<double>(n)};
}

template <std::size_t letters>
Result lstm_1997(std::uint64_t seed) {
  Random random(seed);
  return count<letters>({{.input = letters + 1, .hidden = letters, .forget = nn::Forget::none}, random}, 10000, random);
}

template <std::size_t letters>
Result peephole_lstm(std::uint64_t seed) {
  Random random(seed);
  return count<letters>({{.input = letters + 1, .hidden = letters, .forget_bias = 2, .peepholes = true}, random}, 40000,
                        random);
}

const Register anbn({.name = "counting_anbn",
                     .system = "LSTM 2 without forget gate",
                     .measure = "aⁿbⁿ learnt for n <= 10, right for all n up to",
                     .at_least = 30,
                     .quick = 2,
                     .run = lstm_1997<2>});

const Register anbncn({.name = "counting_anbncn",
                       .system = "LSTM 3 without forget gate",
                       .measure = "aⁿbⁿcⁿ learnt for n <= 10, right for all n up to",
                       .at_least = 15,
                       .run = lstm_1997<3>});

const Register anbn_peephole({.name = "counting_anbn_peephole",
                              .system = "peephole LSTM 2",
                              .measure = "aⁿbⁿ learnt for n <= 10, right for all n up to",
                              .at_least = 30,
                              .published = "1000 (Gers & Schmidhuber 2001)",
                              .run = peephole_lstm<2>});

const Register anbncn_peephole({.name = "counting_anbncn_peephole",
                                .system = "peephole LSTM 3",
                                .measure = "aⁿbⁿcⁿ learnt for n <= 10, right for all n up to",
                                .at_least = 12,
                                .published = "500 (Gers & Schmidhuber 2001)",
                                .run = peephole_lstm<3>});

}  // namespace
}  // namespace rw::learning
