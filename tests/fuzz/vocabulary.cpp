// libFuzzer target: any bytes as a subword model, as it lies in a model file.
#include "examples/translate/subwords.cpp"
#include "examples/translate/unicode.cpp"
#include "tests/fuzz/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text = "Tom aime ça. \xE2\x96\x81 \xE6\x97\xA5";
  reads("Subwords::parse: a subword model expected; got ", [&] {
    const auto subwords = translate::Subwords::parse(text_of(data, size));
    const auto inside = [&](int id) { return id >= 0 && id < subwords.size(); };
    auto ids = subwords.encode(text);
    require(std::all_of(ids.begin(), ids.end(), inside), "ids of the vocabulary");
    ids = subwords.sample(text, 0.1, 1);
    require(std::all_of(ids.begin(), ids.end(), inside), "ids of the vocabulary");
    for (int id = 0; id < subwords.size(); ++id) ids.push_back(id);
    subwords.decode(ids);
  });
  return 0;
}
