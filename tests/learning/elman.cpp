// The simple recurrent network on the three tasks of Elman 1990, "Finding structure in time", Cognitive Science 14: to
// foretell the next code of a sequence.

#include "nn/cells/elman.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <sstream>
#include <string_view>

#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

using nn::Elman;
using Codes = std::array<unsigned, 26>;

/// One letter a step, one bit of its code a feature, the highest first: [T, 1, bits].
Variable<float> encoded(const std::string& text, const Codes& codes, std::size_t bits) {
  Tensor<float> xs = empty<float>({text.size(), 1, bits});
  float* x = xs.data();
  for (const char letter : text) {
    const unsigned code = codes[static_cast<std::size_t>(letter - 'a')];
    for (std::size_t i = bits; i-- > 0;) *x++ = static_cast<float>(code >> i & 1);
  }
  return xs;
}

/// The training of 1990: an update after every step, and no gradient through the context.
void learn_online(Elman<float>& net, double learning_rate, const Variable<float>& sequence, int passes) {
  optim::Sgd<float> sgd({.learning_rate = learning_rate});
  const auto codes = unstack(sequence);
  for (int pass = 0; pass < passes; ++pass) {
    auto state = net.initial_state(1);
    for (std::size_t t = 0; t + 1 < codes.size(); ++t) {
      descend(sgd, net.parameters(), 0, [&] {
        auto next = nn::step(net, codes[t], state);
        state = next.state;
        return sum(square(next.output - codes[t + 1])) * 0.5;
      });
    }
  }
}

/// The squared error of each bit: element [t, 0, i] is that of bit i of code t + 1.
Tensor<float> errors_of(const Elman<float>& net, const Variable<float>& sequence) {
  return square(nn::unroll(net, slice(sequence, 0, 0, -1)).outputs - slice(sequence, 0, 1)).value();
}

/// The mean of the errors of bit i of code t for which chosen(t, i).
template <class Chosen>
double mean_of(const Tensor<float>& errors, const Chosen& chosen) {
  const std::size_t bits = errors.shape()[2];
  double sum = 0, count = 0;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    if (!chosen(k / bits + 1, k % bits)) continue;
    sum += errors.data()[k];
    ++count;
  }
  return sum / count;
}

// 1. Consonants at random, each followed by vowels of its own: b by a, d by ii, g by uuu. What can be foretold is every
// vowel, and that a consonant is due, but not which one: only d is "high", so the least error of that bit is 2/9.

Result badiiguuu(std::uint64_t seed) {
  constexpr std::size_t features = 6, is_consonant = 0, is_high = 3;
  Codes codes{};  // consonant, vowel, interrupted, high, back, voiced
  codes['b' - 'a'] = 0b101001, codes['d' - 'a'] = 0b101101, codes['g' - 'a'] = 0b101011;
  codes['a' - 'a'] = 0b010011, codes['i' - 'a'] = 0b010101, codes['u' - 'a'] = 0b010111;
  Random random(seed);
  const auto syllables = [&] {
    constexpr std::array<std::string_view, 3> all = {"ba", "dii", "guuu"};
    std::string text;
    for (int k = 0; k < 1000; ++k) text += all[random.below(3)];
    return text;
  };
  Elman<float> net({.input = features, .hidden = 20, .output = features, .truncate = true}, random);
  learn_online(net, 0.1, encoded(syllables(), codes, features), 200);

  const std::string text = syllables();
  const auto errors = errors_of(net, encoded(text, codes, features));
  const auto consonant = [&](std::size_t t) { return text[t] == 'b' || text[t] == 'd' || text[t] == 'g'; };
  double worst = mean_of(errors, [&](auto, auto i) { return i == is_consonant; });
  for (std::size_t bit = 0; bit < features; ++bit) {
    worst = std::max(worst, mean_of(errors, [&](auto t, auto i) { return i == bit && !consonant(t); }));
  }
  const double high = mean_of(errors, [&](auto t, auto i) { return i == is_high && consonant(t); });
  return {worst, 0.20 <= high && high <= 0.26};
}

const Register badiiguuu_task({.name = "elman_badiiguuu",
                               .system = "Elman 6-20-6, trained as in 1990",
                               .measure = "largest MSE of what can be foretold",
                               .at_most = 0.02,
                               .published = "low for these bits alone (Elman 1990)",
                               .quick = 1,
                               .run = badiiguuu});

// 2. Sentences without spaces, of words at random: the error is large at the first letter of a word and falls within.

Result letters(std::uint64_t seed) {
  constexpr std::size_t bits = 5;
  constexpr std::array<std::string_view, 15> lexicon = {"many", "years", "ago",    "a",       "boy",
                                                        "and",  "girl",  "lived",  "by",      "the",
                                                        "sea",  "they",  "played", "happily", "there"};
  Random random(seed);
  std::vector<unsigned> numbers;
  for (unsigned code = 0; code < 1u << bits; ++code) numbers.push_back(code);
  random.shuffle(numbers);
  Codes codes;
  std::copy_n(numbers.begin(), codes.size(), codes.begin());
  const auto sentences = [&] {
    std::vector<std::string_view> words;
    for (int k = 0; k < 200; ++k) {
      for (std::size_t n = 4 + random.below(6); n > 0; --n) words.push_back(lexicon[random.below(lexicon.size())]);
    }
    return words;
  };
  const auto joined = [](const auto& words) {
    std::string text;
    for (const std::string_view word : words) text += word;
    return text;
  };
  Elman<float> net({.input = bits, .hidden = 20, .output = bits, .truncate = true}, random);
  learn_online(net, 0.1, encoded(joined(sentences()), codes, bits), 10);

  const auto words = sentences();
  const std::string text = joined(words);
  const auto errors = errors_of(net, encoded(text, codes, bits));
  std::vector<char> first(text.size(), 0), last(text.size(), 0);  // letters of words of four and more
  std::size_t begin = 0;
  std::ostringstream curve;
  curve.precision(2);
  for (const std::string_view word : words) {
    if (word.size() >= 4) first[begin] = last[begin + word.size() - 1] = 1;
    for (std::size_t t = begin; t < begin + word.size() && begin < 60; ++t) {
      if (t > 0) curve << " " << text[t] << " " << mean_of(errors, [&](auto s, auto) { return s == t; });
    }
    if (begin < 60) curve << " |";
    begin += word.size();
  }
  if (seed == 1) std::cerr << "error by letter:" + curve.str() + "\n";
  return {mean_of(errors, [&](auto t, auto) { return first[t] != 0; }) /
          mean_of(errors, [&](auto t, auto) { return last[t] != 0; })};
}

const Register letters_task({.name = "elman_letters_in_words",
                             .system = "Elman 5-20-5, trained as in 1990",
                             .measure = "error at first letters / at last ones",
                             .at_least = 2,
                             .published = "peaks at first letters (Elman 1990)",
                             .quick = 1,
                             .run = letters});

// 3. Bits at random by two, the third their exclusive or: every third bit can be foretold by a net that knows which one
// that is; the least errors are 1/4, 1/4, 0.

/// [3·triples, rows, 1]
Variable<float> exclusive_ors(std::size_t triples, std::size_t rows, Random& random) {
  Tensor<float> xs = empty<float>({3 * triples, rows, 1});
  for (std::size_t k = 0; k < triples; ++k) {
    for (std::size_t b = 0; b < rows; ++b) {
      float* x = xs.data() + 3 * k * rows + b;
      x[0] = static_cast<float>(random.below(2));
      x[rows] = static_cast<float>(random.below(2));
      x[2 * rows] = x[0] != x[rows];
    }
  }
  return xs;
}

/// Of every third bit, if the others are guessed as well as can be.
Result third_bit(const Elman<float>& net, Random& random) {
  const auto errors = errors_of(net, exclusive_ors(1000, 1, random));
  std::array<double, 3> phase;
  for (std::size_t p = 0; p < 3; ++p) phase[p] = mean_of(errors, [&](auto t, auto) { return t % 3 == p; });
  const auto guessed = [](double error) { return 0.22 <= error && error <= 0.27; };
  return {phase[2], guessed(phase[0]) && guessed(phase[1])};
}

Result xor_in_time(std::uint64_t seed) {
  Random random(seed);
  Elman<float> net({.input = 1, .hidden = 8, .output = 1}, random);
  optim::Adam<float> adam({.learning_rate = 0.03});
  constexpr std::ptrdiff_t window = 12;
  for (int sequence = 0; sequence < 200; ++sequence) {
    const auto xs = exclusive_ors(101, 20, random);
    auto state = net.initial_state(20);
    for (std::ptrdiff_t t = 0; t < 25 * window; t += window) {
      descend(adam, net.parameters(), 1, [&] {
        const auto run = nn::unroll(net, slice(xs, 0, t, t + window), {.initial = state});
        state = run.state;
        return mean_squared_error(run.outputs, slice(xs, 0, t + 1, t + 1 + window));
      });
    }
  }
  return third_bit(net, random);
}

const Register xor_task({.name = "elman_xor_in_time",
                         .system = "Elman 1-8-1, gradient through windows of 12",
                         .measure = "MSE of every third bit",
                         .at_most = 0.05,
                         .published = "0 [optimum]",
                         .quick = 1,
                         .run = xor_in_time});

Result xor_as_in_1990(std::uint64_t seed) {
  Random random(seed);
  Elman<float> net({.input = 1, .hidden = 2, .output = 1, .truncate = true}, random);
  learn_online(net, 0.1, exclusive_ors(1000, 1, random), 200);  // the paper's 600 passes change it no more
  return third_bit(net, random);
}

const Register xor_as_in_1990_task({.name = "elman_xor_as_in_1990",
                                    .system = "Elman 1-2-1, trained as in 1990",
                                    .measure = "MSE of every third bit",
                                    .published = "below that of the others (Elman 1990)",
                                    .seeds = 3,
                                    .must_pass = 0,
                                    .run = xor_as_in_1990});

}  // namespace
}  // namespace rw::learning
