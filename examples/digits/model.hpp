#pragma once

#include <functional>

#include "autograd/random.hpp"
#include "nn/safetensors.hpp"

namespace digits {

constexpr const char* format_name = "rewind-digits-1";  // of a model's file
constexpr std::size_t most_hidden = 4096;

struct ModelSettings {
  std::string cell = "gru";                        // irnn, indrnn, gru or lstm
  std::size_t steps = 1, input = 1, classes = 10;  // of the sequences
  std::size_t hidden = 64, layers = 1;
};

/// A stack of recurrent layers of any cell whose last state says the class.
struct Classifier {
  rw::nn::Parameters<float> parameters;
  std::function<rw::Variable<float>(const rw::Variable<float>& xs)> logits;  // xs [T, B, I] -> [B, classes]
  std::function<void()> after_step;
};

/// Every cell begins so that it can remember from the first step to the last:
///     irnn    relu, U the identity (Le, Jaitly & Hinton 2015)
///     indrnn  |u| ≤ 2^(1/T) all the time, u ≥ 10^(−3/T) in the last layer (Li et al. 2018)
///     gru     biases for memories of up to T steps (Tallec & Ollivier 2018)
///     lstm    the same
/// Throws std::invalid_argument for another cell.
Classifier make_classifier(const ModelSettings& settings, rw::Random& random);

/// The cell, input, hidden and layers of the model in a file of format_name. Throws std::runtime_error where tensors
/// are missing or do not go together.
ModelSettings settings_of(const rw::nn::Safetensors& file, const std::string& path);

}  // namespace digits
