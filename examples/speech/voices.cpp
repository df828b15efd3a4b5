#include "examples/speech/voices.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace speech {
namespace {

constexpr double rate = 8000, pi = std::numbers::pi;

/// A sound of speech: where the resonances of the throat lie, how much of voice and of noise there is.
struct Phone {
  std::array<double, 3> formants;  // Hz
  double voice, noise, hiss;       // loudness; Hz around which the noise is
  double seconds;
};

// clang-format off
constexpr Phone
    a{{{730, 1150, 2440}}, 1, 0, 2000, 0.10}, e{{{530, 1840, 2480}}, 1, 0, 2000, 0.10},
    i{{{290, 2250, 2950}}, 1, 0, 2000, 0.10}, o{{{560, 880, 2410}}, 1, 0, 2000, 0.12},
    u{{{310, 900, 2240}}, 1, 0, 2000, 0.14}, w{{{290, 620, 2150}}, 0.6, 0, 2000, 0.06},
    r{{{400, 1100, 1500}}, 0.7, 0, 2000, 0.06}, n{{{250, 1300, 2500}}, 0.4, 0, 2000, 0.08},
    v{{{280, 1100, 2300}}, 0.3, 0.1, 2600, 0.06}, z{{{260, 1600, 2500}}, 0.3, 0.4, 3500, 0.09},
    s{{{300, 1600, 2500}}, 0, 0.8, 3600, 0.11}, f{{{300, 1100, 2300}}, 0, 0.25, 2600, 0.10},
    k{{{300, 1900, 2500}}, 0, 0.7, 1800, 0.03}, t{{{300, 1700, 2600}}, 0, 0.8, 3200, 0.03},
    silence{{{300, 1500, 2500}}, 0, 0, 2000, 0.05};

const std::vector<Phone> words[10] = {
    {z, i, r, o, u},  {w, a, n},           {t, u, u},        {f, r, i, i}, {f, o, o, r},
    {f, a, i, v},     {s, i, silence, k, s}, {s, e, v, e, n}, {e, i, silence, t}, {n, a, i, n}};
// clang-format on

struct Voice {
  const char* name;
  double pitch, throat;  // Hz; what formants are multiplied by
};
constexpr Voice voices[] = {
    {"alto", 190, 1.10}, {"baritone", 115, 0.97}, {"bass", 90, 0.92}, {"soprano", 235, 1.18}, {"tenor", 150, 1.04}};

/// y[n] = a·x[n] + b·y[n − 1] + c·y[n − 2], with a peak at a frequency and gain 1 at 0 Hz.
struct Resonator {
  double a = 1, b = 0, c = 0, y1 = 0, y2 = 0;

  void tune(double hertz, double bandwidth) {
    c = -std::exp(-2 * pi * bandwidth / rate);
    b = 2 * std::exp(-pi * bandwidth / rate) * std::cos(2 * pi * std::min(hertz, 3800.0) / rate);
    a = 1 - b - c;
  }
  double operator()(double x) {
    const double y = a * x + b * y1 + c * y2;
    y2 = y1;
    return y1 = y;
  }
};

Recording spoken(std::int64_t digit, const Voice& voice, rw::Random& random) {
  const double pitch = voice.pitch * random.uniform(0.92, 1.08), throat = voice.throat * random.uniform(0.97, 1.03);
  const double tempo = random.uniform(0.85, 1.2), breath = random.uniform(0.002, 0.02);
  std::array<Resonator, 3> formants;
  Resonator mouth;
  std::vector<float> samples;
  double phase = 0;
  Phone now = silence;  // moves towards the sound of the word that is due
  for (const Phone& due : words[digit]) {
    const auto count = static_cast<std::size_t>(due.seconds * tempo * random.uniform(0.85, 1.15) * rate);
    const double colour = throat * random.uniform(0.96, 1.04);
    for (std::size_t n = 0; n < count; ++n) {
      if (n % 40 == 0) {
        const auto move = [](double& x, double to) { x += 0.3 * (to - x); };
        for (std::size_t k = 0; k < 3; ++k) {
          move(now.formants[k], due.formants[k] * colour);
          formants[k].tune(now.formants[k], 50 + 0.05 * now.formants[k]);
        }
        move(now.voice, due.voice), move(now.noise, due.noise), move(now.hiss, due.hiss);
        mouth.tune(now.hiss, 700);
      }
      phase += pitch / rate;
      double voiced = phase >= 1 ? 10 * now.voice : 0;
      phase -= std::floor(phase);
      for (Resonator& formant : formants) voiced = formant(voiced);
      samples.push_back(
          static_cast<float>(voiced + mouth(0.3 * now.noise * random.normal()) + breath * random.normal()));
    }
  }
  return {{std::move(samples), static_cast<std::size_t>(rate)}, {digit}, voice.name};
}

}  // namespace

Corpus synthesised(std::size_t each, rw::Random random) {
  Corpus corpus{"synthesised digits", {}, {}, {}};
  const auto fill = [&](Recordings& part, std::size_t count) {
    for (const Voice& voice : voices) {
      for (std::int64_t digit = 0; digit < 10; ++digit) {
        for (std::size_t k = 0; k < std::max<std::size_t>(count, 1); ++k) part.push_back(spoken(digit, voice, random));
      }
    }
  };
  fill(corpus.train, each);
  fill(corpus.valid, each / 3);
  fill(corpus.test, each / 2);
  return corpus;
}

}  // namespace speech
