// libFuzzer target: any bytes as a text that becomes subwords and comes back, and as ids that become a text.
#include "examples/translate/subwords.cpp"
#include "examples/translate/unicode.cpp"
#include "tests/fuzz/check.hpp"

using namespace translate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Subwords subwords = Subwords::train(
      {"Tom aime ça.", "Le chat mange une pomme.", "La fille aime le chat.", "\xE2\x96\x81 été"}, {.vocabulary = 300});
  const std::string_view bytes = text_of(data, size);
  const std::string text = to_utf8(code_points(bytes));  // what is malformed becomes U+FFFD
  require(is_valid_utf8(text) && (text == bytes) == is_valid_utf8(bytes), "UTF-8", bytes);
  require(subwords.decode(subwords.encode(bytes)) == text, "the text back", text);
  if (size < 4096) {
    for (const double alpha : {0.0, 0.3}) {
      require(subwords.decode(subwords.sample(bytes, alpha, size)) == text, "the text back", text);
    }
  }
  for (const std::string& word : split_whitespace(text)) require(trim(word) == word && !word.empty(), "a word", word);
  lowercase(text);

  std::vector<int> ids;
  for (std::size_t i = 0; i + 1 < size; i += 2) ids.push_back((data[i] * 256 + data[i + 1]) % subwords.size());
  require(is_valid_utf8(subwords.decode(ids)), "UTF-8");
  return 0;
}
