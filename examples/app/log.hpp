#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace app {

/// The curve of a run, an object of JSON a line; numbers come back bit by bit.
class Log {
 public:
  /// Without a path nothing is written. `append` goes on with a file that is there, as a resumed run does.
  /// Throws std::runtime_error where the file cannot be written.
  explicit Log(const std::string& path, bool append = false);

  /// Writes one line at once, e.g. {{"epoch", 3}, {"loss", 0.25}}. Throws std::runtime_error where it cannot.
  void write(const nlohmann::ordered_json& line);

 private:
  std::string path_;
  std::ofstream file_;
};

/// The line of an epoch with what optim::FiniteSteps counted so far, where that is anything.
nlohmann::ordered_json with_skipped(nlohmann::ordered_json line, std::uint64_t skipped);

/// The same at the end of a line that is printed: "  (steps skipped: 3)".
std::string skipped_text(std::uint64_t skipped);

}  // namespace app
