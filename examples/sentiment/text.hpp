#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/random.hpp"

namespace sentiment {

struct Example {
  std::string label;
  std::vector<std::string> words;
  std::vector<Example> phrases = {};  // within, where they have labels of their own
};

/// What a model learns from, what chooses among its states, and what it is judged by.
struct Parts {
  std::vector<Example> train, valid, test;
};

/// Stretches of ASCII letters in lower case, digits, apostrophes and bytes beyond ASCII; any other character but white
/// space is a word of its own. A text without any is one empty word.
std::vector<std::string> words_of(std::string_view text);

struct Columns {
  std::size_t label = 1, text = 2;
};

/// Texts with their labels: lines of columns between tabs; or, where the first line begins with a bracket, trees of the
/// Stanford Sentiment Treebank (Socher et al. 2013), of which sentences are read with the phrases within, 0 and 1 as
/// negative, 3 and 4 as positive, 2 not at all. Throws std::runtime_error where the file cannot be read, a line is none
/// of these, or there is no text in it.
std::vector<Example> read_examples(const std::string& path, const Columns& columns);

/// The labels that occur, sorted.
std::vector<std::string> labels_of(std::span<const Example> examples);

/// Takes the first example away where it is a header of columns: where its label is neither known nor that of another,
/// and the others have two labels or more.
bool drop_header(std::vector<Example>& examples, const std::vector<std::string>& known);

/// These and the phrases within them.
std::vector<Example> with_phrases(const std::vector<Example>& examples);

/// Moves so many examples, drawn at random, from one set to another.
void hold_out(std::vector<Example>& from, std::size_t count, std::vector<Example>& to, rw::Random& random);

/// Verdicts of a grammar, in which "not" turns a word round and, of two clauses, "but" and "although" say which one
/// counts. Two thirds of those of one clause and half of the others can be told by their words alone: the order
/// decides. No sentence stands there twice; the same on every machine.
Parts verdicts(std::size_t train, std::size_t held_out);

}  // namespace sentiment
