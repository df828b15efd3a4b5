#pragma once
/// Sentence pairs in text files: one pair a line, `source TAB target`, as Tatoeba and Anki give them.

#include <cstddef>
#include <filesystem>
#include <istream>
#include <string>
#include <vector>

namespace translate {

struct Pair {
  std::string source, target;
};

/// The lines that were skipped, by what is wrong with them, in order of first appearance. All are counted, the first
/// places of each kind kept: a file of nothing else takes next to no memory.
class Problems {
 public:
  /// Lines are counted from 1 and come in order.
  void add(std::size_t line, const std::string& what);

  bool empty() const { return kinds_.empty(); }

  /// One line that names every kind of problem: `4 lines skipped; no tab: line 2, 5-6; invalid UTF-8: line 9`; empty
  /// if there are none. Of each kind, the first twenty places.
  std::string describe() const;

 private:
  struct Place {
    std::size_t first, last;
  };
  struct Kind {
    std::string what;
    std::vector<Place> places;
    std::size_t more = 0;  // lines beyond them
  };

  std::vector<Kind> kinds_;
  std::size_t lines_ = 0;
};

struct Corpus {
  std::vector<Pair> pairs;
  Problems problems;
};

/// A source with all its translations.
struct Sentence {
  std::string source;
  std::vector<std::string> references;
};

/// Reads `source TAB target [TAB ignored ...]` lines: UTF-8 with or without byte order mark, LF or CRLF. Text is kept
/// as it is. Empty lines are passed over in silence. A malformed line is skipped and listed in `problems`: `no tab`,
/// `empty source`, `empty target` (nothing but white space), `invalid UTF-8`, `control character U+0000`, `longer than
/// 1 MiB`. Takes no more memory than forty times the size of the file, and 4 MiB.
/// Throws std::runtime_error if the file cannot be read, is a directory or device, is empty, or holds no pair.
Corpus read_pairs(const std::filesystem::path& path);

/// The same from a stream; `name` is for the errors.
Corpus read_pairs(std::istream& in, const std::string& name);

/// Writes the pairs so that read_pairs() gives them back: into a file beside `path` first, renamed when complete.
/// Throws std::invalid_argument for a text that a line cannot hold (tab, line end), std::runtime_error if writing
/// fails.
void write_pairs(const std::filesystem::path& path, const std::vector<Pair>& pairs);

/// One Sentence a distinct source, in order of first appearance, with its targets in order as references.
std::vector<Sentence> group_by_source(const std::vector<Pair>& pairs);

}  // namespace translate
