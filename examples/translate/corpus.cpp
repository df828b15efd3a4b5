#include "corpus.hpp"

#include <unicode/uchar.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include "autograd/replacement.hpp"
#include "unicode.hpp"

namespace translate {
namespace {

constexpr std::size_t longest_line = std::size_t(1) << 20, most_places = 20;

/// What is wrong with one side of a pair; empty if nothing.
std::string problem_of(std::string_view text, const char* side) {
  if (!is_valid_utf8(text)) return "invalid UTF-8";
  for (char32_t point : code_points(text)) {
    if (u_charType(UChar32(point)) != U_CONTROL_CHAR) continue;
    char what[32];
    std::snprintf(what, sizeof what, "control character U+%04X", unsigned(point));
    return what;
  }
  return trim(text).empty() ? std::string("empty ") + side : std::string();
}

/// Appends the pair of `line`, or returns why it has none.
std::string parse(std::string_view line, std::vector<Pair>& pairs) {
  if (line.size() > longest_line) return "longer than 1 MiB";
  const std::size_t tab = line.find('\t');
  if (tab == line.npos) return is_valid_utf8(line) ? "no tab" : "invalid UTF-8";
  const std::string_view source = line.substr(0, tab), rest = line.substr(tab + 1),
                         target = rest.substr(0, rest.find('\t'));
  std::string problem = problem_of(source, "source");
  if (problem.empty()) problem = problem_of(target, "target");
  if (problem.empty()) pairs.push_back({std::string(source), std::string(target)});
  return problem;
}

[[noreturn]] void refuse(const std::string& name, const std::string& got) {
  throw std::runtime_error("read_pairs: a file of 'source TAB target' lines expected; got " + name + ", " + got);
}

/// std::getline, but of a line that is too long it keeps no more than shows it.
bool get_line(std::istream& in, std::string& line) {
  line.clear();
  for (char c; in.get(c) && c != '\n';)
    if (line.size() < longest_line + 8) line += c;
  return in.good() || !line.empty();
}

}  // namespace

void Problems::add(std::size_t line, const std::string& what) {
  ++lines_;
  auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& k) { return k.what == what; });
  if (kind == kinds_.end()) kind = kinds_.insert(kind, {what, {}});
  std::vector<Place>& places = kind->places;
  if (!places.empty() && places.back().last + 1 == line) {
    places.back().last = line;
  } else if (places.size() < most_places) {
    places.push_back({line, line});
  } else {
    ++kind->more;
  }
}

std::string Problems::describe() const {
  if (empty()) return "";
  std::string text = std::to_string(lines_) + (lines_ == 1 ? " line" : " lines") + " skipped";
  for (const Kind& kind : kinds_) {
    text += "; " + kind.what + ": line ";
    for (const Place& place : kind.places) {
      text += (&place == kind.places.data() ? "" : ", ") + std::to_string(place.first);
      if (place.last > place.first) text.append("-").append(std::to_string(place.last));
    }
    if (kind.more > 0) text += " and " + std::to_string(kind.more) + " more";
  }
  return text;
}

Corpus read_pairs(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) refuse(path.string(), "which is a directory");
  if (std::filesystem::is_character_file(status) || std::filesystem::is_block_file(status))
    refuse(path.string(), "which is a device");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path.string(), std::string("which cannot be opened: ") + std::strerror(errno));
  return read_pairs(file, path.string());
}

Corpus read_pairs(std::istream& in, const std::string& name) {
  Corpus corpus;
  std::size_t number = 0;
  for (std::string line; get_line(in, line);) {
    std::string_view text = line;
    if (++number == 1 && text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.empty()) continue;
    const std::string problem = parse(text, corpus.pairs);
    if (!problem.empty()) corpus.problems.add(number, problem);
  }
  if (in.bad()) refuse(name, "which cannot be read to its end");
  if (number == 0) refuse(name, "which is empty");
  if (corpus.pairs.empty())
    refuse(name, "which holds no pair" + (corpus.problems.empty() ? "" : " (" + corpus.problems.describe() + ")"));
  return corpus;
}

void write_pairs(const std::filesystem::path& path, const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs)
    for (const std::string* text : {&pair.source, &pair.target})
      if (text->find_first_of("\t\r\n") != text->npos)
        throw std::invalid_argument("write_pairs: text without tab and line end expected; got one in pair " +
                                    std::to_string(&pair - pairs.data() + 1));
  std::string text;
  for (const Pair& pair : pairs) text += pair.source + '\t' + pair.target + '\n';
  try {
    rw::Replacement file(path.string());
    file.write(std::as_bytes(std::span(text)));
    file.commit();
  } catch (const std::system_error& error) {
    throw std::runtime_error("write_pairs: a file that can be written expected; got " + path.string() + ": " +
                             error.code().message());
  }
}

std::vector<Sentence> group_by_source(const std::vector<Pair>& pairs) {
  std::vector<Sentence> sentences;
  std::unordered_map<std::string_view, std::size_t> place;
  for (const Pair& pair : pairs) {
    const auto found = place.try_emplace(pair.source, sentences.size()).first;
    if (found->second == sentences.size()) sentences.push_back({pair.source, {}});
    sentences[found->second].references.push_back(pair.target);
  }
  return sentences;
}

}  // namespace translate
