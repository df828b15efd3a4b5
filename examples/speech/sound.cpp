#include "examples/speech/sound.hpp"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <fstream>
#include <numbers>

#include "autograd/check.hpp"
#include "examples/app/files.hpp"

namespace speech {
namespace {

using app::bad_file;

// libsndfile reads what there is of a WAV file that was cut off, and says nothing.
void check_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) bad_file(path, "a file that can be read", "none");
  const auto size = static_cast<std::uint64_t>(file.tellg());
  unsigned char head[8] = {};
  file.seekg(0);
  file.read(reinterpret_cast<char*>(head), sizeof head);
  if (!file) bad_file(path, "a sound file", "a folder or fewer than 8 bytes");
  if (!std::equal(head, head + 4, "RIFF")) return;
  const std::uint64_t told =
      8 + (head[4] | std::uint64_t(head[5]) << 8 | std::uint64_t(head[6]) << 16 | std::uint64_t(head[7]) << 24);
  if (told > size) bad_file(path, std::to_string(told) + " bytes as its header tells", std::to_string(size));
}

double mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }

void normalise(rw::Tensor<float>& rows) {
  constexpr std::size_t bands = LogMel::bands;
  const std::size_t steps = rows.shape()[0];
  for (std::size_t k = 0; k < bands; ++k) {
    double mean = 0;
    for (std::size_t t = 0; t < steps; ++t) mean += rows.data()[t * bands + k] / static_cast<double>(steps);
    for (std::size_t t = 0; t < steps; ++t) rows.data()[t * bands + k] -= static_cast<float>(0.5 * mean);
  }
  const auto count = static_cast<double>(rows.size());
  double sum = 0, squares = 0;
  for (const float x : rows) sum += x, squares += static_cast<double>(x) * x;
  const double mean = sum / count, scale = 1 / std::sqrt(std::max(squares / count - mean * mean, 0.0) + 1e-4);
  for (float& x : rows) x = static_cast<float>((x - mean) * scale);
}

}  // namespace

Sound read_sound(const std::string& path) {
  check_whole(path);
  SF_INFO info = {};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_READ, &info), sf_close);
  if (!file) bad_file(path, "a sound file", sf_strerror(nullptr));
  if (info.samplerate < 8000 || info.samplerate > 384000) {
    bad_file(path, "8000 to 384000 samples a second", std::to_string(info.samplerate));
  }
  if (info.frames < 1 || info.channels < 1 || info.frames > (1 << 26) / info.channels) {
    bad_file(path, "at least one sample and at most 2^26", std::to_string(info.frames));
  }
  const auto channels = static_cast<std::size_t>(info.channels), frames = static_cast<std::size_t>(info.frames);
  std::vector<float> all(frames * channels);
  if (sf_readf_float(file.get(), all.data(), info.frames) != info.frames) {
    bad_file(path, std::to_string(frames) + " samples as its header tells", "fewer");
  }
  Sound sound{std::vector<float>(frames, 0), static_cast<std::size_t>(info.samplerate)};
  for (std::size_t n = 0; n < frames; ++n) {
    for (std::size_t c = 0; c < channels; ++c) sound.samples[n] += all[n * channels + c] / static_cast<float>(channels);
    if (!std::isfinite(sound.samples[n]))
      bad_file(path, "finite samples", "sample " + std::to_string(n) + " that is not");
  }
  return sound;
}

Sound faster(const Sound& sound, double factor) {
  const auto& s = sound.samples;
  Sound result{std::vector<float>(static_cast<std::size_t>(static_cast<double>(s.size() - 1) / factor) + 1),
               sound.rate};
  for (std::size_t n = 0; n < result.samples.size(); ++n) {
    const double at = static_cast<double>(n) * factor;
    const std::size_t before = std::min(static_cast<std::size_t>(at), s.size() - 1);
    const std::size_t after = std::min(before + 1, s.size() - 1);
    result.samples[n] = std::lerp(s[before], s[after], static_cast<float>(at - static_cast<double>(before)));
  }
  return result;
}

LogMel::LogMel(std::size_t rate) : window_(rate / 40), hop_(rate / 100), hann_(window_) {
  constexpr double low = 60, high = 4000, pi = std::numbers::pi;
  if (rate < 8000) rw::fail("log_mel", "at least 8000 samples a second", rate);
  while (size_ < window_) size_ *= 2;
  for (std::size_t n = 0; n < window_; ++n) {
    hann_[n] = static_cast<float>(0.5 - 0.5 * std::cos(2 * pi * static_cast<double>(n) / static_cast<double>(window_)));
  }
  const double width = (mel(high) - mel(low)) / (bands + 1);
  for (std::size_t k = 0; k < bands; ++k) {
    const double centre = mel(low) + width * static_cast<double>(k + 1);
    std::vector<float>& weights = weights_.emplace_back(size_ / 2 + 1);
    for (std::size_t f = 0; f < weights.size(); ++f) {
      const double at = mel(static_cast<double>(f * rate) / static_cast<double>(size_));
      weights[f] = static_cast<float>(std::max(0.0, 1 - std::abs(at - centre) / width));
    }
  }
  // One plan for all threads: executing it on other arrays is safe, making it is not.
  std::vector<float> in(size_);
  std::vector<std::complex<float>> out(size_ / 2 + 1);
  plan_.reset(fftwf_plan_dft_r2c_1d(static_cast<int>(size_), in.data(), reinterpret_cast<fftwf_complex*>(out.data()),
                                    FFTW_ESTIMATE | FFTW_UNALIGNED));
}

rw::Tensor<float> LogMel::operator()(const std::vector<float>& samples) const {
  const std::size_t steps = samples.size() < window_ ? 1 : (samples.size() - window_) / hop_ + 1;
  rw::Tensor<float> rows = rw::empty<float>({steps, bands});
  std::vector<float> in(size_, 0);
  std::vector<std::complex<float>> out(size_ / 2 + 1);
  float loudest = 0;
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t n = 0; n < window_; ++n) {
      const std::size_t at = t * hop_ + n;
      const float now = at < samples.size() ? samples[at] : 0,
                  before = at > 0 && at <= samples.size() ? samples[at - 1] : 0;
      in[n] = hann_[n] * (now - 0.97f * before);
    }
    fftwf_execute_dft_r2c(plan_.get(), in.data(), reinterpret_cast<fftwf_complex*>(out.data()));
    for (std::size_t k = 0; k < bands; ++k) {
      float energy = 0;
      for (std::size_t f = 0; f < out.size(); ++f) energy += weights_[k][f] * std::norm(out[f]);
      rows.data()[t * bands + k] = energy;
      loudest = std::max(loudest, energy);
    }
  }
  const float floor = 1e-4f * loudest + std::numeric_limits<float>::min();
  for (float& energy : rows) energy = std::log(energy + floor);
  normalise(rows);
  return rows;
}

}  // namespace speech
