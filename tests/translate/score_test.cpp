#include "examples/translate/score.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace translate;
using Words = std::vector<std::string>;

namespace {

/// Compares all four scores of the sentences with the figures stored in `expected`.
void compare(const std::string& name, const Words& hypotheses, const References& references,
             const nlohmann::json& expected) {
  const auto close = [&](const std::string& figure, double score) {
    const double stored = expected.at(figure);
    BOOST_TEST(std::abs(score - stored) < 1e-9, name << ": " << figure << " " << score << ", stored " << stored);
  };
  close("bleu", bleu(hypotheses, references));
  close("chrf", chrf(hypotheses, references));
  close("bleu_lowercase", bleu(hypotheses, references, {.lowercase = true}));
  close("chrf_lowercase", chrf(hypotheses, references, {.lowercase = true}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(translate_score)

BOOST_AUTO_TEST_CASE(scores_equal_the_stored_figures) {
  std::ifstream file(TESTS_DIR "/translate/score_cases.json");
  BOOST_REQUIRE(file);
  const nlohmann::json cases = nlohmann::json::parse(file);
  Words hypotheses;
  References references;
  for (const auto& sentence : cases.at("sentences")) {
    hypotheses.push_back(sentence.at("hypothesis"));
    references.push_back(sentence.at("references"));
    compare("sentence " + std::to_string(hypotheses.size() - 1), {hypotheses.back()}, {references.back()}, sentence);
  }
  BOOST_TEST(hypotheses.size() >= 200u);
  for (const auto& corpus : cases.at("corpora")) {
    Words some;
    References theirs;
    for (std::size_t i : corpus.at("sentences")) {
      some.push_back(hypotheses.at(i));
      theirs.push_back(references.at(i));
    }
    compare("corpus of " + std::to_string(some.size()), some, theirs, corpus);
  }
  BOOST_TEST(cases.at("corpora").size() >= 10u);
}

BOOST_AUTO_TEST_CASE(tokens_are_those_of_mteval) {
  const auto tokens = [](const char* line) {
    std::string text;
    for (const std::string& word : tokenize_13a(line)) text += word + "|";
    return text;
  };
  BOOST_TEST(tokens("") == "");
  BOOST_TEST(tokens("Est-ce l'ami, oui\u202F?") == "Est-ce|l'ami|,|oui|?|");
  BOOST_TEST(tokens("1,000.5 and 20-30 .5 5. a.b") == "1,000.5|and|20|-|30|.|5|5|.|a|.|b|");
  BOOST_TEST(tokens("&quot;a&quot; &amp;lt; <skipped>b co-\nop c\nd-\n") == "\"|a|\"|<|b|coop|c|d-|");
  BOOST_TEST(tokens("...,") == ".|.|.|,|");
}

BOOST_AUTO_TEST_CASE(scores_of_perfect_and_hopeless_translations) {
  const Words right = {"Le chat dort ici.", "Oui, bien s\u00FBr\u202F!"};
  const References references = {{"x", right[0]}, {right[1]}};
  BOOST_TEST(bleu(right, references) == 100, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(chrf(right, references) == 100, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(bleu({"q", ""}, references) == 0);
  BOOST_TEST(chrf({"q", ""}, references) == 0);
}

BOOST_AUTO_TEST_CASE(exact_is_the_share_of_right_answers) {
  const References references = {{"Oui.", "Si."}, {"\u00C9t\u00E9"}, {"non"}, {"a b"}};
  const Words hypotheses = {" Si.\u202F", "\u00E9t\u00E9", "no", "a  b"};
  BOOST_TEST(exact(hypotheses, references) == 25);
  BOOST_TEST(exact(hypotheses, references, {.lowercase = true}) == 50);
}

BOOST_AUTO_TEST_CASE(wrong_sizes_are_refused) {
  using Score = double (*)(const Words&, const References&, ScoreOptions);
  const std::pair<std::string, Score> scores[] = {{"bleu", bleu}, {"chrf", chrf}, {"exact", exact}};
  for (const auto& [name, score] : scores) {
    const auto message = [score = score](const Words& hypotheses, const References& references) -> std::string {
      try {
        score(hypotheses, references, {});
      } catch (const std::invalid_argument& error) {
        return error.what();
      }
      return "";
    };
    const std::string sizes = name + ": as many references as hypotheses, at least one, expected; got ";
    BOOST_TEST(message({}, {}) == sizes + "0 hypotheses, 0 references");
    BOOST_TEST(message({"a", "b"}, {{"a"}}) == sizes + "2 hypotheses, 1 references");
    BOOST_TEST(message({"a", "b"}, {{"a"}, {}}) ==
               name + ": a reference for every sentence expected; got none for sentence 2");
  }
}

BOOST_AUTO_TEST_SUITE_END()
