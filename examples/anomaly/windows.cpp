#include "examples/anomaly/windows.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "examples/app/files.hpp"

namespace anomaly {

std::vector<bool> labels_of_windows(const std::string& path, const std::string& csv,
                                    const std::vector<std::string>& times) {
  if (times.empty()) throw std::runtime_error("windows: expected times in the first column of " + csv + "; got values");
  constexpr std::size_t seconds = 19;  // of 2014-11-01 19:00:00, whatever follows
  const std::string text = app::read_data(path);
  std::vector<bool> labels(times.size(), false);
  bool named = false;
  std::string first, last;
  try {
    const auto all = nlohmann::json::parse(text);
    for (const auto& [name, windows] : all.items()) {
      if (!("/" + csv).ends_with("/" + name)) continue;
      named = true;
      for (const auto& window : windows) {
        first = window.at(0), last = window.at(1);
        for (std::size_t t = 0; t < times.size(); ++t) {
          const std::string time = times[t].substr(0, seconds);
          if (time >= first.substr(0, seconds) && time <= last.substr(0, seconds)) labels[t] = true;
        }
      }
    }
  } catch (const nlohmann::json::exception&) {
    throw std::runtime_error("windows: expected lists of [first, last] times by file name in JSON; got " + path);
  }
  if (!named) throw std::runtime_error("windows: expected windows of " + csv + "; got none in " + path);
  if (!first.empty() && std::count(labels.begin(), labels.end(), true) == 0) {
    throw std::runtime_error("windows: expected times within those of " + path + ", such as " + app::shown(first) +
                             "; got " + app::shown(times.front()) + " to " + app::shown(times.back()));
  }
  return labels;
}

}  // namespace anomaly
