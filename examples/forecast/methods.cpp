#include "examples/forecast/methods.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/echo_state.hpp"

namespace forecast {
namespace {

/// visit(forecast, value, step) for all forecasts of rows [begin, end) that are made 1, ..., horizon rows before, from
/// row begin − 1 on.
template <class Visit>
void for_each(const Forecasts& forecasts, std::size_t begin, std::size_t end, const Visit& visit) {
  for (std::size_t t = begin - 1; t + forecasts.horizon < end; ++t) {
    for (std::size_t h = 0; h < forecasts.horizon; ++h) visit(t * forecasts.horizon + h, t + 1 + h, h);
  }
}

}  // namespace

Forecasts seasonal_naive(const Values& values, std::size_t season, std::size_t horizon) {
  Forecasts all{horizon, {}, Values(values.size() * horizon, 1)};
  for (std::size_t t = 0; t < values.size(); ++t) {
    for (std::size_t h = 1; h <= horizon; ++h) {
      const std::size_t back = (h + season - 1) / season * season;
      all.mean.push_back(values[t + h < back ? 0 : t + h - back]);
    }
  }
  return all;
}

Forecasts echo_state(const Values& values, const series::Settings& settings, const Parts& parts, std::uint64_t seed) {
  using namespace rw;
  const std::size_t horizon = settings.horizon;
  const Variable<double> xs = series::inputs<double>(values, settings.scale, settings.seasons);
  const Variable<double> ys = series::targets<double>(values, settings.scale, horizon);
  const auto steps = static_cast<std::ptrdiff_t>(parts.train - horizon);
  Forecasts best{horizon, {}, Values(values.size() * horizon, 1)}, tried = best;
  double least = std::numeric_limits<double>::infinity();
  for (const double leak : {0.2, 0.5, 1.0}) {
    for (const double lambda : {0.01, 1.0, 100.0}) {
      Random random(seed);
      nn::EchoState<double> network(
          {.output = horizon, .reservoir = {.input = xs.shape()[2], .hidden = 200, .leak = leak, .input_scale = 0.5}},
          random);
      network.fit(slice(xs, 0, 0, steps), slice(ys, 0, 0, steps),
                  {.washout = std::min<std::size_t>(100, parts.train / 4), .lambda = lambda});
      const auto outputs = nn::unroll(network, xs).outputs;
      tried.mean.clear();
      for (const double z : outputs.value()) tried.mean.push_back(settings.scale.out(z));
      double error = 0;
      for_each(tried, parts.train, parts.valid,
               [&](std::size_t i, std::size_t row, std::size_t) { error += std::pow(tried.mean[i] - values[row], 2); });
      if (error < least) least = error, best = tried;
    }
  }
  return best;
}

Values widths(const Forecasts& forecasts, const Values& values, const Parts& parts, double level) {
  std::vector<Values> errors(forecasts.horizon);
  for_each(forecasts, parts.train, parts.valid, [&](std::size_t i, std::size_t row, std::size_t h) {
    errors[h].push_back(std::abs(values[row] - forecasts.mean[i]) / forecasts.deviation[i]);
  });
  Values all;
  for (const Values& of_step : errors) all.push_back(series::quantile(of_step, level));
  return all;
}

Scores score(const Forecasts& forecasts, const Values& values, const Parts& parts, std::size_t season,
             const Values& widths) {
  Scores sum{};
  double n = 0, naive = 0;
  for_each(forecasts, parts.valid, parts.all, [&](std::size_t i, std::size_t row, std::size_t h) {
    const double error = std::abs(values[row] - forecasts.mean[i]), half = widths[h] * forecasts.deviation[i];
    sum.mae += error;
    sum.rmse += error * error;
    sum.coverage += error <= half;
    sum.width += 2 * half;
    ++n;
  });
  for (std::size_t t = season; t < parts.train; ++t) naive += std::abs(values[t] - values[t - season]);
  naive /= static_cast<double>(parts.train - season);
  const double mae = sum.mae / n;
  return {mae, std::sqrt(sum.rmse / n), mae / naive, sum.coverage / n, sum.width / n};
}

}  // namespace forecast
