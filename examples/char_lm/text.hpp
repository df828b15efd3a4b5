#pragma once

#include <string>
#include <string_view>

namespace char_lm {

/// What a model learns from, what chooses among its states, and what it is judged by.
struct Parts {
  std::string train, valid, test;
  double source_bits = 0;  // that the test part holds, where its source is known; else 0
};

/// Parts from files; what has none is cut off the end of `text`, a twentieth each, behind a line end.
/// Throws std::runtime_error where a file cannot be read or the text is too short to be cut.
Parts read_parts(const std::string& text, const std::string& valid, const std::string& test);

/// Little stories of a grammar, so many to learn from, that name a person, a colour and a thing and come back to them
/// many words later; the same on every machine. Every choice is uniform and can be read off the text, so that no model
/// of it needs fewer bits than their logarithms.
Parts stories(std::size_t train);

/// The code points of UTF-8. Throws std::runtime_error where there is none.
std::size_t characters(std::string_view text);

/// Which byte may come next, so that the whole is UTF-8 and no control character but line end and tab in it.
class Printable {
 public:
  bool allows(unsigned byte) const;
  void take(unsigned byte);
  bool whole() const { return left_ == 0; }  // not within a character

 private:
  int left_ = 0;
  unsigned low_ = 0, high_ = 0;  // bounds of the next byte within a character
};

}  // namespace char_lm
