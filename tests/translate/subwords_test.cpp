#include "examples/translate/subwords.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "tests/errors.hpp"

using namespace translate;
using Ids = std::vector<int>;

namespace {

/// Some 1,300 different sentences.
std::vector<std::string> sentences() {
  std::vector<std::string> all;
  for (const char* who : {"Le chat", "La petite fille", "Mon voisin", "L'ami de Paul", "Une femme", "Tom"})
    for (const char* how : {"", " ne", " aussi", " toujours"})
      for (const char* does : {" mange", " regarde", " dessine", " cherche", " vend", " aime", " ach\u00E8te"})
        for (const char* what : {" une pomme", " le jardin", " des fleurs", " la maison", " un livre", " l'\u00E9cole",
                                 " du pain", " \u00E7a"})
          all.push_back(std::string(who) + how + does + what +
                        (all.size() % 3 == 0   ? "\u202F?"
                         : all.size() % 3 == 1 ? "\u00A0!"
                                               : "."));
  return all;
}

const Subwords& trained() {
  static const Subwords subwords = Subwords::train(sentences(), {.vocabulary = 330});
  return subwords;
}

std::string text_of(const Ids& ids) {
  std::string text;
  for (int id : ids) text += std::to_string(id) + " ";
  return text;
}

void round_trip(const Subwords& subwords, const std::string& text) {
  const Ids ids = subwords.encode(text);
  BOOST_TEST(subwords.decode(ids) == text);
  // 0 to 3 are pad, bos, eos and the unused unknown.
  BOOST_TEST(std::all_of(ids.begin(), ids.end(), [&](int id) { return id > 3 && id < subwords.size(); }), text);
}

const std::vector<std::string> nasty = {
    "",
    " ",
    "   ",
    "a",
    " a",
    "a ",
    "  a   b  ",
    "Le chat mange une pomme\u202F?",
    "\u202F\u00A0\u2009\u3000\u2028\u200B\u00AD\uFEFF",
    "\u00A0x\u00A0 \u00A0",
    "\u00E9t\u00E9 e\u0301te\u0301 \u0301",
    "\uFF21\uFB01\u2160\u00BD\u1E9E",
    "\U0001F469\u200D\U0001F469\u200D\U0001F467 \U0001F1EB\U0001F1F7 ok",
    "\u65E5\u672C\u8A9E \u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627",
    "\u2581",
    "\u2581a b\u2581 \u2581\u2581c\u2581",
    "\u2585\u2581\u2585\u2585 \u2581 \u2584\u2580",
    "<s> </s> <pad> <unk> <0x41><0x0A>",
    "\uFFFD\uFFFE\uFFFF\U0010FFFF\U00010000\uE000",
    "A\u0338\u0489B",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(translate_subwords)

BOOST_AUTO_TEST_CASE(every_text_comes_back) {
  for (const std::string& text : nasty) round_trip(trained(), text);
  for (const std::string& text : sentences()) round_trip(trained(), text);
  std::string every;
  for (unsigned point = 0xA0; point < 0x3100; ++point)
    every += point < 0x800
                 ? std::string{char(0xC0 | point >> 6), char(0x80 | (point & 63))}
                 : std::string{char(0xE0 | point >> 12), char(0x80 | (point >> 6 & 63)), char(0x80 | (point & 63))};
  round_trip(trained(), every);
  std::string words;
  for (int i = 0; i < 10000; ++i) words += i % 7 == 0 ? "xyz\u2581 " : "pomme ";
  round_trip(trained(), words);
}

BOOST_AUTO_TEST_CASE(pieces_are_words_where_the_text_has_words) {
  BOOST_TEST(trained().size() == 330);
  BOOST_TEST(trained().encode("Le chat mange une pomme.").size() < 16u);  // of 24 characters
  BOOST_TEST(trained().encode("\u65E5").size() == 4u);                    // the space before a word, and three bytes
}

BOOST_AUTO_TEST_CASE(special_ids_are_fixed_and_silent) {
  BOOST_TEST((Subwords::pad == 0 && Subwords::bos == 1 && Subwords::eos == 2));
  Ids ids = trained().encode("Tom aime \u00E7a.");
  ids.insert(ids.begin(), Subwords::bos);
  ids.insert(ids.begin() + 3, Subwords::pad);
  for (int id : {Subwords::eos, Subwords::pad, Subwords::pad}) ids.push_back(id);
  BOOST_TEST(trained().decode(ids) == "Tom aime \u00E7a.");
  BOOST_TEST(trained().decode({0, 1, 2, 3}) == "");
}

BOOST_AUTO_TEST_CASE(training_gives_the_same_pieces_again) {
  const Subwords again = Subwords::train(sentences(), {.vocabulary = 330});
  BOOST_TEST((again.serialize() == trained().serialize()));
}

BOOST_AUTO_TEST_CASE(any_text_is_enough_to_train_on) {
  const std::vector<std::vector<std::string>> corpora = {{"a"},
                                                         {"a", "", " "},
                                                         {"hello world"},
                                                         {"x x x x"},
                                                         std::vector<std::string>(300, "<s> </s> <pad> <0x41>"),
                                                         nasty,
                                                         {std::string(10000, 'a')},
                                                         {"\u2581 \u2585", "ok"}};
  for (const auto& corpus : corpora)
    for (std::size_t vocabulary : {1, 270, 4000}) {
      const Subwords subwords = Subwords::train(corpus, {.vocabulary = vocabulary});
      for (const std::string& text : nasty) round_trip(subwords, text);
      for (const std::string& text : corpus) round_trip(subwords, text);
    }
}

BOOST_AUTO_TEST_CASE(training_needs_text) {
  const std::string start = "Subwords::train: sentences with text expected; got ";
  BOOST_TEST(message<std::invalid_argument>([] { Subwords::train({}); }) == start + "0 without");
  BOOST_TEST(message<std::invalid_argument>([] { Subwords::train({"", " \u00A0"}); }) == start + "2 without");
}

BOOST_AUTO_TEST_CASE(a_model_survives_as_bytes) {
  const Subwords copy = Subwords::parse(trained().serialize());
  BOOST_TEST(copy.size() == trained().size());
  for (const std::string& text : nasty) BOOST_TEST(text_of(copy.encode(text)) == text_of(trained().encode(text)));
  BOOST_TEST((copy.serialize() == trained().serialize()));
}

BOOST_AUTO_TEST_CASE(other_bytes_are_refused) {
  for (const std::string bytes : {"", "garbage", "\n\x01"})
    BOOST_TEST(message<std::runtime_error>([&] { Subwords::parse(bytes); }) ==
               "Subwords::parse: a subword model expected; got " + std::to_string(bytes.size()) +
                   " bytes of something else");
  const std::string whole = trained().serialize();
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_TEST(message<std::runtime_error>([&] { Subwords::parse(whole.substr(0, size)); }) != "", size << " bytes");
}

BOOST_AUTO_TEST_CASE(unknown_ids_are_refused) {
  const std::string start =
      "Subwords::decode: ids from 0 to " + std::to_string(trained().size() - 1) + " expected; got ";
  BOOST_TEST(message<std::invalid_argument>([] { trained().decode({-1}); }) == start + "-1");
  BOOST_TEST(message<std::invalid_argument>([] { trained().decode({trained().size()}); }) ==
             start + std::to_string(trained().size()));
}

BOOST_AUTO_TEST_CASE(stray_bytes_decode_to_the_replacement_character) {
  BOOST_TEST(trained().decode({4 + 0xC3}) == "\uFFFD");
  BOOST_TEST(trained().decode({4 + 0xC3, 4 + 0xA9}) == "\u00E9");
}

BOOST_AUTO_TEST_CASE(samples_differ_by_seed_and_spell_the_same_text) {
  const std::string text = "La petite fille regarde le jardin\u202F?";
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Ids ids = trained().sample(text, 0.2, seed);
    BOOST_TEST(trained().decode(ids) == text);
    BOOST_TEST(text_of(ids) == text_of(trained().sample(text, 0.2, seed)));
    ++seen[text_of(ids)];
  }
  BOOST_TEST(seen.size() > 20u);
  for (const std::string& hard : nasty) BOOST_TEST(trained().decode(trained().sample(hard, 0.1, 7)) == hard);
  for (double bad : {-0.1, std::nan(""), std::numeric_limits<double>::infinity()})
    BOOST_TEST(message<std::invalid_argument>([&] { trained().sample("a", bad, 0); }) ==
               "Subwords::sample: alpha of at least 0 expected; got " + std::to_string(bad));
}

BOOST_AUTO_TEST_CASE(samples_follow_the_likelihood) {
  for (const std::string& text : sentences())
    BOOST_TEST(text_of(trained().sample(text, 1000, 1)) == text_of(trained().encode(text)));

  // With alpha = 0 each of the segmentations is equally likely: 4,000 draws of n kinds, each within five deviations.
  std::map<std::string, int> seen;
  const int draws = 4000;
  for (int seed = 0; seed < draws; ++seed) ++seen[text_of(trained().sample("Tom", 0, seed))];
  const double share = 1.0 / seen.size(), deviation = std::sqrt(draws * share * (1 - share));
  BOOST_TEST(seen.size() > 1u);
  for (const auto& entry : seen)
    BOOST_TEST(std::abs(entry.second - draws * share) < 5 * deviation + 1, entry.first << entry.second);
}

BOOST_AUTO_TEST_SUITE_END()
