#include "examples/translate/translator.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <limits>

#include "nn/safetensors.hpp"
#include "tests/folder.hpp"
#include "tests/translate/tiny.hpp"

using namespace translate;
using Texts = std::vector<std::string>;

namespace {

Subwords pieces_of(std::string Pair::*side, std::size_t vocabulary) {
  Texts texts;
  for (const Pair& pair : tiny::corpus()) texts.push_back(pair.*side);
  return Subwords::train(texts, {.vocabulary = vocabulary});
}

/// An untrained translator.
Translator translator(std::uint64_t seed = 1) {
  static const Subwords source = pieces_of(&Pair::source, 320), target = pieces_of(&Pair::target, 340);
  rw::Random random(seed);
  return {source, target,
          Model<float>({.source_vocabulary = static_cast<std::size_t>(source.size()),
                        .target_vocabulary = static_cast<std::size_t>(target.size()),
                        .embedding = 6,
                        .hidden = 8},
                       random)};
}

Texts sentences() {
  Texts texts = {"", "A", "  two  spaces "};
  for (std::size_t i = 0; i < 20; ++i) texts.push_back(tiny::corpus()[i].source);
  return texts;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

template <class Change>
void refuses(const std::string& path, const std::string& why, const Change& change) {
  rw::nn::Safetensors file = rw::nn::read_safetensors(path);
  change(file);
  const std::string changed = path + ".changed";
  rw::nn::write_safetensors(changed, file);
  BOOST_CHECK_EXCEPTION(load_translator(changed), std::runtime_error, tiny::mentions(changed + why));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(translate_translator, Folder)

BOOST_AUTO_TEST_CASE(a_loaded_translator_says_the_same) {
  Translator before = translator();
  save(file("model"), before);
  BOOST_TEST(files() == 1u);
  const Translator after = load_translator(file("model"));
  for (const std::size_t beam : {1, 3}) {
    const Texts said = before.translate(sentences(), {.size = beam});
    BOOST_TEST(after.translate(sentences(), {.size = beam}) == said, boost::test_tools::per_element());
    BOOST_TEST(said != translator(2).translate(sentences(), {.size = beam}));
  }
  BOOST_TEST(after.model.settings.dropout == 0.2);
  save(file("again"), before);
  BOOST_TEST((contents(file("again")) == contents(file("model"))));
}

BOOST_AUTO_TEST_CASE(sentences_come_back_in_their_order) {
  const Translator t = translator();
  Texts many;
  for (std::size_t i = 0; i < 150; ++i) many.push_back(tiny::corpus()[i * 7 % 60].source);  // three batches
  const Texts said = t.translate(many, {.size = 2});
  BOOST_REQUIRE(said.size() == many.size());
  for (std::size_t i = 60; i < many.size(); ++i) BOOST_TEST(said[i] == said[i - 60]);
  for (const std::size_t i : {0, 1, 2, 59}) BOOST_TEST(said[i] == t.translate({many[i]}, {.size = 2}).front());
  BOOST_TEST(t.translate({}, {}).empty());
}

BOOST_AUTO_TEST_CASE(no_text_gives_no_text) {
  for (const std::string nothing : {"", " ", " \t ", "\u00A0\u202F"}) {
    BOOST_TEST(translator().translate({nothing}, {}).front() == "");
  }
}

BOOST_AUTO_TEST_CASE(unknown_words_are_translated_as_well) {
  for (const std::string text : {"\u65E5\u672C\u8A9E", "\u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627",
                                 "\U0001F600 \U0001F469\u200D\U0001F467", "Zxqj vwkq\u2581", "<unk> <s>"}) {
    for (const std::size_t beam : {1, 4}) {
      const std::string said = translator().translate({text}, {.size = beam}).front();
      BOOST_TEST(said.find("<unk>") == said.npos);
      BOOST_TEST(said.find("\u2047") == said.npos);  // how SentencePiece writes an unknown piece
    }
  }
}

BOOST_AUTO_TEST_CASE(a_translation_is_one_line) {
  Translator t = translator();
  const int first_byte = t.target.encode("\u65E5")[1] - 0xE6;
  for (const int byte : {0x0A, 0x0D, 0x1B, 0x7F}) {
    t.model.output.bias->update([&](rw::Tensor<float>& bias) {
      bias.fill(0);
      bias.data()[first_byte + byte] = 1000;
    });
    for (const std::size_t beam : {1, 2}) {
      const std::string said = t.translate({"A"}, {.size = beam}).front();
      BOOST_TEST(said.find(' ') != said.npos);
      BOOST_TEST(std::count_if(said.begin(), said.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(too_long_and_broken_sentences_are_refused) {
  std::string words;
  for (int i = 0; i < 10000; ++i) words += "word ";
  const Translator t = translator();
  BOOST_CHECK_EXCEPTION(t.translate({"A", words}, {}), std::invalid_argument,
                        tiny::mentions("translate: expected a sentence of fewer than 250 word pieces; got "));
  BOOST_CHECK_EXCEPTION(t.translate({"A\xFF"}, {}), std::invalid_argument,
                        common::says("translate: expected a sentence in UTF-8; got invalid bytes"));
  BOOST_CHECK_EXCEPTION(t.translate({"A"}, {.size = 0}), std::invalid_argument, tiny::mentions("beam_search: "));
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
  BOOST_CHECK_EXCEPTION(load_translator(file("none")), std::runtime_error,
                        common::says("model: expected a model file; got " + file("none") +
                                     ", which is not there (translate train makes one)"));
  BOOST_CHECK_EXCEPTION(load_translator(path), std::runtime_error, tiny::mentions(path.string()));
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_refused) {
  Translator t = translator();
  save(file("model"), t);
  const std::string whole = contents(file("model"));
  std::vector<std::size_t> lengths = {whole.size() - 1, whole.size() - 4};
  for (std::size_t n = 0; n < 20; ++n) lengths.push_back(n);
  for (std::size_t n = 20; n < whole.size(); n += whole.size() / 50) lengths.push_back(n);
  for (const std::size_t length : lengths) {
    write(file("short"), whole.substr(0, length));
    BOOST_CHECK_EXCEPTION(load_translator(file("short")), std::runtime_error, tiny::mentions(file("short")));
  }
  write(file("short"), whole + "x");
  BOOST_CHECK_EXCEPTION(load_translator(file("short")), std::runtime_error, tiny::mentions(file("short")));
  write(file("short"), whole);
  BOOST_CHECK_NO_THROW(load_translator(file("short")));
}

BOOST_AUTO_TEST_CASE(garbage_is_refused) {
  Texts garbage = {"garbage", "source\ttarget\n", std::string(1000, '\0'), std::string(1000, '\xFF')};
  rw::Random random(1);
  std::string noise(5000, 0);
  for (char& c : noise) c = static_cast<char>(random.bits());
  garbage.push_back(noise);
  for (const std::string& bytes : garbage) {
    write(file("model"), bytes);
    BOOST_CHECK_EXCEPTION(load_translator(file("model")), std::runtime_error, tiny::mentions(file("model")));
  }
}

BOOST_AUTO_TEST_CASE(changed_bytes_never_crash) {
  Translator t = translator();
  save(file("model"), t);
  const std::string whole = contents(file("model"));
  rw::Random random(2);
  for (int n = 0; n < 60; ++n) {
    std::string changed = whole;
    const std::size_t end = n % 2 == 0 ? 2000 : whole.size();  // the header, or anywhere
    for (int i = 0; i < 3; ++i) changed[random.below(end)] = static_cast<char>(random.bits());
    write(file("changed"), changed);
    try {
      const Translator loaded = load_translator(file("changed"));
      loaded.translate({"A cat."}, {.size = 2});
    } catch (const std::runtime_error& error) {
      BOOST_TEST(tiny::mentions(file("changed"))(error));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_foreign_model_is_refused) {
  Translator t = translator();
  const std::string model = file("model");
  save(model, t);
  const std::string format = ": not a model of this program (expected format rewind-translator-1)";
  const std::string apart = ": damaged model file: settings, vocabularies and weights do not belong together";
  const std::string damaged = ": damaged model file: ";
  refuses(model, format, [](auto& f) { f.metadata.clear(); });
  refuses(model, format, [](auto& f) { f.metadata["format"] = "pt"; });
  refuses(model, damaged, [](auto& f) { f.metadata.erase("settings"); });
  for (const std::string settings : {"", "{", "[]", "{}", "{\"hidden\":\"8\"}", "{\n\"hidden\":\x01}"}) {
    refuses(model, damaged, [&](auto& f) { f.metadata["settings"] = settings; });
  }
  refuses(model, damaged + "settings of 1001 bytes", [](auto& f) { f.metadata["settings"] = std::string(1001, '['); });
  const std::string right = rw::nn::read_safetensors(model).metadata["settings"];
  const auto replaced = [&](const std::string& from, const std::string& to) {
    const std::size_t at = right.find(from);
    BOOST_REQUIRE(at != right.npos);
    return std::string(right).replace(at, from.size(), to);
  };
  for (const std::string& settings :
       {replaced("\"hidden\":8", "\"hidden\":9"), replaced("\"hidden\":8", "\"hidden\":-1"),
        replaced("\"hidden\":8", "\"hidden\":1000000000000"), replaced("\"embedding\":6", "\"embedding\":7"),
        replaced("\"dropout\":0.2", "\"dropout\":1.5"), replaced("\"dropout\":0.2", "\"dropout\":-0.1")}) {
    refuses(model, apart, [&](auto& f) { f.metadata["settings"] = settings; });
  }
  refuses(model, apart, [](auto& f) { std::swap(f.tensors["vocabulary.source"], f.tensors["vocabulary.target"]); });
  refuses(model, damaged, [](auto& f) { f.tensors.erase("vocabulary.source"); });
  refuses(model, damaged, [](auto& f) { f.tensors["vocabulary.target"] = rw::nn::to_bytes("garbage"); });
  refuses(model, damaged, [](auto& f) { f.tensors["vocabulary.target"] = rw::zeros<float>({4}); });
  refuses(model, damaged, [](auto& f) { f.tensors.erase("output.weight"); });
  refuses(model, damaged, [](auto& f) { f.tensors.erase("decoder.weight_hh"); });
  refuses(model, damaged, [](auto& f) { f.tensors["decoder.weight_hh"] = rw::zeros<float>({2, 2}); });
  for (const char* name : {"source_embedding.weight", "target_embedding.weight", "encoder.forward.weight_ih",
                           "encoder.forward.weight_hh", "output.weight"}) {
    refuses(model, apart, [&](auto& f) { f.tensors[name] = rw::zeros<float>({8}); });
  }
  // Says little and claims much.
  refuses(model, apart, [&](auto& f) {
    f.metadata["settings"] = replaced("\"embedding\":6", "\"embedding\":1000000000");
    f.tensors["target_embedding.weight"] = rw::zeros<float>({0, 1000000000});
  });
}

BOOST_AUTO_TEST_CASE(weights_that_are_no_numbers_do_not_crash) {
  Translator t = translator();
  t.model.output.bias->update([](rw::Tensor<float>& b) { b.fill(std::numeric_limits<float>::quiet_NaN()); });
  save(file("model"), t);
  for (const std::size_t beam : {1, 5}) {
    BOOST_TEST(load_translator(file("model")).translate({"A cat."}, {.size = beam}).front() == "");
  }
}

BOOST_AUTO_TEST_CASE(failed_saving_leaves_the_old_file) {
  Translator old = translator(1), other = translator(2);
  save(file("model"), old);
  const std::string bytes = contents(file("model"));
  std::filesystem::create_directory(file("model.part"));  // in the way
  BOOST_CHECK_EXCEPTION(save(file("model"), other), std::runtime_error, tiny::mentions(file("model")));
  BOOST_TEST((contents(file("model")) == bytes));
  BOOST_CHECK_EXCEPTION(save(path, other), std::runtime_error, tiny::mentions(path.string()));
  BOOST_CHECK_EXCEPTION(save(file("none/model"), other), std::runtime_error, tiny::mentions(file("none/model")));
  BOOST_TEST(files() == 2u);
  std::filesystem::remove(file("model.part"));
  save(file("model"), other);
  BOOST_TEST((contents(file("model")) != bytes));
  BOOST_TEST(files() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
