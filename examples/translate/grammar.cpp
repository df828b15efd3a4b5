#include "grammar.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>

namespace translate {
namespace {

using namespace lexicon;

using Words = std::vector<std::string>;

bool starts_with_any(const std::string& word, std::initializer_list<const char*> heads) {
  return std::any_of(heads.begin(), heads.end(), [&](const char* head) { return word.rfind(head, 0) == 0; });
}

/// Whether a French word begins with a vowel sound: a vowel or mute h.
bool vowel_sound(const std::string& word) {
  return starts_with_any(word, {"a", "e", "i", "o", "u", "h", "é", "ê", "œ"}) &&
         std::find(std::begin(aspirated), std::end(aspirated), word) == std::end(aspirated);
}

/// Every `from` in a text by `to`.
std::string replace(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// "a" becomes "an" before a vowel (no word of the lexicon breaks the rule of spelling).
std::string join_english(const Words& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += ' ';
    text += words[i];
    if (words[i] == "a" && starts_with_any(words.at(i + 1), {"a", "e", "i", "o", "u"})) text += 'n';
  }
  return text;
}

/// Elides, then contracts "à le(s)".
std::string join_french(const Words& words) {
  static const std::map<std::string, std::string> before_vowel = {
      {"je", "j'"}, {"ne", "n'"},   {"de", "d'"},   {"que", "qu'"}, {"le", "l'"},
      {"la", "l'"}, {"ce", "cet "}, {"ma", "mon "}, {"ta", "ton "}, {"sa", "son "}};
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto short_form = before_vowel.find(words[i]);
    bool elides = short_form != before_vowel.end() && i + 1 < words.size() && vowel_sound(words[i + 1]);
    text += elides ? short_form->second : words[i] + " ";
  }
  text.pop_back();
  return replace(replace(text, " à le ", " au "), " à les ", " aux ");
}

void append(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

/// `any`: "any" for "some".
Words english(const NounPhrase& np, bool any = false) {
  Words words = {np.plural ? np.determiner->english_plural : np.determiner->english};
  if (any && words[0] == "some") words[0] = "any";
  if (np.before) words.push_back(np.before->english);
  if (np.after) words.push_back(np.after->english);
  words.push_back(np.plural ? np.noun->english_plural : np.noun->english);
  return words;
}

/// `denied`: the object of a negation, whose indefinite article becomes "de".
Words french(const NounPhrase& np, bool denied = false) {
  bool feminine = np.noun->gender == 'f';
  std::string noun = np.plural ? np.noun->french_plural : np.noun->french;
  auto agree = [&](const Adjective& adjective) { return adjective.french[2 * np.plural + feminine]; };

  Words words = {np.determiner->french[np.plural ? 2 : feminine]};
  if (np.determiner == &indefinite && (denied || (np.plural && np.before))) words[0] = "de";
  if (np.before) {
    bool liaison = !feminine && !np.plural && vowel_sound(noun);
    words.push_back(liaison ? np.before->before_vowel : agree(*np.before));
  }
  words.push_back(noun);
  if (np.after) words.push_back(agree(*np.after));
  return words;
}

std::string english(const Clause& c) {
  bool third = c.pronoun ? c.pronoun->person == 2 : !c.subject->plural;
  bool negation = c.mood == Mood::negation, question = c.mood == Mood::question;
  Words words;
  if (question) words.push_back(third ? "does" : "do");
  append(words, c.pronoun ? Words{c.pronoun->english} : english(*c.subject));
  if (negation) append(words, {third ? "does" : "do", "not"});
  words.push_back(third && !negation && !question ? c.verb->third : c.verb->english);
  if (c.object) append(words, english(*c.object, negation || question));
  if (c.place) {
    words.push_back("in");
    append(words, english(*c.place));
  }
  if (c.time) words.push_back(c.time->english);
  return join_english(words) + (question ? "?" : ".");
}

std::string french(const Clause& c) {
  int person = c.pronoun ? c.pronoun->person : c.subject->plural ? 5 : 2;
  bool negation = c.mood == Mood::negation, question = c.mood == Mood::question;
  bool direct = *c.verb->preposition == '\0';
  Words words;
  if (question) append(words, {"est-ce", "que"});
  append(words, c.pronoun ? Words{c.pronoun->french} : french(*c.subject));
  if (negation) words.push_back("ne");
  words.push_back(c.verb->french[person]);
  if (negation) words.push_back("pas");
  if (!direct) words.push_back(c.verb->preposition);
  if (c.object) append(words, french(*c.object, negation && direct));
  if (c.place) {
    words.push_back("dans");
    append(words, french(*c.place));
  }
  if (c.time) words.push_back(c.time->french);
  return join_french(words) + (question ? "\u202f?" : ".");
}

/// Sentences begin with ASCII letters in both languages here.
std::string capitalised(std::string text) {
  if (text[0] >= 'a' && text[0] <= 'z') text[0] += 'A' - 'a';
  return text;
}

/// Draws clauses. Only mt19937_64 and a modulo: the distributions of <random> differ between standard libraries.
class Sampler {
 public:
  explicit Sampler(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  Clause clause() {
    Clause c;
    c.verb = &verbs[below(std::size(verbs))];
    std::size_t mood = below(100);
    c.mood = mood < 50 ? Mood::statement : mood < 75 ? Mood::negation : Mood::question;
    if (chance(70)) {
      // The verb forms of he, she, they occur with nouns too.
      static constexpr int balanced[] = {0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 6};
      c.pronoun = &pronouns[balanced[below(std::size(balanced))]];
    } else {
      c.subject = noun_phrase(c, c.verb->subjects);
    }
    if (c.verb->objects) c.object = noun_phrase(c, c.verb->objects);
    while (c.object && (c.verb->usage & definite) && c.object->determiner == &indefinite)
      c.object->determiner = determiner(c, *c.object->noun);
    if (!c.object || (!(c.verb->usage & bare) && c.object->noun->kind != place && chance(20)))
      c.place = noun_phrase(c, place);
    if (!(c.verb->usage & bare) && chance(25)) c.time = &adverbs[below(std::size(adverbs))];
    return c;
  }

 private:
  bool chance(std::size_t percent) { return below(100) < percent; }

  /// A random entry of a table among those that `fits` accepts.
  template <class Word, std::size_t n, class Fits>
  const Word* pick(const Word (&table)[n], Fits fits) {
    std::vector<const Word*> fitting;
    for (const Word& word : table)
      if (fits(word)) fitting.push_back(&word);
    return fitting.empty() ? nullptr : fitting[below(fitting.size())];
  }

  /// "the", "a" and "this" more often than a possessive; no possessive for "man" or "girl" ("ma fille" is my daughter),
  /// no "your" (ton) in a sentence about "you all" (vous).
  const Determiner* determiner(const Clause& c, const Noun& noun) {
    static constexpr int common[] = {0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8};
    const Determiner* chosen = &determiners[common[below(std::size(common))]];
    bool possessive = chosen >= &first_possessive, plural_you = c.pronoun && c.pronoun->person == 4;
    bool odd = (possessive && (noun.kind & (adult | child))) || (chosen == &your && plural_you);
    return odd ? &the : chosen;
  }

  NounPhrase noun_phrase(const Clause& c, unsigned kinds) {
    NounPhrase np;
    np.noun = pick(nouns, [&](const Noun& noun) { return noun.kind & kinds; });
    np.determiner = determiner(c, *np.noun);
    np.plural = chance(45);
    if (chance(55)) {
      unsigned kind = np.noun->kind;
      const Adjective* adjective = pick(adjectives, [&](const Adjective& a) { return a.fits & kind; });
      (adjective->position == before ? np.before : np.after) = adjective;
      if (np.before && chance(30))
        np.after = pick(adjectives, [&](const Adjective& a) { return a.position == colour && a.fits & kind; });
    }
    return np;
  }

  std::mt19937_64 random_;
};

/// Chooses the held-out pairs of two tables: row + stride · column + offset ≡ 0 (mod 11). With 0 < stride < 11 they
/// spread evenly over the words, whatever the seed: one of any eleven neighbours in a row or column.
class HeldOut {
 public:
  explicit HeldOut(Sampler& sampler) : stride_(1 + sampler.below(10)), offset_(sampler.below(11)) {}
  bool operator()(std::size_t row, std::size_t column) const { return (row + stride_ * column + offset_) % 11 == 0; }

 private:
  std::size_t stride_, offset_;
};

/// Whether a clause has a held-out combination.
struct HeldOutPairs {
  HeldOut adjective_noun, verb_object, subject_verb;

  bool operator()(const NounPhrase& np) const {
    auto held_out = [&](const Adjective* a) { return a && adjective_noun(a - adjectives, np.noun - nouns); };
    return held_out(np.before) || held_out(np.after);
  }
  bool operator()(const Clause& c) const {
    std::size_t verb = c.verb - verbs;
    if (c.subject && ((*this)(*c.subject) || subject_verb(c.subject->noun - nouns, verb))) return true;
    if (c.object && ((*this)(*c.object) || verb_object(verb, c.object->noun - nouns))) return true;
    return c.place && (*this)(*c.place);
  }
};

}  // namespace

Pair realise(const Clause& clause) {
  if (!clause.verb || !(clause.pronoun || clause.subject))
    throw std::invalid_argument("realise: expects a verb and a subject; got none");
  if (clause.object.has_value() != (clause.verb->objects != 0))
    throw std::invalid_argument(std::string("realise: expects an object exactly if the verb takes one; got ") +
                                clause.verb->english);
  return {capitalised(english(clause)), capitalised(french(clause))};
}

Bundle bundled_corpus(std::uint64_t seed, const BundleSizes& sizes) {
  constexpr std::size_t limit = 100000;
  std::size_t total = sizes.train + sizes.valid + sizes.test;
  if (std::max({total, sizes.train, sizes.valid, sizes.test}) > limit)
    throw std::invalid_argument("bundled_corpus: expects at most 100000 pairs in all; got " + std::to_string(total));

  Sampler sampler(seed);
  HeldOutPairs held_out{HeldOut(sampler), HeldOut(sampler), HeldOut(sampler)};
  Bundle bundle;
  std::unordered_set<std::string> seen;
  while (bundle.train.size() + bundle.valid.size() + bundle.test.size() < total) {
    Clause clause = sampler.clause();
    bool to_train = !held_out(clause), to_test = !to_train && bundle.test.size() < sizes.test;
    auto& part = to_train ? bundle.train : to_test ? bundle.test : bundle.valid;
    if (part.size() == (to_train ? sizes.train : to_test ? sizes.test : sizes.valid)) continue;
    Pair pair = realise(clause);
    if (seen.insert(pair.source).second) part.push_back(std::move(pair));
  }
  return bundle;
}

}  // namespace translate
