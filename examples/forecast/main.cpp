// Forecasts a column of a CSV file by a GRU with prediction intervals, beside the last value, the value a season ago
// and an echo state network.
//
//     forecast                                               a generated series with season, drift and noise: 2 s
//     forecast --csv prices.csv --column close               the next value of a column of your own
//     forecast --csv load.csv --season 24,168 --horizon 24   a day of hours ahead, with the seasons day and week
//     REWIND_DATA=DIR forecast                               DIR/ts-classic: Melbourne's daily minima: 2 s
//
// The first 70 % of the rows are learnt from, the next 10 % choose weights and the width of the intervals, the last
// 20 % are tested on. On the generated series the GRU comes to a MASE of about 0.60, on Melbourne's minima to a MAE
// of about 1.69 degrees (the last value: 1.95, a season ago: 2.97).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "autograd/blas.hpp"
#include "examples/app/picture.hpp"
#include "examples/forecast/methods.hpp"
#include "examples/series/flags.hpp"

namespace {

using namespace forecast;

struct ForecastFlags : series::Flags {
  std::size_t horizon = 1;
  double level = 0.9;
};

/// A season of 48 rows whose size comes and goes, a drift, and noise that lasts.
series::Series generated(std::size_t rows, std::uint64_t seed) {
  rw::Random random(seed);
  series::Series all{.name = "generated, season 48, drift and noise", .values = {}};
  double noise = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto t = static_cast<double>(i), turn = 6.283185307179586 * t / 48;
    noise = 0.6 * noise + 0.5 * random.normal();
    all.values.push_back(20 + 0.002 * t + (4 + std::sin(turn / 9)) * std::sin(turn) + 2 * std::sin(2 * turn + 1) +
                         noise);
  }
  return all;
}

struct Method {
  std::string name;
  Forecasts forecasts;
  Values widths;
  Scores scores;
};

/// The last rows of the series and the GRU's forecasts of them, `horizon` rows before, and those beyond the end.
plot::Panel picture(const ForecastFlags& flags, const Values& values, const Method& method) {
  const Forecasts& f = method.forecasts;
  const std::size_t n = values.size(), horizon = f.horizon, shown = std::min<std::size_t>(n - horizon, 200);
  plot::Curve truth{"series", {}, {}}, mean{"GRU", {}, {}};
  char name[32];
  std::snprintf(name, sizeof name, "%g %% interval", 100 * flags.level);
  plot::Curve band{name, {}, {}, {}};
  for (std::size_t row = n - shown; row < n + horizon; ++row) {
    const std::size_t i = (row - horizon + 1) * horizon - 1;
    const double half = method.widths.back() * f.deviation[i], x = static_cast<double>(row);
    if (row < n) truth.x.push_back(x), truth.y.push_back(values[row]);
    mean.x.push_back(x), mean.y.push_back(f.mean[i]);
    band.x.push_back(x), band.y.push_back(f.mean[i] - half), band.upper.push_back(f.mean[i] + half);
  }
  const std::string ahead = std::to_string(horizon) + (horizon == 1 ? " row" : " rows") + " ahead";
  return {{.title = "Forecasts " + ahead, .x = "row", .y = "value"}, {band, truth, mean}};
}

int body(const CLI::App& app, ForecastFlags& flags) {
  rw::set_gemm_threads(1);
  series::use_known(flags, {"ts-classic/daily-min-temperatures.csv", "Temp", {365}});
  if (flags.source.csv.empty() && flags.seasons.empty()) flags.seasons = {48};
  if (flags.common.smoke) {
    app::smaller(app, "--hidden", flags.hidden, 16);
    app::smaller(app, "--epochs", flags.training.epochs, 30);
  }
  const series::Series data = flags.source.csv.empty() ? generated(flags.common.smoke ? 1000 : 3000, flags.common.seed)
                                                       : series::read(flags.source);
  const Values& values = data.values;
  const std::size_t season = flags.seasons.empty() ? 1 : flags.seasons[0];
  const Parts parts = series::cut(values.size(), 0.7, 0.1, std::max<std::size_t>(20, 2 * flags.horizon));
  if (season >= parts.train) {
    throw std::runtime_error("forecast: expected more rows to learn from than a season has; got " +
                             std::to_string(parts.train));
  }
  app::Log log(flags.common.log);
  series::Predictor gru = series::prepare(flags, data, parts, flags.horizon, log);

  std::vector<Method> methods;
  methods.push_back({"last value", seasonal_naive(values, 1, flags.horizon), {}, {}});
  if (season > 1) methods.push_back({"a season ago", seasonal_naive(values, season, flags.horizon), {}, {}});
  methods.push_back({"echo state", echo_state(values, gru.settings, parts, flags.common.seed), {}, {}});
  methods.push_back({"GRU", gru.forecast(values), {}, {}});
  app::say(flags.common, "\n%-12s  %9s  %9s  %6s  %9s  %9s\n", "", "MAE", "RMSE", "MASE", "covered", "width");
  for (Method& m : methods) {
    m.widths = widths(m.forecasts, values, parts, flags.level);
    m.scores = score(m.forecasts, values, parts, season, m.widths);
    const Scores& s = m.scores;
    app::say(flags.common, "%-12s  %9.4g  %9.4g  %6.3f  %7.1f %%  %9.4g\n", m.name.c_str(), s.mae, s.rmse, s.mase,
             100 * s.coverage, s.width);
    log.write({{"method", m.name},
               {"mae", s.mae},
               {"rmse", s.rmse},
               {"mase", s.mase},
               {"coverage", s.coverage},
               {"width", s.width}});
  }
  const Method& own = methods.back();
  app::draw(flags.common, flags.picture, {picture(flags, values, own)});
  const std::size_t next = (values.size() - 1) * flags.horizon;
  for (std::size_t h = 0; h < flags.horizon; ++h) {
    const double mean = own.forecasts.mean[next + h], half = own.widths[h] * own.forecasts.deviation[next + h];
    app::say(flags.common, "row %zu: %.5g, between %.5g and %.5g\n", values.size() + h, mean, mean - half, mean + half);
    log.write({{"row", values.size() + h}, {"mean", mean}, {"low", mean - half}, {"high", mean + half}});
  }
  std::printf("GRU: MAE %.4g, RMSE %.4g, MASE %.3f; %.1f %% of the values in their %g %% intervals\n", own.scores.mae,
              own.scores.rmse, own.scores.mase, 100 * own.scores.coverage, 100 * flags.level);
  return app::interrupted() ? app::stopped : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Forecasts a series by a GRU with prediction intervals, beside simple methods: a table and a picture.\n"
      "  forecast --csv prices.csv --column close\n"
      "  forecast --csv load.csv --season 24,168 --horizon 24\n"
      "  REWIND_DATA=DIR forecast        DIR/ts-classic/daily-min-temperatures.csv, season 365"};
  app.name("forecast");
  ForecastFlags flags;
  app::add_count(app, "--horizon", flags.horizon, "rows ahead, all of them forecast", 1000);
  app::add_number(app, "--level", flags.level, "share of the values that the intervals are to hold", 0.01, 0.999);
  series::add_flags(app, flags, "forecast.svg", "1000 generated rows, 16 units, 30 epochs, to see that it runs");
  return app::run(app, argc, argv, [&] { return body(app, flags); });
}
