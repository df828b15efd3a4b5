// The bundled corpus of the translator: its French, its English, and its split.

#include "examples/translate/grammar.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace translate;

namespace {

/// The entry of a lexicon table by its English word.
template <class Word, std::size_t n>
const Word* find(const Word (&table)[n], const std::string& english) {
  auto found =
      std::find_if(std::begin(table), std::end(table), [&](const Word& word) { return word.english == english; });
  BOOST_REQUIRE_MESSAGE(found != std::end(table), "no word " + english);
  return &*found;
}

/// "the small black cat" as a NounPhrase: determiner, adjectives, noun, all in the singular forms; `plural` makes it
/// one.
NounPhrase phrase(const std::string& text, bool plural = false) {
  std::istringstream in(text);
  std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
  NounPhrase np;
  np.determiner = find(lexicon::determiners, words.front());
  np.noun = find(lexicon::nouns, words.back());
  np.plural = plural;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const auto* adjective = find(lexicon::adjectives, words[i]);
    (adjective->position == lexicon::before ? np.before : np.after) = adjective;
  }
  return np;
}

NounPhrase plural(const std::string& text) { return phrase(text, true); }

constexpr auto statement = Mood::statement, negation = Mood::negation, question = Mood::question;

Clause pronoun_clause(Mood mood, const std::string& pronoun, const std::string& verb) {
  Clause c;
  c.mood = mood;
  c.pronoun = find(lexicon::pronouns, pronoun);
  c.verb = find(lexicon::verbs, verb);
  return c;
}

Clause say(Mood mood, const std::string& pronoun, const std::string& verb, const NounPhrase& object) {
  Clause c = pronoun_clause(mood, pronoun, verb);
  c.object = object;
  return c;
}

Clause say(Mood mood, const NounPhrase& subject, const std::string& verb, const NounPhrase& object) {
  Clause c = say(mood, "he", verb, object);
  c.pronoun = nullptr;
  c.subject = subject;
  return c;
}

void check(const Clause& clause, const std::string& english, const std::string& french) {
  Pair pair = realise(clause);
  BOOST_TEST(pair.source == english);
  BOOST_TEST(pair.target == french);
}

/// The words of a sentence without its final mark, the first in lower case; an elided word ("l'") stands alone.
std::vector<std::string> words_of(const std::string& sentence) {
  std::istringstream in(sentence.substr(0, sentence.find_last_not_of(".?\u202f") + 1));
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    if (words.empty()) word[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(word[0])));
    std::size_t apostrophe = word == "aujourd'hui" ? std::string::npos : word.find('\'');
    if (apostrophe != std::string::npos) words.push_back(word.substr(0, apostrophe + 1));
    words.push_back(apostrophe == std::string::npos ? word : word.substr(apostrophe + 1));
  }
  return words;
}

/// The (adjective, noun), (verb, object noun) and (subject noun, verb) combinations of an English sentence, read off
/// its words alone.
std::set<std::string> combinations(const std::string& english) {
  static const auto dictionary = [] {
    std::map<std::string, std::pair<char, std::string>> kinds;  // word -> (n, a or v; base form)
    for (const auto& noun : lexicon::nouns)
      for (const char* form : {noun.english, noun.english_plural}) kinds[form] = {'n', noun.english};
    for (const auto& adjective : lexicon::adjectives) kinds[adjective.english] = {'a', adjective.english};
    for (const auto& verb : lexicon::verbs)
      for (std::string form : {verb.english, verb.third}) kinds[form.substr(0, form.find(' '))] = {'v', verb.english};
    return kinds;
  }();
  std::set<std::string> found;
  std::vector<std::string> adjectives;
  std::string verb, subject;
  bool object_next = true;
  for (const std::string& word : words_of(english)) {
    if (word == "in") object_next = false;
    auto entry = dictionary.find(word);
    if (entry == dictionary.end()) continue;
    const auto& [kind, base] = entry->second;
    if (kind == 'a') adjectives.push_back(base);
    if (kind == 'v') {
      verb = base;
      if (!subject.empty()) found.insert("subject " + subject + " " + verb);
    }
    if (kind != 'n') continue;
    for (const std::string& adjective : adjectives) found.insert(adjective + " " + base);
    adjectives.clear();
    if (verb.empty())
      subject = base;
    else if (object_next)
      found.insert("object " + verb + " " + base);
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(grammar)

BOOST_AUTO_TEST_CASE(statements) {
  check(say(statement, "I", "see", phrase("the small black cat")), "I see the small black cat.",
        "Je vois le petit chat noir.");
  check(say(statement, "we", "eat", phrase("a orange")), "We eat an orange.", "Nous mangeons une orange.");
  check(say(statement, "you", "buy", plural("the horse")), "You buy the horses.", "Tu achètes les chevaux.");
  check(say(statement, "you all", "take", plural("this red hat")), "You all take these red hats.",
        "Vous prenez ces chapeaux rouges.");
  check(say(statement, "she", "have", phrase("a old clock")), "She has an old clock.", "Elle a une vieille horloge.");
  check(say(statement, "they", "finish", phrase("their cake")), "They finish their cake.",
        "Ils finissent leur gâteau.");
  check(say(statement, "he", "know", plural("his new friend")), "He knows his new friends.",
        "Il connaît ses nouveaux amis.");
  check(say(statement, phrase("the happy girl"), "wash", plural("her shirt")), "The happy girl washes her shirts.",
        "La fille heureuse lave ses chemises.");
  check(say(statement, plural("a young man"), "look for", plural("a flower")), "Some young men look for some flowers.",
        "De jeunes hommes cherchent des fleurs.");
  Clause c = pronoun_clause(statement, "I", "sleep");
  c.place = phrase("this hotel");
  c.time = find(lexicon::adverbs, "today");
  check(c, "I sleep in this hotel today.", "Je dors dans cet hôtel aujourd'hui.");
}

BOOST_AUTO_TEST_CASE(negations) {
  check(say(negation, "he", "love", phrase("my school")), "He does not love my school.", "Il n'aime pas mon école.");
  check(say(negation, "they", "read", phrase("the letter")), "They do not read the letter.",
        "Ils ne lisent pas la lettre.");
  check(say(negation, "I", "have", phrase("a dog")), "I do not have a dog.", "Je n'ai pas de chien.");
  check(say(negation, "we", "hear", plural("a bird")), "We do not hear any birds.", "Nous n'entendons pas d'oiseaux.");
  check(say(negation, "you", "want", plural("a small box")), "You do not want any small boxes.",
        "Tu ne veux pas de petites boîtes.");
  check(say(negation, plural("a actress"), "write", phrase("this story")), "Some actresses do not write this story.",
        "Des actrices n'écrivent pas cette histoire.");
  check(say(negation, "she", "talk to", phrase("a man")), "She does not talk to a man.",
        "Elle ne parle pas à un homme.");
  Clause c = pronoun_clause(negation, "we", "work");
  c.place = phrase("a garden");
  check(c, "We do not work in a garden.", "Nous ne travaillons pas dans un jardin.");
}

BOOST_AUTO_TEST_CASE(questions_put_a_narrow_space_before_the_mark) {
  check(say(question, "you", "choose", phrase("the blue car")), "Do you choose the blue car?",
        "Est-ce que tu choisis la voiture bleue\u202f?");
  check(say(question, "he", "call", phrase("your friend")), "Does he call your friend?",
        "Est-ce qu'il appelle ton ami\u202f?");
  check(say(question, phrase("a woman"), "sell", plural("a knife")), "Does a woman sell any knives?",
        "Est-ce qu'une femme vend des couteaux\u202f?");
  check(say(question, "I", "wait for", phrase("the doctor")), "Do I wait for the doctor?",
        "Est-ce que j'attends le médecin\u202f?");
  check(say(question, plural("the mouse"), "find", plural("a good tomato")), "Do the mice find any good tomatoes?",
        "Est-ce que les souris trouvent de bonnes tomates\u202f?");
}

BOOST_AUTO_TEST_CASE(prepositions_contract) {
  auto talk = [](const NounPhrase& np) { return realise(say(statement, "I", "talk to", np)).target; };
  BOOST_TEST(talk(phrase("the teacher")) == "Je parle au professeur.");
  BOOST_TEST(talk(plural("the teacher")) == "Je parle aux professeurs.");
  BOOST_TEST(talk(phrase("the nurse")) == "Je parle à l'infirmière.");
  BOOST_TEST(talk(phrase("the student")) == "Je parle à l'étudiant.");
  BOOST_TEST(talk(phrase("the old student")) == "Je parle au vieil étudiant.");
  BOOST_TEST(talk(phrase("the owl")) == "Je parle au hibou.");
  BOOST_TEST(talk(phrase("the cow")) == "Je parle à la vache.");
}

BOOST_AUTO_TEST_CASE(noun_phrases_agree_and_elide) {
  const struct {
    const char* singular;
    const char* french;
    const char* french_plural;
  } table[] = {
      {"the man", "l'homme", "les hommes"},
      {"the owl", "le hibou", "les hiboux"},
      {"this owl", "ce hibou", "ces hiboux"},
      {"the egg", "l'œuf", "les œufs"},
      {"this animal", "cet animal", "ces animaux"},
      {"this church", "cette église", "ces églises"},
      {"this small animal", "ce petit animal", "ces petits animaux"},
      {"my story", "mon histoire", "mes histoires"},
      {"my old story", "ma vieille histoire", "mes vieilles histoires"},
      {"your orange", "ton orange", "tes oranges"},
      {"his apple", "sa pomme", "ses pommes"},
      {"her actress", "son actrice", "ses actrices"},
      {"our key", "notre clé", "nos clés"},
      {"the beautiful tree", "le bel arbre", "les beaux arbres"},
      {"a beautiful owl", "un beau hibou", "de beaux hiboux"},
      {"a beautiful flower", "une belle fleur", "de belles fleurs"},
      {"a new hotel", "un nouvel hôtel", "de nouveaux hôtels"},
      {"the old man", "le vieil homme", "les vieux hommes"},
      {"a strange letter", "une lettre étrange", "des lettres étranges"},
      {"the white shirt", "la chemise blanche", "les chemises blanches"},
      {"the expensive orange", "l'orange chère", "les oranges chères"},
      {"the foreign nurse", "l'infirmière étrangère", "les infirmières étrangères"},
      {"the kind girl", "la fille gentille", "les filles gentilles"},
      {"the happy mouse", "la souris heureuse", "les souris heureuses"},
      {"a big white horse", "un grand cheval blanc", "de grands chevaux blancs"},
  };
  for (const auto& row : table) {
    BOOST_TEST(realise(say(statement, "he", "see", phrase(row.singular))).target ==
               std::string("Il voit ") + row.french + ".");
    BOOST_TEST(realise(say(statement, "he", "see", plural(row.singular))).target ==
               std::string("Il voit ") + row.french_plural + ".");
  }
}

BOOST_AUTO_TEST_CASE(incomplete_clauses_are_refused) {
  auto message = [](const Clause& clause) -> std::string {
    try {
      return realise(clause).target;
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  BOOST_TEST(message(Clause{}) == "realise: expects a verb and a subject; got none");
  BOOST_TEST(message(pronoun_clause(statement, "I", "see")) ==
             "realise: expects an object exactly if the verb takes one; got see");
  BOOST_TEST(message(say(statement, "I", "sleep", phrase("the cat"))) ==
             "realise: expects an object exactly if the verb takes one; got sleep");
}

BOOST_AUTO_TEST_CASE(corpus_has_its_sizes_and_no_sentence_twice) {
  Bundle bundle = bundled_corpus(1);
  BOOST_TEST(bundle.train.size() == 20000u);
  BOOST_TEST(bundle.valid.size() == 500u);
  BOOST_TEST(bundle.test.size() == 500u);
  std::set<std::string> sources;
  for (const auto* part : {&bundle.train, &bundle.valid, &bundle.test})
    for (const Pair& pair : *part) sources.insert(pair.source);
  BOOST_TEST(sources.size() == 21000u);
  BOOST_TEST(bundled_corpus(1, {.train = 0, .valid = 0, .test = 0}).train.empty());
  BOOST_CHECK_EXCEPTION(
      bundled_corpus(1, {.train = 100000, .valid = 1, .test = 0}), std::invalid_argument, [](const auto& error) {
        return std::string(error.what()) == "bundled_corpus: expects at most 100000 pairs in all; got 100001";
      });
}

BOOST_AUTO_TEST_CASE(corpus_follows_its_seed) {
  auto sources = [](const std::vector<Pair>& pairs) {
    std::vector<std::string> texts;
    for (const Pair& pair : pairs) texts.push_back(pair.source + '\t' + pair.target);
    return texts;
  };
  BundleSizes sizes = {.train = 1000, .valid = 50, .test = 50};
  Bundle first = bundled_corpus(7, sizes), again = bundled_corpus(7, sizes), other = bundled_corpus(8, sizes);
  BOOST_TEST(sources(first.train) == sources(again.train), boost::test_tools::per_element());
  BOOST_TEST(sources(first.valid) == sources(again.valid), boost::test_tools::per_element());
  BOOST_TEST(sources(first.test) == sources(again.test), boost::test_tools::per_element());
  BOOST_CHECK(sources(first.train) != sources(other.train));
  BOOST_CHECK(sources(first.test) != sources(other.test));
  Bundle larger = bundled_corpus(7, {.train = 3000, .valid = 80, .test = 50});
  BOOST_TEST(sources(first.test) == sources(larger.test), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(combinations_are_read_off_a_sentence) {
  std::set<std::string> expected = {"old man",       "small cat",           "black cat",
                                    "strange house", "object look for cat", "subject man look for"};
  BOOST_TEST(combinations("The old man looks for the small black cat in a strange house today.") == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(test_sentences_have_combinations_never_seen_in_training) {
  for (std::uint64_t seed : {1, 2, 3}) {
    Bundle bundle = bundled_corpus(seed);
    std::set<std::string> seen;
    for (const Pair& pair : bundle.train) seen.merge(combinations(pair.source));
    for (const auto* part : {&bundle.valid, &bundle.test})
      for (const Pair& pair : *part) {
        std::set<std::string> here = combinations(pair.source);
        bool unseen = std::any_of(here.begin(), here.end(), [&](const auto& each) { return seen.count(each) == 0; });
        BOOST_TEST(unseen, pair.source);
      }
  }
}

BOOST_AUTO_TEST_CASE(every_word_of_the_test_is_frequent_in_training) {
  for (std::uint64_t seed : {1, 2, 3}) {
    Bundle bundle = bundled_corpus(seed);
    for (auto side : {&Pair::source, &Pair::target}) {
      std::map<std::string, int> count;
      for (const Pair& pair : bundle.train)
        for (const std::string& word : words_of(pair.*side)) ++count[word];
      for (const auto* part : {&bundle.valid, &bundle.test})
        for (const Pair& pair : *part)
          for (const std::string& word : words_of(pair.*side))
            BOOST_TEST(count[word] >= 30, word + " occurs " + std::to_string(count[word]) + " times");
    }
  }
}

BOOST_AUTO_TEST_CASE(sentences_are_well_formed) {
  Bundle bundle = bundled_corpus(4, {.train = 5000, .valid = 200, .test = 200});
  for (const Pair& pair : bundle.train) {
    bool question = pair.source.back() == '?';
    BOOST_TEST(std::isupper(static_cast<unsigned char>(pair.source[0])));
    BOOST_TEST(std::isupper(static_cast<unsigned char>(pair.target[0])));
    BOOST_TEST((pair.target.find("\u202f?") == pair.target.size() - 4) == question, pair.target);
    BOOST_TEST((pair.source.back() == '.' || question), pair.source);
    std::size_t words = words_of(pair.source).size();
    BOOST_TEST((words >= 4 && words <= 17), pair.source);
    for (const char* wrong : {" a a", " a e", " a i", " a o", "  "})
      BOOST_TEST(pair.source.find(wrong) == std::string::npos, pair.source);
    for (const char* wrong : {" le a", " le é", " la é", " la o", " de a", " de é", " ne a", " ne é", " ce a", " ma é",
                              "je a", "que il", "que un", " à le ", " à les ", "l'hibou", "d'hibou", "' ", "  "})
      BOOST_TEST(pair.target.find(wrong) == std::string::npos, pair.target);
  }
}

BOOST_AUTO_TEST_SUITE_END()
