#pragma once
/// Unicode text as Python sees it: what sacreBLEU's figures depend on. Built on ICU (package libicu-dev, module
/// icu-uc).

#include <string>
#include <string_view>
#include <vector>

namespace translate {

/// True if `text` is well-formed UTF-8: no stray or missing bytes, no overlong form, no surrogate, nothing above
/// U+10FFFF.
bool is_valid_utf8(std::string_view text);

/// The code points of `text`; each malformed sequence becomes U+FFFD.
std::u32string code_points(std::string_view text);

/// UTF-8 of `points`; what is no Unicode scalar value becomes U+FFFD.
std::string to_utf8(std::u32string_view points);

/// True for the white space of Python's str.split(): the Unicode property White_Space (U+00A0, U+2009, U+202F, U+0085,
/// ...) and the separators U+001C to U+001F. U+200B is none.
bool is_space(char32_t point);

/// Lower case by Unicode's full mapping, language-neutral (İ gives i and U+0307, a final Σ gives ς): Python's lower().
std::string lowercase(std::string_view text);

/// The pieces of `text` between runs of white space, without empty ones: Python's split().
std::vector<std::string> split_whitespace(std::string_view text);

/// `text` without white space at both ends: Python's strip().
std::string_view trim(std::string_view text);

}  // namespace translate
