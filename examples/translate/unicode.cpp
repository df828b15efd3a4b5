#include "unicode.hpp"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <stdexcept>

namespace translate {
namespace {

/// Calls `visit(point, begin, end)` for every code point; `point` is negative for a malformed sequence.
template <class Visit>
void each_point(std::string_view text, Visit visit) {
  const char* const bytes = text.data();
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    UChar32 point;
    U8_NEXT(bytes, end, text.size(), point);
    visit(point, begin, end);
  }
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  bool valid = true;
  each_point(text, [&](UChar32 point, std::size_t, std::size_t) { valid = valid && point >= 0; });
  return valid;
}

std::u32string code_points(std::string_view text) {
  std::u32string points;
  each_point(text, [&](UChar32 point, std::size_t, std::size_t) { points += point < 0 ? U'\uFFFD' : char32_t(point); });
  return points;
}

std::string to_utf8(std::u32string_view points) {
  std::string text;
  for (char32_t point : points) {
    char bytes[U8_MAX_LENGTH];
    int length = 0;
    UBool failed = false;
    U8_APPEND(bytes, length, U8_MAX_LENGTH, point, failed);
    text += failed ? "\uFFFD" : std::string_view(bytes, length);
  }
  return text;
}

bool is_space(char32_t point) { return u_isUWhiteSpace(UChar32(point)) || (point >= 0x1C && point <= 0x1F); }

std::string lowercase(std::string_view text) {
  std::string lower;
  icu::StringByteSink<std::string> sink(&lower);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, icu::StringPiece(text.data(), int32_t(text.size())), sink, nullptr, status);
  if (U_FAILURE(status))
    throw std::runtime_error(std::string("lowercase: a working ICU expected; got ") + u_errorName(status));
  return lower;
}

std::vector<std::string> split_whitespace(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  each_point(text, [&](UChar32 point, std::size_t begin, std::size_t end) {
    const bool space = point >= 0 && is_space(point);
    if (!space && !inside) words.emplace_back();
    if (!space) words.back().append(text, begin, end - begin);
    inside = !space;
  });
  return words;
}

std::string_view trim(std::string_view text) {
  std::size_t first = text.size(), last = 0;
  each_point(text, [&](UChar32 point, std::size_t begin, std::size_t end) {
    if (point >= 0 && is_space(point)) return;
    first = std::min(first, begin);
    last = end;
  });
  return first < last ? text.substr(first, last - first) : std::string_view();
}

}  // namespace translate
