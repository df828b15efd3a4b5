#pragma once

#include "examples/app/log.hpp"
#include "examples/app/program.hpp"
#include "examples/series/series.hpp"
#include "nn/cells/gru.hpp"
#include "nn/linear.hpp"

namespace series {

/// What a predictor is, beside its weights.
struct Settings {
  std::size_t hidden = 32, horizon = 1;
  std::vector<std::size_t> seasons = {};
  Scale scale = {};
};

/// What comes after every row t, 1 to `horizon` rows ahead, as normal distributions: [t·horizon + h − 1].
struct Forecasts {
  std::size_t horizon;
  Values mean, deviation;
};

/// A GRU that reads a series row by row and says after each what comes:
///     h_t = GRU(x_t, h_{t−1})      [μ; s]_t = [x_t; h_t]·V + c      row t + k ~ N(μ_k, exp(s_k)²), k = 1, ..., horizon
/// in scaled values. The way past the GRU makes what is linear in the last row easy to say; at first it says μ = x, σ
/// = 1.
struct Predictor {
  Predictor(const Settings& settings, rw::Random& random);

  /// xs [T, B, I], see inputs(), -> [T, B, 2·horizon]: μ, then s within ±4.
  rw::Variable<float> operator()(const rw::Variable<float>& xs) const;

  /// Of all rows, those after the last among them, in the units of the values.
  Forecasts forecast(const Values& values) const;

  rw::nn::Parameters<float> parameters();

  Settings settings;
  rw::nn::Gru<float> cell;
  rw::nn::Linear<float> readout;
};

/// −log of the normal density of the targets y [..., n] at outputs [..., 2n], without its constant: the mean of
/// s + ½·((y − μ)/eˢ)².
rw::Variable<float> surprise(const rw::Variable<float>& outputs, const rw::Variable<float>& targets);

struct Training {
  std::size_t epochs = 60, patience = 8;  // at most, and those in a row that bring nothing
  std::size_t batch = 16, window = 96;    // windows a step, rows a window
  double rate = 1e-2;                     // halved when the surprise of the rows to choose by no longer falls
};

/// Learns from the rows to learn from, keeps the weights that do best on those to choose by, and looks at no other.
/// Tells and logs every epoch. Returns early after Ctrl-C, see app::interrupted().
void train(Predictor& predictor, const Values& values, const Parts& parts, const Training& training,
           const app::Common& common, app::Log& log);

/// A model file, and back. load() throws std::runtime_error where `path` is none.
void save(const std::string& path, Predictor& predictor);
Predictor load(const std::string& path);

}  // namespace series
