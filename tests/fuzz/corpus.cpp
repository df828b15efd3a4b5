// libFuzzer target: any bytes as a file of sentence pairs. The reader is compiled in, so that it is watched.
#include "examples/translate/corpus.cpp"

#include <sstream>

#include "examples/translate/unicode.cpp"
#include "tests/fuzz/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in{std::string(text_of(data, size))};
  translate::Corpus corpus;
  const auto read = [&] { corpus = translate::read_pairs(in, "m"); };
  if (!reads("read_pairs: a file of 'source TAB target' lines expected; got m, ", read)) return 0;
  std::size_t bytes = 0, references = 0;
  for (const auto& [source, target] : corpus.pairs) {
    for (const std::string* text : {&source, &target}) {
      require(translate::is_valid_utf8(*text) && !translate::trim(*text).empty(), "text", *text);
      for (const unsigned char c : *text) require(c >= ' ' && c != 0x7F, "no control characters", *text);
      bytes += text->size();
    }
  }
  require(bytes <= size, "no more than the file holds");
  for (const auto& sentence : translate::group_by_source(corpus.pairs)) references += sentence.references.size();
  require(references == corpus.pairs.size(), "every pair in a group");
  require(corpus.problems.describe().size() < 50'000, "a line that can be read");
  return 0;
}
