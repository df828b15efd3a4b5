#include "examples/series/series.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "examples/app/csv.hpp"
#include "examples/app/files.hpp"

namespace series {

Series read(const Source& source) {
  const std::string path = app::find_data(source.csv);
  app::CsvReader csv(path);
  const std::size_t column = csv.column(source.column);
  const std::size_t labels = source.labels.empty() ? 0 : csv.column(source.labels);
  Series data{.name = std::filesystem::path(path).filename().string() + ", column " + app::shown(csv.names()[column]),
              .values = {}};
  std::size_t missing_first = 0;
  while (csv.next()) {
    const bool missing = source.fill && csv.missing(column);
    if (missing && data.values.empty()) {
      ++missing_first;
    } else {
      data.values.push_back(missing ? data.values.back() : csv.number(column));
    }
    if (column != 0) data.times.push_back(csv.text(0));
    if (source.labels.empty()) continue;
    const double label = csv.number(labels);
    if (label != 0 && label != 1) {
      throw std::runtime_error("series: expected labels 0 and 1 in column " + app::shown(csv.names()[labels]) + " of " +
                               path + "; got " + app::shown(csv.text(labels)));
    }
    data.labels.push_back(label == 1);
  }
  if (data.values.empty()) throw std::runtime_error("series: expected values in " + path + "; got none");
  data.values.insert(data.values.begin(), missing_first, double(data.values.front()));
  return data;
}

Parts cut(std::size_t rows, double train, double valid, std::size_t least) {
  const auto n = static_cast<double>(rows);
  const auto end = [&](double share) { return static_cast<std::size_t>(std::lround(std::min(share, 1.0) * n)); };
  const Parts parts{end(train), end(train + valid), rows};
  if (std::min({parts.train, parts.valid - parts.train, parts.all - parts.valid}) < least) {
    throw std::runtime_error("series: expected parts of at least " + std::to_string(least) + " rows; got " +
                             std::to_string(parts.train) + " to learn from, " +
                             std::to_string(parts.valid - parts.train) + " to choose by and " +
                             std::to_string(parts.all - parts.valid) + " to test on");
  }
  return parts;
}

Scale moments(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double x : values) sum += x;
  const double mean = sum / n;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / n)};
}

Scale fit_scale(const Values& values, std::size_t rows) {
  const auto [mean, deviation] = moments(std::span(values).first(rows));
  return {mean, deviation > 1e-12 * std::abs(mean) ? deviation : 1};
}

template <class T>
rw::Tensor<T> inputs(const Values& values, const Scale& scale, const std::vector<std::size_t>& seasons) {
  rw::Tensor<T> xs = rw::empty<T>({values.size(), 1, 1 + 4 * seasons.size()});
  T* x = xs.data();
  for (std::size_t t = 0; t < values.size(); ++t) {
    *x++ = static_cast<T>(scale.in(values[t]));
    for (const std::size_t season : seasons) {
      const double turn = 6.283185307179586 * static_cast<double>((t + 1) % season) / static_cast<double>(season);
      for (const double k : {1.0, 2.0}) {
        *x++ = static_cast<T>(std::sin(k * turn));
        *x++ = static_cast<T>(std::cos(k * turn));
      }
    }
  }
  return xs;
}

template <class T>
rw::Tensor<T> targets(const Values& values, const Scale& scale, std::size_t horizon) {
  rw::Tensor<T> ys = rw::empty<T>({values.size() - horizon, 1, horizon});
  for (std::size_t i = 0; i < ys.size(); ++i) {
    ys.data()[i] = static_cast<T>(scale.in(values[i / horizon + 1 + i % horizon]));
  }
  return ys;
}

double quantile(Values values, double level) {
  if (values.empty()) rw::fail("quantile", "at least one value", values.size());
  for (const double x : values) {
    if (std::isnan(x)) rw::fail("quantile", "numbers", x);
  }
  const auto n = static_cast<double>(values.size());
  const double rank = std::clamp(std::ceil(level * (n + 1)), 1.0, n);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

template rw::Tensor<float> inputs(const Values&, const Scale&, const std::vector<std::size_t>&);
template rw::Tensor<double> inputs(const Values&, const Scale&, const std::vector<std::size_t>&);
template rw::Tensor<float> targets(const Values&, const Scale&, std::size_t);
template rw::Tensor<double> targets(const Values&, const Scale&, std::size_t);

}  // namespace series
