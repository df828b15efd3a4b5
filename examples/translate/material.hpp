#pragma once

#include "examples/translate/batches.hpp"

namespace translate {

/// What a run learns from and is scored on.
struct Material {
  Subwords source, target;
  std::vector<Encoded> pairs;
  std::vector<Sentence> held_out;
  std::size_t too_long = 0;      // pairs that were left out
  std::size_t tokens = 0;        // of all targets, once
  std::string fingerprint = {};  // other texts, another one
};

/// The vocabularies of `train`, and its pairs as pieces. Throws std::runtime_error where nothing is left to learn from
/// or to score.
Material prepare(const std::vector<Pair>& train, const std::vector<Pair>& valid, std::size_t vocabulary);

}  // namespace translate
