#pragma once

#include <string>
#include <vector>

namespace anomaly {

/// Labels of rows from a file of windows as the Numenta Anomaly Benchmark has them (Lavin & Ahmad 2015): an object of
/// JSON with a list of [first, last] times for every file, of which the one that `csv` ends with is taken. `times` are
/// those of the rows, written so that their order is that of the letters, as 2014-11-01 19:00:00 is.
/// Throws std::runtime_error where the file cannot be read, is of another form, or does not name `csv`, or where no row
/// lies in its windows.
std::vector<bool> labels_of_windows(const std::string& path, const std::string& csv,
                                    const std::vector<std::string>& times);

}  // namespace anomaly
