#pragma once
/// Subword vocabulary: a sentence as ids of words and word pieces, and back, without loss. A unigram model (Kudo 2018,
/// "Subword Regularization") by SentencePiece (package libsentencepiece-dev).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace translate {

struct SubwordOptions {
  std::size_t vocabulary = 4000;  ///< ids in all, the 260 fixed ones included
};

/// Text is taken as it is: case, every kind of space, and combining marks stay. Rare and unknown characters are spelt
/// in UTF-8 bytes, so nothing is ever unknown, and decode(encode(s)) == s for every valid UTF-8 string `s`. Ids: `pad`,
/// `bos`, `eos`, one unused, 256 bytes, then the pieces. Copies share one immutable model; all const members may be
/// called from several threads.
class Subwords {
 public:
  static constexpr int pad = 0, bos = 1, eos = 2;

  /// Learns pieces from `sentences`; the same sentences give the same pieces. The vocabulary is smaller than asked if
  /// the text has no more to give, and larger if its characters alone need more.
  /// Throws std::invalid_argument if the sentences hold no text.
  static Subwords train(const std::vector<std::string>& sentences, SubwordOptions options = {});

  /// The model that serialize() gave. Throws std::runtime_error for anything else.
  static Subwords parse(std::string_view bytes);
  std::string serialize() const;

  /// Number of ids; every id is below it.
  int size() const;

  /// The likeliest segmentation of `text`, without bos and eos.
  std::vector<int> encode(std::string_view text) const;

  /// A segmentation drawn with probability ∝ P(segmentation)^alpha; alpha = 0: all alike, large alpha: encode().
  /// The same seed gives the same pieces. A fresh draw an epoch makes a training set richer (Kudo 2018 takes 0.1 to
  /// 0.5). Throws std::invalid_argument if alpha is negative or not finite.
  std::vector<int> sample(std::string_view text, double alpha, std::uint64_t seed) const;

  /// Text of `ids`; pad, bos and eos stand for nothing, bytes that form no character give U+FFFD.
  /// Throws std::invalid_argument for an id outside [0, size()).
  std::string decode(const std::vector<int>& ids) const;

 private:
  using Processor = sentencepiece::SentencePieceProcessor;
  explicit Subwords(std::shared_ptr<const Processor> model);

  std::shared_ptr<const Processor> model_;
  std::size_t longest_piece_ = 1;  // in code points
};

}  // namespace translate
