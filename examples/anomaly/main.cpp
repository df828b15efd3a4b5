// Finds anomalies in a column of a CSV file: rows that a GRU, which forecasts each from those before, did not expect.
//
//     anomaly                                       a generated series with 15 anomalies of three kinds: 1 s
//     anomaly --csv sensor.csv --column value       a column of your own; --labels COLUMN if somebody knows better
//     REWIND_DATA=DIR anomaly                       DIR/nab: New York's taxi passengers: 3 s
//
// The first 30 % of the rows are learnt from, the next 10 % choose the weights, and both the threshold; the other rows
// are judged, each by those before it. Labels serve to count alone. On the generated series the GRU comes to an F1 of
// about 1.0 by event, deviations from a rolling mean to 0.3; on the taxi passengers it finds all 5 events.

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>

#include "autograd/blas.hpp"
#include "examples/anomaly/generate.hpp"
#include "examples/anomaly/windows.hpp"
#include "examples/app/files.hpp"
#include "examples/app/picture.hpp"
#include "examples/series/flags.hpp"

namespace {

using namespace anomaly;

struct AnomalyFlags : series::Flags {
  double train = 0.3, valid = 0.1, level = 0.999, margin = 1;
  std::size_t smooth = 5;
  std::string windows, scores;
};

struct Method {
  const char* name;
  Values scores;
  double threshold = 0;
  Rows flagged = {};
  std::vector<Stretch> found = {};
};

/// Chooses the threshold on the rows before those that are judged, without the first, for which little was known.
void detect(Method& method, const series::Parts& parts, const AnomalyFlags& flags, std::size_t first) {
  const auto begin = method.scores.begin();
  const Values normal(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(parts.valid));
  method.threshold = flags.margin * series::quantile(normal, flags.level);
  for (const double score : method.scores) method.flagged.push_back(score > method.threshold);
  method.found = stretches(method.flagged, parts.valid, parts.all, flags.smooth);
}

/// The rows that are judged: values with labels and flags above, scores and threshold below.
std::vector<plot::Panel> picture(const series::Series& data, const series::Parts& parts, const Method& method,
                                 const std::vector<Stretch>& events) {
  plot::Curve values{"series", {}, {}}, flagged{"flagged", {}, {}}, scores{"score", {}, {}};
  flagged.points = true;
  double low = data.values[parts.valid], high = low;
  for (std::size_t t = parts.valid; t < parts.all; ++t) {
    const double x = static_cast<double>(t), y = data.values[t];
    values.x.push_back(x), values.y.push_back(y);
    scores.x.push_back(x), scores.y.push_back(method.scores[t]);
    if (method.flagged[t]) flagged.x.push_back(x), flagged.y.push_back(y);
    low = std::min(low, y), high = std::max(high, y);
  }
  std::vector<plot::Curve> above;
  for (const Stretch& event : events) {
    const double first = static_cast<double>(event.begin) - 0.5, last = static_cast<double>(event.end) - 0.5;
    above.push_back({above.empty() ? "labelled" : "", {first, last}, {low, low}, {high, high}});
  }
  above.push_back(values);
  if (!flagged.x.empty()) above.push_back(flagged);
  const plot::Curve threshold{"threshold", {values.x.front(), values.x.back()}, {method.threshold, method.threshold}};
  return {{{.title = "Rows judged, and flagged", .x = "", .y = "value"}, above},
          {{.title = "", .x = "row", .y = "score"}, {scores, threshold}}};
}

void write_scores(const std::string& path, const series::Series& data, const Method& method) {
  std::ostringstream file;
  file.precision(17);
  file << "row,value,score,flagged\n";
  for (std::size_t t = 0; t < data.values.size(); ++t) {
    file << t << ',' << data.values[t] << ',' << method.scores[t] << ',' << method.flagged[t] << '\n';
  }
  app::write_file(path, file.str(), "the scores");
}

/// A line for every flagged stretch of the last method.
void tell(const AnomalyFlags& flags, const series::Series& data, const Method& method) {
  for (std::size_t i = 0; i < method.found.size(); ++i) {
    const Stretch& s = method.found[i];
    const double peak = *std::max_element(method.scores.begin() + static_cast<std::ptrdiff_t>(s.begin),
                                          method.scores.begin() + static_cast<std::ptrdiff_t>(s.end));
    if (i == 20) app::say(flags.common, "and %zu more\n", method.found.size() - i);
    if (i >= 20) break;
    app::say(flags.common, "rows %6zu to %6zu  score %7.2f%s\n", s.begin, s.end - 1, peak,
             data.times.empty() ? "" : ("  " + app::shown(data.times[s.begin])).c_str());
  }
}

/// What is judged, and the injected events where it is generated.
Generated read_or_generate(const AnomalyFlags& flags) {
  if (flags.source.csv.empty()) {
    const std::size_t rows = flags.common.smoke ? 1500 : 3000;
    return generate(rows, series::cut(rows, flags.train, flags.valid, 20).valid, flags.common.seed);
  }
  Generated all{series::read(flags.source), {}, {}};
  if (!flags.windows.empty()) {
    all.series.labels = labels_of_windows(flags.windows, flags.source.csv, all.series.times);
  }
  return all;
}

/// A line of the table, and of the log, for one method; returns its scores by event.
Scores compare(const AnomalyFlags& flags, const series::Series& data, const series::Parts& parts, const Method& method,
               const std::vector<Stretch>& events, app::Log& log) {
  nlohmann::ordered_json line{
      {"method", method.name}, {"threshold", method.threshold}, {"flagged", method.found.size()}};
  app::say(flags.common, "%-13s %9.3f  %8zu", method.name, method.threshold, method.found.size());
  Scores of_events;
  if (!data.labels.empty()) {
    of_events = by_event(method.found, events);
    const Scores of_rows = by_row(method.flagged, data.labels, parts.valid, parts.all);
    for (const auto& [name, s] : {std::pair{"events", of_events}, std::pair{"rows", of_rows}}) {
      app::say(flags.common, "    %6s %9.3f  %6.3f  %5.3f", name, s.precision, s.recall, s.f1);
      line[name] = {{"precision", s.precision}, {"recall", s.recall}, {"f1", s.f1}};
    }
  }
  app::say(flags.common, "\n");
  log.write(line);
  return of_events;
}

/// Which share of each kind of injected events was found.
void tell_kinds(const AnomalyFlags& flags, const Generated& made, const Method& simple, const Method& own) {
  for (const std::string kind : {"spike", "stuck", "rhythm"}) {
    std::vector<Stretch> events;
    for (std::size_t i = 0; i < made.kinds.size(); ++i) {
      if (made.kinds[i] == kind) events.push_back(made.events[i]);
    }
    if (events.empty()) continue;
    app::say(flags.common, "%-7s found %3.0f %%, by the rolling mean %3.0f %%\n", kind.c_str(),
             100 * by_event(own.found, events).recall, 100 * by_event(simple.found, events).recall);
  }
}

int body(const CLI::App& app, AnomalyFlags& flags) {
  rw::set_gemm_threads(1);
  if (!flags.scores.empty()) app::check_writable(flags.scores, "the scores");
  if (flags.common.smoke) {
    app::smaller(app, "--hidden", flags.hidden, 16);
    app::smaller(app, "--epochs", flags.training.epochs, 25);
  }
  if (series::use_known(flags, {"nab/data/realKnownCause/nyc_taxi.csv", "value", {48, 336}})) {
    flags.windows = app::data_folder() + "/nab/labels/combined_windows.json";
  }
  if (flags.source.csv.empty() && flags.seasons.empty()) flags.seasons = {48};
  const Generated made = read_or_generate(flags);
  const series::Series& data = made.series;
  const series::Parts parts = series::cut(data.values.size(), flags.train, flags.valid, 20);
  const std::size_t window = std::min(flags.seasons.empty() ? 50 : flags.seasons[0], parts.train / 2);
  app::Log log(flags.common.log);
  const series::Predictor gru = series::prepare(flags, data, parts, 1, log);

  const double least = 0.02 * gru.settings.scale.deviation;
  Method simple{"rolling mean", smoothed(rolling_errors(data.values, window, least), flags.smooth)};
  Method own{"GRU", smoothed(normalised_errors(gru.forecast(data.values), data.values), flags.smooth)};
  const bool labelled = !data.labels.empty();
  const auto events = labelled ? stretches(data.labels, parts.valid, parts.all) : std::vector<Stretch>();
  app::say(flags.common, "\n%-13s %9s  %8s", "", "threshold", "flagged");
  for (int i = 0; i < (labelled ? 2 : 0); ++i) {
    app::say(flags.common, "    %6s %9s  %6s  %5s", "by", "precision", "recall", "F1");
  }
  app::say(flags.common, "\n");
  Scores scores;
  for (Method* method : {&simple, &own}) {
    detect(*method, parts, flags, window);
    scores = compare(flags, data, parts, *method, events, log);
  }
  tell_kinds(flags, made, simple, own);
  tell(flags, data, own);
  if (!flags.scores.empty()) write_scores(flags.scores, data, own);
  app::draw(flags.common, flags.picture, picture(data, parts, own, events));
  std::printf("GRU: %zu stretches of %zu rows flagged", own.found.size(), parts.all - parts.valid);
  if (labelled) {
    std::printf("; events %zu, precision %.3f, recall %.3f, F1 %.3f", events.size(), scores.precision, scores.recall,
                scores.f1);
  }
  std::printf("\n");
  return app::interrupted() ? app::stopped : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Finds anomalies in a series, rows that a GRU did not expect: a table and a picture.\n"
      "  anomaly --csv sensor.csv --column value\n"
      "  anomaly --csv sensor.csv --column value --labels broken --season 24\n"
      "  REWIND_DATA=DIR anomaly         DIR/nab/data/realKnownCause/nyc_taxi.csv, seasons 48 and 336"};
  app.name("anomaly");
  AnomalyFlags flags;
  auto* labels = app.add_option("--labels", flags.source.labels, "column of labels, 1 for an anomaly and 0 for none");
  auto* windows =
      app.add_option("--windows", flags.windows, "file of labelled windows as the Numenta Anomaly Benchmark has them");
  app::add_number(app, "--train", flags.train, "share of the rows to learn from, the first", 0.05, 0.9);
  app::add_number(app, "--valid", flags.valid, "share of the next, to choose by", 0.01, 0.5);
  app::add_count(app, "--smooth", flags.smooth, "rows whose errors make a score", 10000);
  app::add_number(app, "--level", flags.level, "share of the earlier scores that must lie below the threshold", 0.5, 1);
  app::add_number(app, "--margin", flags.margin, "multiply the threshold by this", 0.1, 100);
  app.add_option("--scores", flags.scores, "file for the scores: row,value,score,flagged");
  series::add_flags(app, flags, "anomaly.svg", "1500 generated rows, 16 units, 25 epochs, to see that it runs");
  labels->needs("--csv")->excludes(windows);
  windows->needs("--csv");
  return app::run(app, argc, argv, [&] { return body(app, flags); });
}
