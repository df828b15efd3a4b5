#pragma once

#include "examples/series/predictor.hpp"

// What a network that forecasts has to beat, and how that is told. Values are in the units of the series.

namespace forecast {

using series::Forecasts, series::Parts, series::Values;

/// The value of the last row with the same place in the season, which is a season or more before the row forecast; the
/// last value of all for a season of 1. From row season − 1 on; before, the value of row 0.
Forecasts seasonal_naive(const Values& values, std::size_t season, std::size_t horizon);

/// An echo state network of 200 units that reads what the GRU reads, its read-out fitted by ridge regression to the
/// rows to learn from. Of nine pairs of leak and λ the one that does best on the rows to choose by.
Forecasts echo_state(const Values& values, const series::Settings& settings, const Parts& parts, std::uint64_t seed);

/// How far to both sides of a mean an interval reaches, in deviations, for each of 1, ..., horizon rows ahead: the
/// quantile of |y − μ|/σ on the rows to choose by (split conformal prediction: Lei et al. 2018, JASA 113).
Values widths(const Forecasts& forecasts, const Values& values, const Parts& parts, double level);

/// Over all forecasts of rows to test on, each of them 1 to horizon rows ahead.
struct Scores {
  double mae, rmse;
  double mase;      // MAE over the mean |y_t − y_{t−season}| in the rows to learn from (Hyndman & Koehler 2006)
  double coverage;  // share of the values within their intervals
  double width;     // mean of the intervals
};
Scores score(const Forecasts& forecasts, const Values& values, const Parts& parts, std::size_t season,
             const Values& widths);

}  // namespace forecast
