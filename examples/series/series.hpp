#pragma once

#include <span>
#include <string>
#include <vector>

#include "autograd/tensor.hpp"

// What forecasts and anomalies have in common: a series of numbers at even intervals of time, N rows.

namespace series {

using Values = std::vector<double>;

struct Series {
  std::string name;  // where it comes from
  Values values;
  std::vector<std::string> times = {};  // what the first column says, where that is another
  std::vector<bool> labels = {};        // whether a row is an anomaly; empty where nobody knows
};

struct Source {
  std::string csv, column,
      labels;         // the column by name or number, the last where empty; that of labels 0 or 1, or none
  bool fill = false;  // a missing value is that of the row before, or of the next where there is none
};

/// Throws std::runtime_error where the file or a field of the columns is wrong, see app::CsvReader.
Series read(const Source& source);

/// Ends of the parts, in time order: rows [0, train), [train, valid) and [valid, all) to learn from, to choose by and
/// to test on.
struct Parts {
  std::size_t train, valid, all;
};

/// Throws std::runtime_error where a part has fewer than `least` rows.
Parts cut(std::size_t rows, double train, double valid, std::size_t least);

/// What makes a training part one of mean 0 and deviation 1.
struct Scale {
  double mean = 0, deviation = 1;

  double in(double x) const { return (x - mean) / deviation; }
  double out(double z) const { return mean + deviation * z; }
};

/// Mean and deviation as they are, 0 for values that are all the same.
Scale moments(std::span<const double> values);

/// Of the first `rows` values; deviation 1 where they are all the same.
Scale fit_scale(const Values& values, std::size_t rows);

/// What a network reads in row t [N, 1, 1 + 4·seasons]: the scaled value, and for every season of P rows
/// sin 2πk(t + 1)/P and cos 2πk(t + 1)/P for k = 1 and 2: where in the season the next row is.
template <class T>
rw::Tensor<T> inputs(const Values& values, const Scale& scale, const std::vector<std::size_t>& seasons);

/// What it is to say in row t [N − horizon, 1, horizon]: the scaled values of rows t + 1, ..., t + horizon.
template <class T>
rw::Tensor<T> targets(const Values& values, const Scale& scale, std::size_t horizon);

/// The ⌈level·(n + 1)⌉-th smallest of n values, the largest at most: one more value of their kind is no larger with a
/// probability of at least `level`, where that is below n/(n + 1).
/// Throws std::invalid_argument where there is none or one is NaN.
double quantile(Values values, double level);

}  // namespace series
