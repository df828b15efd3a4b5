#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "autograd/random.hpp"
#include "autograd/variable.hpp"
#include "examples/speech/sound.hpp"

namespace speech {

/// A digit by a speaker, or several one after another.
struct Recording {
  Sound sound;
  std::vector<std::int64_t> digits;
  std::string speaker;
};
using Recordings = std::vector<Recording>;

struct Corpus {
  std::string name;
  Recordings train, valid, test;
};

/// Reads the WAV files of train/, valid/ and the folders of tests, or test/ where there is none; their names are
/// DIGIT_SPEAKER_INDEX.wav. Throws std::runtime_error of one line where a folder has no such file, a file is broken, or
/// they differ in their samples a second.
Corpus read_corpus(const std::string& folder, const std::vector<std::string>& tests);

/// Moves all of a speaker to the test. Throws std::runtime_error where there is no such speaker, or no other.
void hold_out(Corpus& corpus, const std::string& speaker);

/// The numbers of the recordings of each speaker.
std::map<std::string, std::vector<std::size_t>> by_speaker(const Recordings& recordings);

/// Recordings of one speaker one after another, with pauses of up to 80 ms.
Recording joined(const Recordings& all, std::span<const std::size_t> chosen, rw::Random& random);

/// Every recording once, in strings of `digits` of one speaker; the last of a speaker may be shorter.
Recordings strings(const Recordings& all, std::size_t digits, rw::Random& random);

/// Features and targets of recordings, padded to the longest. A step is 20 ms: two rows of LogMel.
struct Batch {
  rw::Variable<float> xs;            // [T, B, 80]
  std::vector<std::size_t> lengths;  // steps
  rw::Indices targets;               // [B, L], digit + 1; 0 is the blank
  std::vector<std::size_t> counts;   // digits
};
Batch make_batch(std::span<const Recording> recordings, const LogMel& features);

/// Silences some neighbouring bands of each recording, none or up to `most`, so that no model relies on them alone
/// (SpecAugment, Park et al. 2019).
void mask_bands(Batch& batch, std::size_t most, rw::Random& random);

}  // namespace speech
