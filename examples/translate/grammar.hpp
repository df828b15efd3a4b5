#pragma once

// A small grammar that says the same clause in English and in French.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "corpus.hpp"
#include "lexicon.hpp"

namespace translate {

/// Determiner, adjectives and noun: "these small black cats" / « ces petits chats noirs ».
/// Words point into the tables of lexicon.hpp; an adjective may be missing.
struct NounPhrase {
  const lexicon::Determiner* determiner = nullptr;
  const lexicon::Noun* noun = nullptr;
  bool plural = false;
  const lexicon::Adjective* before = nullptr;
  const lexicon::Adjective* after = nullptr;
};

enum class Mood { statement, negation, question };

/// Subject, verb, object, place, time, in the present tense. Without `pronoun` the subject is `subject`.
struct Clause {
  Mood mood = Mood::statement;
  const lexicon::Pronoun* pronoun = nullptr;
  std::optional<NounPhrase> subject;
  const lexicon::Verb* verb = nullptr;
  std::optional<NounPhrase> object;
  std::optional<NounPhrase> place;  ///< after "in" / « dans »
  const lexicon::Adverb* time = nullptr;
};

/// Both sentences of a clause, with capital and final mark; U+202F before the French question mark.
/// French agrees, elides (l' j' n' d' qu', cet, mon école, bel), contracts (au, aux), and says « pas de » for a denied
/// "a"/"any" and « de » for "some" before an adjective. The French is a function of the English.
/// Throws std::invalid_argument if verb or subject is missing, or the object does not go with the verb.
Pair realise(const Clause& clause);

struct Bundle {
  std::vector<Pair> train, valid, test;
};

struct BundleSizes {
  std::size_t train = 20000, valid = 500, test = 500;
};

/// Distinct sentence pairs of mostly 4 to 12 words, the same for the same seed on every platform. One in eleven of the
/// word combinations (adjective, noun), (verb, object noun) and (subject noun, verb) are held out; the seed says which.
/// Each sentence of `valid` and `test` has at least one of them, no sentence of `train` has any; the three sets share
/// no sentence. `test` does not depend on the other sizes. Throws std::invalid_argument above 100,000 pairs.
Bundle bundled_corpus(std::uint64_t seed, const BundleSizes& sizes = {});

}  // namespace translate
