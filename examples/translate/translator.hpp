#pragma once

#include <filesystem>

#include "examples/translate/decode.hpp"
#include "examples/translate/subwords.hpp"

namespace translate {

/// A trained model with its vocabularies: what a model file holds.
struct Translator {
  Subwords source, target;
  Model<float> model;

  /// Translations of sentences, a line each, in batches; a beam of one is greedy. A sentence without any text gives an
  /// empty one.
  /// Throws std::invalid_argument for a sentence of over `longest_sentence` pieces or invalid UTF-8.
  std::vector<std::string> translate(const std::vector<std::string>& sentences, const BeamOptions& options) const;
};

/// Writes the model file beside `path`, then renames it. Throws std::runtime_error where that fails.
void save(const std::filesystem::path& path, Translator& translator);

/// Throws std::runtime_error, naming the file, where it is not a whole model file of this program.
Translator load_translator(const std::filesystem::path& path);

}  // namespace translate
