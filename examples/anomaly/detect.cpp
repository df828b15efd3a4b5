#include "examples/anomaly/detect.hpp"

#include <algorithm>
#include <cmath>

namespace anomaly {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

Scores scores(double precision, double recall) {
  return {precision, recall, ratio(2 * precision * recall, precision + recall)};
}

/// How many stretches of `some` meet one of `others`.
double meeting(const std::vector<Stretch>& some, const std::vector<Stretch>& others) {
  const auto meets = [&](const Stretch& a) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Stretch& b) { return a.begin < b.end && b.begin < a.end; });
  };
  return static_cast<double>(std::count_if(some.begin(), some.end(), meets));
}

}  // namespace

Values normalised_errors(const series::Forecasts& forecasts, const Values& values) {
  Values errors(values.size(), 0);
  for (std::size_t t = 1; t < values.size(); ++t) {
    const std::size_t i = (t - 1) * forecasts.horizon;
    errors[t] = std::abs(values[t] - forecasts.mean[i]) / forecasts.deviation[i];
  }
  return errors;
}

Values rolling_errors(const Values& values, std::size_t window, double least) {
  Values errors(values.size(), 0);
  for (std::size_t t = window; t < values.size(); ++t) {
    const series::Scale before = series::moments(std::span(values).subspan(t - window, window));
    errors[t] = std::abs(values[t] - before.mean) / std::max(before.deviation, least);
  }
  return errors;
}

Values smoothed(const Values& errors, std::size_t rows) {
  Values all(errors.size());
  for (std::size_t t = 0; t < errors.size(); ++t) {
    double sum = 0;
    for (std::size_t back = 0; back < rows && back <= t; ++back) sum += errors[t - back] * errors[t - back];
    all[t] = std::sqrt(sum / static_cast<double>(rows));
  }
  return all;
}

std::vector<Stretch> stretches(const Rows& rows, std::size_t begin, std::size_t end, std::size_t gap) {
  std::vector<Stretch> all;
  for (std::size_t t = begin; t < end; ++t) {
    if (!rows[t]) continue;
    if (all.empty() || t - all.back().end >= gap) all.push_back({t, t});
    all.back().end = t + 1;
  }
  return all;
}

Scores by_row(const Rows& flagged, const Rows& labels, std::size_t begin, std::size_t end) {
  double right = 0, of_flagged = 0, of_labelled = 0;
  for (std::size_t t = begin; t < end; ++t) {
    right += flagged[t] && labels[t];
    of_flagged += flagged[t];
    of_labelled += labels[t];
  }
  return scores(ratio(right, of_flagged), ratio(right, of_labelled));
}

Scores by_event(const std::vector<Stretch>& flagged, const std::vector<Stretch>& events) {
  return scores(ratio(meeting(flagged, events), static_cast<double>(flagged.size())),
                ratio(meeting(events, flagged), static_cast<double>(events.size())));
}

}  // namespace anomaly
