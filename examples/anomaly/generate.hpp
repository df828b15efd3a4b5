#pragma once

#include "examples/anomaly/detect.hpp"

namespace anomaly {

struct Generated {
  series::Series series;
  std::vector<Stretch> events;     // from the row on that was asked for
  std::vector<const char*> kinds;  // of each: spike, stuck or rhythm
};

/// A season of 48 rows and noise that lasts, and from row `from` on an event every 120 rows or so, in turn of the
/// kinds:
///     spike    one row is 5 higher or lower, where the season goes ±4.5 and the noise has a deviation of 0.4
///     stuck    20 rows all have the value of the one before
///     rhythm   48 rows in which the season runs backwards
Generated generate(std::size_t rows, std::size_t from, std::uint64_t seed);

}  // namespace anomaly
