#pragma once

#include "examples/translate/corpus.hpp"
#include "examples/translate/model.hpp"
#include "examples/translate/subwords.hpp"

namespace translate {

/// A sentence pair as piece numbers, each side ending with eos.
struct Encoded {
  std::vector<int> source, target;
};

/// The longest sentence the program reads or learns from, in pieces.
constexpr std::size_t longest_sentence = 250;

/// Pairs as pieces; those with a side of `longest_sentence` pieces or more are left out.
std::vector<Encoded> encode_pairs(const std::vector<Pair>& pairs, const Subwords& source, const Subwords& target);

/// Index lists of about `size` pairs of like target length, in random order: pairs are shuffled, sorted by length
/// within pools of fifty batches, cut, and the batches shuffled. Throws std::invalid_argument where `size` is 0.
std::vector<std::vector<std::size_t>> bucketed(const std::vector<Encoded>& pairs, std::size_t size, rw::Random& random);

/// The source side of a batch alone: ids [S, B] and lengths.
void pad_sources(const std::vector<std::vector<int>>& sentences, rw::Indices& ids, std::vector<std::size_t>& lengths);

/// The pairs `chosen` as one batch. Throws std::invalid_argument where none is chosen.
Batch make_batch(const std::vector<Encoded>& pairs, std::span<const std::size_t> chosen);

}  // namespace translate
