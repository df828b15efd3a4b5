#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "autograd/tensor.hpp"
#include "examples/sentiment/text.hpp"

namespace sentiment {

/// Words and labels as numbers.
struct Vocabulary {
  static constexpr std::int64_t padding = 0, unknown = 1;  // the words are numbered from 2 on

  Vocabulary() = default;

  /// The labels, sorted, and all words that are there at least so often, the most frequent first.
  Vocabulary(const std::vector<Example>& examples, std::size_t least);

  /// From lists that were kept in a file.
  Vocabulary(std::vector<std::string> words, std::vector<std::string> labels);

  std::size_t size() const { return words.size() + 2; }

  std::vector<std::string> words, labels;
  std::map<std::string, std::int64_t, std::less<>> number_of, class_of;
};

struct Item {
  std::vector<std::int64_t> words;
  std::int64_t label = 0;
};

std::vector<std::int64_t> numbers(const std::vector<std::string>& words, const Vocabulary& vocabulary);

/// The labels must be in the vocabulary.
std::vector<Item> encode(const std::vector<Example>& examples, const Vocabulary& vocabulary);

struct Batch {
  rw::Indices words;  // [T, B], padded
  std::vector<std::size_t> lengths;
  rw::Indices labels;  // [B]
};

Batch make_batch(const std::vector<Item>& items, std::span<const std::size_t> chosen);

/// All items in random order, cut into batches of like lengths.
std::vector<std::vector<std::size_t>> shuffled(const std::vector<Item>& items, std::size_t size, rw::Random& random);

}  // namespace sentiment
