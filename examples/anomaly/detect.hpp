#pragma once

#include <vector>

#include "examples/series/predictor.hpp"

// From forecasts to flags, and how good they are. Every row has an error, a score and is flagged or not.

namespace anomaly {

using series::Values;
using Rows = std::vector<bool>;

/// |x − μ|/σ with the normal distribution that was forecast for the row; 0 for the first row.
Values normalised_errors(const series::Forecasts& forecasts, const Values& values);

/// The same without a network: μ and σ are mean and deviation of the `window` rows before, σ at least `least`. 0 for
/// the first `window` rows.
Values rolling_errors(const Values& values, std::size_t window, double least);

/// √(mean of e²) over the last `rows` errors: if they are standard normal, rows·score² is χ² of as many degrees.
Values smoothed(const Values& errors, std::size_t rows);

/// Rows in a row: [begin, end).
struct Stretch {
  std::size_t begin, end;
};

/// The stretches of set rows in [begin, end); those with fewer than `gap` rows between them are one.
std::vector<Stretch> stretches(const Rows& rows, std::size_t begin, std::size_t end, std::size_t gap = 1);

struct Scores {
  double precision = 0, recall = 0, f1 = 0;
};

/// Row by row: precision is the share of flagged rows that are labelled, recall that of labelled rows flagged.
Scores by_row(const Rows& flagged, const Rows& labels, std::size_t begin, std::size_t end);

/// A stretch of labelled rows is an event. Precision is the share of flagged stretches that meet an event, recall the
/// share of events that a flagged row lies in.
Scores by_event(const std::vector<Stretch>& flagged, const std::vector<Stretch>& events);

}  // namespace anomaly
