#pragma once

#include <fftw3.h>

#include <memory>
#include <string>
#include <vector>

#include "autograd/tensor.hpp"

namespace speech {

/// One channel, about −1 to 1.
struct Sound {
  std::vector<float> samples;
  std::size_t rate;  // samples a second
};

/// Reads a file of any format that libsndfile knows; several channels are averaged.
/// Throws std::runtime_error of one line where it is not there, is cut off, holds no sample or more than 2²⁶,
/// a sample is not finite, or there are fewer than 8000 or more than 384000 a second.
Sound read_sound(const std::string& path);

/// The same sound in 1/factor of the time and higher by that factor, as of a shorter throat, by linear interpolation.
Sound faster(const Sound& sound, double factor);

/// What an ear may make of a sound: a row of 40 numbers every 10 ms.
///     e[t, k] = Σ_f w[k, f]·|FFT(hann ⊙ x)|²[f],   x: 25 ms of s[n] − 0.97·s[n − 1]
///     y[t, k] = ln(e[t, k] + 10⁻⁴·max e), less half of its mean over t; then all of y to mean 0 and variance 1
/// w are triangles that overlap by half, their corners evenly spaced from 60 to 4000 Hz on the mel scale,
/// mel(f) = 2595·log10(1 + f/700) (O'Shaughnessy 1987; Davis & Mermelstein 1980). The mean of a band over a short
/// recording tells of the microphone, but also of the digit: all of it left in, or out, made more errors.
class LogMel {
 public:
  static constexpr std::size_t bands = 40;
  static constexpr double step = 0.01;  // seconds

  /// Throws std::invalid_argument where there are fewer than 8000 samples a second.
  explicit LogMel(std::size_t rate);

  /// Rows [T, 40], T = 1 for a sound of less than 25 ms. May be called from several threads.
  rw::Tensor<float> operator()(const std::vector<float>& samples) const;

 private:
  struct Plan {
    void operator()(fftwf_plan plan) const { fftwf_destroy_plan(plan); }
  };

  std::size_t window_, hop_;                 // samples
  std::size_t size_ = 1;                     // of the FFT, a power of 2
  std::vector<float> hann_;                  // [window_]
  std::vector<std::vector<float>> weights_;  // [bands][size_/2 + 1]
  std::unique_ptr<std::remove_pointer_t<fftwf_plan>, Plan> plan_;
};

}  // namespace speech
