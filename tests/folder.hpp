#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

/// An empty folder while in scope.
struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / ("rewind_test_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()));
  }

  std::filesystem::path path;
};
