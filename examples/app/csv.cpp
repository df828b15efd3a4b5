#include "examples/app/csv.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "examples/app/files.hpp"

namespace app {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether the field is a number as a whole, inf and nan among them.
bool is_number(std::string_view field, double& x) {
  field = trimmed(field);
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), x);
  return error == std::errc() && end == field.data() + field.size();
}

}  // namespace

CsvReader::CsvReader(const std::string& path) : path_(path), file_(path) {
  std::error_code ignored;
  if (!file_ || std::filesystem::is_directory(path, ignored)) {
    const char* why = file_ ? "a directory" : std::strerror(errno);
    throw std::runtime_error("csv: expected a file that can be read; got " + path + ": " + why);
  }
  if (!read_row()) throw std::runtime_error("csv: expected at least one row; got the empty file " + path);
  double x;
  first_is_data_ = std::any_of(fields_.begin(), fields_.end(), [&](const auto& f) { return is_number(f, x); });
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    names_.push_back(first_is_data_ ? std::to_string(i + 1) : std::string(trimmed(fields_[i])));
  }
}

std::size_t CsvReader::column(const std::string& which) const {
  if (which.empty()) return names_.size() - 1;
  const auto found = std::find(names_.begin(), names_.end(), which);
  if (found != names_.end()) {
    if (std::find(found + 1, names_.end(), which) != names_.end()) fail(1, "one column " + which, "several");
    return static_cast<std::size_t>(found - names_.begin());
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), number);
  if (error == std::errc() && *end == '\0' && number >= 1 && number <= names_.size()) return number - 1;
  std::string all;
  for (const std::string& name : names_) all += (all.empty() ? "" : ", ") + shown(name);
  if (all.size() > 200) all = all.substr(0, 200) + "...";
  throw std::runtime_error("csv: expected a column of " + path_ + ", which are " + all + "; got " + shown(which));
}

bool CsvReader::next() {
  if (first_is_data_) {
    first_is_data_ = false;
    return true;
  }
  if (!read_row()) return false;
  if (fields_.size() != names_.size()) {
    fail(row_, std::to_string(names_.size()) + " fields", std::to_string(fields_.size()));
  }
  return true;
}

double CsvReader::number(std::size_t column) const {
  double x = 0;
  if (!is_number(fields_[column], x) || !std::isfinite(x)) {
    fail(row_, "a finite number in column " + shown(names_[column]), shown(fields_[column]));
  }
  return x;
}

bool CsvReader::missing(std::size_t column) const {
  std::string field(trimmed(fields_[column]));
  for (char& c : field) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return field.empty() || field == "na" || field == "nan" || field == "null";
}

bool CsvReader::read_line() {
  if (!std::getline(file_, text_)) {
    if (file_.bad()) throw std::runtime_error("csv: expected a file that can be read; got an error of " + path_);
    return false;
  }
  if (++line_ == 1 && text_.rfind("\xEF\xBB\xBF", 0) == 0) text_.erase(0, 3);
  if (!text_.empty() && text_.back() == '\r') text_.pop_back();
  return true;
}

bool CsvReader::read_row() {
  if (!read_line()) return false;
  const std::size_t blank = line_;
  while (text_.empty()) {
    if (!read_line()) return false;
    if (!text_.empty()) fail(blank, "a row", "an empty line");
  }
  row_ = line_;
  fields_.assign(1, "");
  bool quoted = false;
  for (;;) {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quoted && c == '"' && i + 1 < text_.size() && text_[i + 1] == '"') {
        fields_.back() += text_[++i];
      } else if (c == '"' && (quoted || fields_.back().empty())) {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        fields_.emplace_back();
      } else {
        fields_.back() += c;
      }
    }
    if (!quoted) return true;
    if (!read_line()) fail(row_, "a closing quote", "the end of the file");
    fields_.back() += '\n';
  }
}

void CsvReader::fail(std::size_t line, const std::string& expected, const std::string& got) const {
  throw std::runtime_error("csv: expected " + expected + " in line " + std::to_string(line) + " of " + path_ +
                           "; got " + got);
}

}  // namespace app
