#include "examples/app/picture.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace app {

void add_picture(CLI::App& flags, std::string& path, const std::string& what) {
  const auto problem = [](const std::string& name) {
    const std::filesystem::path file(name), folder = file.parent_path();
    if (name.empty()) return std::string();
    if (file.extension() != ".png" && file.extension() != ".svg") return name + " does not end in .png or .svg";
    std::error_code ignored;
    const bool there = folder.empty() || std::filesystem::is_directory(folder, ignored);
    return there ? std::string() : "no folder " + folder.string();
  };
  flags.add_option("--picture", path, what + ", a file .png or .svg; '' for none")
      ->check(CLI::Validator(problem, "FILE"))
      ->capture_default_str();
}

void draw(const Common& common, const std::string& path, const std::vector<plot::Panel>& panels) {
  if (path.empty()) return;
  std::string why = "no picture, because gnuplot is not installed";
  try {
    if (plot::draw(path, panels)) return say(common, "picture: %s\n", path.c_str());
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why.c_str());
}

}  // namespace app
