#pragma once

#include "examples/speech/data.hpp"

namespace speech {

/// "Spoken" digits of five voices at 8 kHz: pulses of the voice's pitch and noise through resonators that move from
/// sound to sound of the word (formant synthesis, Klatt 1980). Every recording differs in pitch, throat, tempo and
/// noise. `each` recordings a digit and voice to learn from, a third of it to choose by, half of it to test on.
Corpus synthesised(std::size_t each, rw::Random random);

}  // namespace speech
