#pragma once

#include <algorithm>

#include "autograd/tape.hpp"
#include "examples/translate/batches.hpp"
#include "examples/translate/grammar.hpp"
#include "tests/nn/common.hpp"

// What the tests of the translator share: models and corpora that are small enough to look at every number.

namespace tiny {

constexpr std::size_t vocabulary = 8;  // pad, bos, eos and five words

/// A model with parameters that are all different, biases too.
inline translate::Model<double> model(std::uint64_t seed = 1, double dropout = 0) {
  rw::Random random(seed);
  translate::Model<double> model({.source_vocabulary = vocabulary,
                                  .target_vocabulary = vocabulary,
                                  .embedding = 3,
                                  .hidden = 4,
                                  .dropout = dropout},
                                 random);
  common::scatter(model.parameters(), 100 * seed);
  return model;
}

/// Sentences of up to six words; each target is its source backwards.
inline std::vector<translate::Encoded> pairs(std::size_t count, std::uint64_t seed = 1) {
  rw::Random random(seed);
  std::vector<translate::Encoded> pairs(count);
  for (translate::Encoded& pair : pairs) {
    pair.source.resize(1 + random.below(6));
    for (int& word : pair.source) word = 3 + static_cast<int>(random.below(vocabulary - 3));
    pair.target.assign(pair.source.rbegin(), pair.source.rend());
    pair.source.push_back(translate::Subwords::eos);
    pair.target.push_back(translate::Subwords::eos);
  }
  return pairs;
}

/// The numbers from `begin` up to `end`.
inline std::vector<std::size_t> range(std::size_t begin, std::size_t end) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

/// Sixty short sentence pairs, English and French.
inline const std::vector<translate::Pair>& corpus() {
  static const auto pairs = translate::bundled_corpus(1, {.train = 60, .valid = 10, .test = 10}).train;
  return pairs;
}

/// For BOOST_CHECK_EXCEPTION: the message has that text in it, and one line.
inline auto mentions(const std::string& text) {
  return [text](const std::exception& e) {
    const std::string what = e.what();
    const bool good = what.find(text) != what.npos && what.find('\n') == what.npos;
    if (!good) BOOST_TEST_MESSAGE("expected: ..." << text << "...\n     got: " << what);
    return good;
  };
}

}  // namespace tiny
