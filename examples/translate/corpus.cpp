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
    std::string problem = parse(text, corpus.pairs);
    if (!problem.empty()) corpus.problems.push_back({number, std::move(problem)});
  }
  if (in.bad()) refuse(name, "which cannot be read to its end");
  if (number == 0) refuse(name, "which is empty");
  if (corpus.pairs.empty())
    refuse(name, "which holds no pair" + (corpus.problems.empty() ? "" : " (" + describe(corpus.problems) + ")"));
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

std::string describe(const std::vector<Problem>& problems) {
  if (problems.empty()) return "";
  std::vector<std::pair<std::string, std::vector<std::size_t>>> kinds;  // in order of first appearance
  for (const Problem& problem : problems) {
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.first == problem.what; });
    if (kind == kinds.end()) kind = kinds.insert(kind, {problem.what, {}});
    kind->second.push_back(problem.line);
  }
  std::string text = std::to_string(problems.size()) + (problems.size() == 1 ? " line" : " lines") + " skipped";
  for (const auto& [what, lines] : kinds) {
    text += "; " + what + ": line ";
    std::size_t places = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (places++ == most_places) {
        text += " and " + std::to_string(lines.size() - i) + " more";
        break;
      }
      std::size_t last = i;
      while (last + 1 < lines.size() && lines[last + 1] == lines[last] + 1) ++last;
      text += (i == 0 ? "" : ", ") + std::to_string(lines[i]);
      if (last > i) text.append("-").append(std::to_string(lines[last]));
      i = last;
    }
  }
  return text;
}

}  // namespace translate
