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

}  // namespace app
