#include "examples/series/flags.hpp"

#include <stdexcept>

#include "examples/app/files.hpp"
#include "examples/app/picture.hpp"

namespace series {
namespace {

std::string told(std::size_t horizon, const std::vector<std::size_t>& seasons) {
  std::string text;
  for (const std::size_t season : seasons) text += (text.empty() ? "seasons " : ",") + std::to_string(season);
  return "horizon " + std::to_string(horizon) + ", " + (text.empty() ? "no seasons" : text);
}

}  // namespace

void add_flags(CLI::App& app, Flags& flags, const std::string& picture, const std::string& smoke) {
  flags.picture = picture;
  constexpr std::size_t most = 1000000;
  auto* csv = app.add_option("--csv", flags.source.csv, "file of comma-separated values, here or in $REWIND_DATA");
  app.add_option("--column", flags.source.column, "its name or its number from 1 on; the last one if not given")
      ->needs(csv);
  app.add_flag("--fill", flags.source.fill, "take the value before where one is empty, NA or NaN")->needs(csv);
  app.add_option("--season", flags.seasons, "rows a season, e.g. 365 or 24,168; as many as there are seasons")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(2, 1000000));
  app::add_count(app, "--hidden", flags.hidden, "units of the GRU", 4096);
  app::add_count(app, "--epochs", flags.training.epochs, "at most", most);
  app::add_count(app, "--patience", flags.training.patience, "epochs that bring nothing before it ends", most);
  app::add_count(app, "--window", flags.training.window, "rows the network reads in one go", most);
  app::add_count(app, "--batch", flags.training.batch, "such windows learnt from at once", most);
  app::add_number(app, "--learning-rate", flags.training.rate, "of Adam, at first", 0, 10);
  app.add_option("--model", flags.model, "file for the trained model");
  app.add_option("--load", flags.load, "model file to use instead of training")->excludes("--model");
  app::add_picture(app, flags.picture, "picture");
  app::add_common(app, flags.common, smoke);
}

bool use_known(Flags& flags, const KnownSeries& known) {
  if (!flags.source.csv.empty() || flags.common.smoke || app::data_folder().empty()) return false;
  flags.source.csv = app::data_folder() + "/" + known.csv;
  flags.source.column = known.column;
  if (flags.seasons.empty()) flags.seasons = known.seasons;
  return true;
}

Predictor prepare(const Flags& flags, const Series& data, const Parts& parts, std::size_t horizon, app::Log& log) {
  if (!flags.model.empty()) app::check_writable(flags.model, "the model");
  app::say(flags.common, "series  %s: %zu rows\n", data.name.c_str(), parts.all);
  app::say(flags.common, "parts   %zu rows to learn from, %zu to choose by, %zu to test on\n", parts.train,
           parts.valid - parts.train, parts.all - parts.valid);
  const bool loaded = !flags.load.empty();
  rw::Random random(flags.common.seed);
  Predictor predictor = loaded ? load(flags.load)
                               : Predictor({.hidden = flags.hidden,
                                            .horizon = horizon,
                                            .seasons = flags.seasons,
                                            .scale = fit_scale(data.values, parts.train)},
                                           random);
  const Settings& s = predictor.settings;
  if (s.horizon != horizon || s.seasons != flags.seasons) {
    throw std::runtime_error("series: expected " + told(s.horizon, s.seasons) + ", which " + flags.load +
                             " was trained for; got " + told(horizon, flags.seasons));
  }
  app::say(flags.common, "model   GRU of %zu units, %zu parameters%s\n", s.hidden, predictor.parameters().elements(),
           loaded ? (", from " + flags.load).c_str() : "");
  if (!loaded) {
    train(predictor, data.values, parts, flags.training, flags.common, log);
    if (!flags.model.empty()) save(flags.model, predictor);
  }
  return predictor;
}

}  // namespace series
