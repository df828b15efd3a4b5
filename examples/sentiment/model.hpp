#pragma once

#include <memory>

#include "autograd/random.hpp"
#include "examples/sentiment/batches.hpp"
#include "nn/parameters.hpp"

namespace sentiment {

/// How the outputs of all words become one vector: their mean, or the last ones of both directions.
enum class Pooling { mean, last };

enum class Cell { lstm, gru };

struct Settings {
  Cell cell = Cell::lstm;
  std::size_t vocabulary = 0, classes = 0, embedding = 64, hidden = 64;
  Pooling pooling = Pooling::mean;
  double dropout = 0.4;
};

/// What reads texts and says how likely each label is.
struct Classifier {
  virtual ~Classifier() = default;

  /// [B, classes]. `random` draws the dropout; nullptr: none.
  virtual rw::Variable<float> logits(const Batch& batch, rw::Random* random = nullptr) const = 0;

  virtual rw::nn::Parameters<float> parameters() = 0;
};

/// Reads a text in both directions with a cell, pools the outputs and classifies.
std::unique_ptr<Classifier> make_network(const Settings& settings, rw::Random& random);

/// The baseline, logistic regression on the counts of words: the sum of one row of weights for each word, and a bias.
std::unique_ptr<Classifier> make_bag_of_words(const Settings& settings, rw::Random& random);

void save(const std::string& path, Classifier& network, const Settings& settings, const Vocabulary& vocabulary);

struct Loaded {
  std::unique_ptr<Classifier> network;
  Vocabulary vocabulary;
};

/// Throws std::runtime_error where the file is no model of this program, or tensors do not go together.
Loaded load(const std::string& path);

}  // namespace sentiment
