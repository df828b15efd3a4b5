#include "examples/app/log.hpp"

#include <stdexcept>

namespace app {

Log::Log(const std::string& path, bool append) : path_(path) {
  if (path.empty()) return;
  file_.open(path, append ? std::ios::app : std::ios::trunc);
  if (!file_) throw std::runtime_error("log: expected a file that can be written; got " + path);
}

void Log::write(const nlohmann::ordered_json& line) {
  if (path_.empty()) return;
  file_ << line.dump() << std::endl;
  if (!file_) throw std::runtime_error("log: expected room for a line; got an error of " + path_);
}

nlohmann::ordered_json with_skipped(nlohmann::ordered_json line, std::uint64_t skipped) {
  if (skipped > 0) line["skipped"] = skipped;
  return line;
}

std::string skipped_text(std::uint64_t skipped) {
  return skipped > 0 ? "  (steps skipped: " + std::to_string(skipped) + ")" : "";
}

}  // namespace app
