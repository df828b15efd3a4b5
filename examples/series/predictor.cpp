#include "examples/series/predictor.hpp"

#include <algorithm>
#include <cmath>

#include "examples/app/files.hpp"
#include "nn/loss.hpp"
#include "nn/unroll.hpp"

namespace series {

using rw::Variable;

constexpr const char* format_name = "rewind-series-1";

Predictor::Predictor(const Settings& s, rw::Random& random)
    : settings(s),
      cell({.input = 1 + 4 * s.seasons.size(), .hidden = s.hidden}, random),
      readout({.input = 1 + 4 * s.seasons.size() + s.hidden, .output = 2 * s.horizon}, random) {
  readout.weight.update([&](rw::Tensor<float>& v) {  // begins as: what comes is the last value, give or take one
    std::fill_n(v.data(), v.size(), 0.0F);
    std::fill_n(v.data(), s.horizon, 1.0F);
  });
}

Variable<float> Predictor::operator()(const Variable<float>& xs) const {
  const auto y = readout(rw::concatenate({xs, rw::nn::unroll(cell, xs).outputs}, -1));
  const auto [mean, log_deviation] = rw::split<2>(y);
  return rw::concatenate({mean, clip(log_deviation, -4, 4)}, -1);
}

Forecasts Predictor::forecast(const Values& values) const {
  const auto y = (*this)(inputs<float>(values, settings.scale, settings.seasons));
  const std::size_t horizon = settings.horizon;
  Forecasts all{horizon, Values(values.size() * horizon), Values(values.size() * horizon)};
  for (std::size_t i = 0; i < all.mean.size(); ++i) {
    const float* row = y.value().data() + i / horizon * 2 * horizon;
    all.mean[i] = settings.scale.out(row[i % horizon]);
    all.deviation[i] = settings.scale.deviation * std::exp(double(row[horizon + i % horizon]));
  }
  return all;
}

rw::nn::Parameters<float> Predictor::parameters() {
  rw::nn::Parameters<float> all;
  all.add("cell", cell.parameters());
  all.add("readout", readout.parameters());
  return all;
}

Variable<float> surprise(const Variable<float>& outputs, const Variable<float>& targets) {
  const auto [mean, log_deviation] = rw::split<2>(outputs);
  rw::check_same_shape("surprise", mean.shape(), targets.shape());
  return rw::mean(rw::fuse([](auto m, auto s, auto y) { return s + 0.5 * square((y - m) * exp(-s)); }, mean,
                           log_deviation, targets));
}

void save(const std::string& path, Predictor& predictor) {
  const Settings& s = predictor.settings;
  const nlohmann::json config{{"hidden", s.hidden},
                              {"horizon", s.horizon},
                              {"seasons", s.seasons},
                              {"mean", s.scale.mean},
                              {"deviation", s.scale.deviation}};
  rw::nn::save(path, predictor.parameters(), {{"format", format_name}, {"settings", config.dump()}});
}

Predictor load(const std::string& path) {
  const rw::nn::Safetensors file = app::read_model(path, format_name, "--model");
  Settings s;
  try {
    const auto config = nlohmann::json::parse(file.metadata.at("settings"));
    s = {.hidden = config.at("hidden"),
         .horizon = config.at("horizon"),
         .seasons = config.at("seasons"),
         .scale = {config.at("mean"), config.at("deviation")}};
  } catch (const std::exception&) {
    app::bad_file(path, "settings of a model", "others");
  }
  // Before memory is taken for what the settings claim.
  const std::size_t input = 1 + 4 * s.seasons.size(), gates = 3 * s.hidden;
  const auto& readout = file.get<float>("readout.weight");
  if (file.get<float>("cell.weight_ih").shape() != rw::Shape{input, gates} ||
      file.get<float>("cell.weight_hh").shape() != rw::Shape{s.hidden, gates} ||
      readout.shape() != rw::Shape{input + s.hidden, 2 * s.horizon} || s.horizon > readout.size()) {
    app::bad_file(path, "weights of its settings", "other shapes");
  }
  if (std::count(s.seasons.begin(), s.seasons.end(), 0U) > 0) {
    app::bad_file(path, "seasons of at least one row", "0");
  }
  rw::Random random;
  Predictor predictor(s, random);
  rw::nn::unpack(file, predictor.parameters(), path);
  return predictor;
}

}  // namespace series
