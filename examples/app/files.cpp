#include "examples/app/files.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <system_error>

#include "autograd/replacement.hpp"

namespace app {

std::string data_folder() {
  const char* folder = std::getenv("REWIND_DATA");
  return folder == nullptr ? "" : folder;
}

std::string find_data(const std::string& path) {
  if (data_folder().empty() || std::filesystem::exists(path)) return path;
  const auto below = std::filesystem::path(data_folder()) / path;
  return std::filesystem::exists(below) ? below.string() : path;
}

std::string read_data(const std::string& path) {
  const std::string place = find_data(path);
  const std::string wanted = "data: expected a file that can be read; got " + path;
  const auto refuse = [&](const std::string& why) { throw std::runtime_error(wanted + ", which " + why); };
  if (!std::filesystem::exists(place)) refuse("is not there");
  if (std::filesystem::is_directory(place)) refuse("is a folder");
  std::ifstream file(place, std::ios::binary);
  if (!file) refuse("cannot be opened");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) refuse("cannot be read");
  const std::string mark = "\xEF\xBB\xBF";  // some editors write before UTF-8
  if (text.starts_with(mark)) text.erase(0, mark.size());
  if (text.empty()) refuse("is empty");
  return text;
}

namespace {

template <class Work>
void replacing(const std::string& path, const std::string& what, const Work& work) {
  try {
    rw::Replacement file(path);
    work(file);
  } catch (const std::system_error& error) {
    throw std::runtime_error("expected a place for " + what + "; got " + path + ": " + error.code().message());
  }
}

}  // namespace

void write_file(const std::string& path, const std::string& text, const std::string& what) {
  replacing(path, what, [&](rw::Replacement& file) {
    file.write(std::as_bytes(std::span(text)));
    file.commit();
  });
}

void check_writable(const std::string& path, const std::string& what) {
  replacing(path, what, [](rw::Replacement&) {});
}

rw::nn::Safetensors read_model(const std::string& path, const std::string& format, const std::string& maker) {
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error("model: expected a model file; got " + path + ", which is not there (" + maker +
                             " makes one)");
  }
  rw::nn::Safetensors file = rw::nn::read_safetensors(path);
  const auto found = file.metadata.find("format");
  if (found == file.metadata.end() || found->second != format) {
    bad_file(path, "a model of this program, of format " + format,
             found == file.metadata.end() ? "another file" : "one of format " + shown(found->second));
  }
  return file;
}

void bad_file(const std::string& path, const std::string& expected, const std::string& got) {
  throw std::runtime_error(path + ": expected " + expected + "; got " + got);
}

std::string shown(const std::string& text) {
  std::string all = text.substr(0, 40);
  for (char& c : all) c = static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  return '"' + all + (text.size() > 40 ? "..." : "") + '"';
}

}  // namespace app
