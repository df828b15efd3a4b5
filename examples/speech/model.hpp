#pragma once

#include "examples/speech/data.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/linear.hpp"
#include "nn/stack.hpp"

namespace speech {

constexpr const char* format_name = "rewind-speech-1";  // of a model's file
constexpr std::size_t most_hidden = 4096;

struct ModelSettings {
  std::size_t hidden = 64, layers = 1;  // hidden: of each direction
  double dropout = 0.3;                 // of what each layer reads but the first, and the readout
};

/// Bidirectional LSTMs that say at each step which digit has just been heard, or nothing new (class 0).
struct Model {
  Model(const ModelSettings& settings, rw::Random& random);

  /// Scores [T, B, 11] for xs [T, B, 80]. Dropout only where there are random numbers.
  rw::Variable<float> logits(const rw::Variable<float>& xs, const std::vector<std::size_t>& lengths,
                             rw::Random* random = nullptr) const;

  rw::nn::Parameters<float> parameters();

  double dropout;
  rw::nn::Stack<rw::nn::Bidirectional<rw::nn::Lstm<float>>> layers;
  rw::nn::Linear<float> readout;
};

/// The model in a file. Throws std::runtime_error where it is of another format than format_name, or tensors are
/// missing or do not go together.
Model read_model(const std::string& path);

/// The digits of each recording by the likeliest path.
std::vector<std::vector<std::int64_t>> transcribe(const Model& model, const Recordings& recordings,
                                                  const LogMel& features);

/// How many words are to be put in, taken out or replaced to make one the other (Levenshtein 1966).
std::size_t edit_distance(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b);

/// Words heard wrong, left out or added, for each word spoken.
double word_error(const Model& model, const Recordings& recordings, const LogMel& features);

}  // namespace speech
