#pragma once

#include <span>

#include "examples/char_lm/model.hpp"
#include "examples/char_lm/text.hpp"

namespace char_lm {

struct SampleOptions {
  std::size_t length = 500;  // characters
  double temperature = 1;    // what logits are divided by; 0: the most likely byte, always
  std::size_t top_k = 0;     // only the k most likely bytes (Fan, Lewis & Dauphin 2018); 0: all
  double top_p = 1;          // of these the fewest that have this probability together (Holtzman et al. 2020)
  std::string prompt = {};   // what the sample goes on from
};

/// Draws one of the bytes that `next` allows; of two equally likely ones the lower counts as likelier.
std::size_t draw(std::span<const float> logits, const Printable& next, const SampleOptions& options,
                 rw::Random& random);

/// The text that follows the prompt.
template <class C>
std::string sample(const Model<C>& model, const SampleOptions& options, rw::Random& random);

}  // namespace char_lm
