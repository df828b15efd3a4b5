#pragma once

#include <vector>

#include "autograd/random.hpp"
#include "nn/attention.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"

namespace translate {

struct ModelSettings {
  std::size_t source_vocabulary = 0, target_vocabulary = 0;
  std::size_t embedding = 128, hidden = 256;
  double dropout = 0.2;
};

/// A batch of sentence pairs as piece numbers, time outermost, padded with Subwords::pad.
struct Batch {
  rw::Indices source;                       // [S, B], each row ends with eos
  std::vector<std::size_t> source_lengths;  // [B]
  rw::Indices target_in, target_out;        // [T, B]: bos w1 w2 ... and w1 w2 ... eos
  std::size_t target_tokens = 0;            // targets that are not padding
};

/// Sequence to sequence with attention (Bahdanau, Cho & Bengio 2015): a bidirectional GRU reads the source, a GRU
/// writes the target, and before each word it looks back at the source.
template <class T>
struct Model {
  Model(const ModelSettings& settings, rw::Random& random);

  /// What the encoder leaves for the decoder.
  struct Encoded {
    rw::nn::Memory<T> memory;  // values [S, B, 2H]
    rw::Variable<T> state;     // [B, H]
  };

  /// Reads the source sentences [S, B]. `random` draws the dropout; nullptr: none.
  Encoded encode(const rw::Indices& source, const std::vector<std::size_t>& lengths, rw::Random* random) const;

  /// The summed negative log-likelihood of the target, each word given the true words before it (teacher forcing).
  /// `smoothing` is the label smoothing of the loss.
  rw::Variable<T> loss(const Batch& batch, double smoothing, rw::Random* random) const;

  struct Next {
    rw::Variable<T> logits;     // [B, V]
    rw::Variable<T> state;      // [B, H]
    rw::Variable<T> alignment;  // [S, B], where the decoder looked
  };

  /// One step of writing: the scores of the next word after `words` [B]. For decoding.
  Next next(const rw::Indices& words, const rw::Variable<T>& state, const rw::nn::Memory<T>& memory) const;

  rw::nn::Parameters<T> parameters();

  ModelSettings settings;
  rw::nn::Embedding<T> source_embedding, target_embedding;
  rw::nn::Bidirectional<rw::nn::Gru<T>> encoder;
  rw::nn::Linear<T> bridge;  // from the backward encoder's last state to the decoder's first
  rw::nn::AdditiveAttention<T> attention;
  rw::nn::Gru<T> decoder;
  rw::nn::Linear<T> context;  // the decoder's second input, c·W, beside the embedding
  rw::nn::Linear<T> readout, output;

 private:
  struct Written {
    rw::Variable<T> state, context, alignment;
  };
  Written write(const rw::Variable<T>& projected_word, const rw::Variable<T>& state,
                const rw::nn::Memory<T>& memory) const;
  rw::Variable<T> scores(const rw::Variable<T>& state, const rw::Variable<T>& context, const rw::Variable<T>& word,
                         rw::Random* random) const;
};

extern template struct Model<float>;
extern template struct Model<double>;

}  // namespace translate
