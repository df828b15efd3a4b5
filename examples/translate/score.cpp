#include "score.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <unordered_map>

#include "unicode.hpp"

namespace translate {
namespace {

/// How often each n-gram occurs. A sentence is a string of symbols: code points for chrF, numbered tokens for BLEU.
using Counts = std::unordered_map<std::u32string, long>;

Counts count_ngrams(const std::u32string& symbols, std::size_t order) {
  Counts counts;
  for (std::size_t i = 0; i + order <= symbols.size(); ++i) ++counts[symbols.substr(i, order)];
  return counts;
}

long total_of(const std::u32string& symbols, std::size_t order) {
  return symbols.size() < order ? 0 : long(symbols.size() - order + 1);
}

/// Σ over the n-grams of `counts` of the smaller of both counts.
long matches(const Counts& counts, const Counts& limits) {
  long sum = 0;
  for (const auto& entry : counts) {
    const auto found = limits.find(entry.first);
    if (found != limits.end()) sum += std::min(entry.second, found->second);
  }
  return sum;
}

void check(const std::string& op, const std::vector<std::string>& hypotheses, const References& references) {
  if (hypotheses.empty() || hypotheses.size() != references.size())
    throw std::invalid_argument(op + ": as many references as hypotheses, at least one, expected; got " +
                                std::to_string(hypotheses.size()) + " hypotheses, " +
                                std::to_string(references.size()) + " references");
  for (std::size_t i = 0; i < references.size(); ++i)
    if (references[i].empty())
      throw std::invalid_argument(op + ": a reference for every sentence expected; got none for sentence " +
                                  std::to_string(i + 1));
}

std::string cased(const std::string& text, ScoreOptions options) { return options.lowercase ? lowercase(text) : text; }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Rewrites every pair of neighbours that `matches(left, right)`, left to right and without overlap, as
/// before + left + between + right + after.
template <class Matches>
std::string space_pairs(const std::string& text, Matches matches, std::string_view before, std::string_view after) {
  std::string spaced;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !matches(text[i], text[i + 1])) {
      spaced += text[i];
      continue;
    }
    spaced.append(before).append(1, text[i]).append(1, ' ').append(1, text[i + 1]).append(after);
    ++i;
  }
  return spaced;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }

/// ASCII punctuation and symbols other than ' , - .
bool is_symbol(char c) {
  return c > ' ' && c < 127 && !is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
         std::string_view("',-.").find(c) == std::string_view::npos;
}

/// Numbers words in order of first sight, so that a sentence becomes a string of symbols.
class Numbering {
 public:
  std::u32string operator()(const std::vector<std::string>& words) {
    std::u32string symbols;
    for (const std::string& word : words)
      symbols += char32_t(numbers_.try_emplace(word, numbers_.size()).first->second);
    return symbols;
  }

 private:
  std::unordered_map<std::string, std::size_t> numbers_;
};

constexpr std::size_t word_orders = 4, character_orders = 6;

/// n-grams of one order: in the hypotheses, in the references, and in both.
struct Overlap {
  long hypothesis = 0, reference = 0, both = 0;
};
using Overlaps = std::array<Overlap, character_orders>;

double f2(const Overlaps& overlaps) {
  double precision = 0, recall = 0;
  int orders = 0;
  for (const Overlap& o : overlaps) {
    if (o.hypothesis == 0 || o.reference == 0) continue;
    precision += double(o.both) / o.hypothesis;
    recall += double(o.both) / o.reference;
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  return 100 * 5 * precision * recall / (4 * precision + recall);
}

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view line) {
  while (!line.empty() && trim(line.substr(line.size() - 1)).empty()) line.remove_suffix(1);
  std::string text(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");

  std::string spaced = " ";
  for (char c : text) spaced += is_symbol(c) ? std::string{' ', c, ' '} : std::string(1, c);
  spaced += ' ';
  // Bytes do here for characters: all that is looked at is ASCII, and a byte of a longer character is never a digit.
  spaced = space_pairs(
      spaced, [](char left, char right) { return !is_digit(left) && is_stop(right); }, "", " ");
  spaced = space_pairs(
      spaced, [](char left, char right) { return is_stop(left) && !is_digit(right); }, " ", "");
  spaced = space_pairs(
      spaced, [](char left, char right) { return is_digit(left) && right == '-'; }, "", " ");
  return split_whitespace(spaced);
}

double bleu(const std::vector<std::string>& hypotheses, const References& references, ScoreOptions options) {
  check("bleu", hypotheses, references);
  Numbering number;
  const auto symbols_of = [&](const std::string& text) { return number(tokenize_13a(cased(text, options))); };
  long hypothesis_length = 0, reference_length = 0;
  std::array<long, word_orders> correct{}, total{};
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const std::u32string hypothesis = symbols_of(hypotheses[i]);
    std::vector<std::u32string> answers;
    for (const std::string& reference : references[i]) answers.push_back(symbols_of(reference));

    const auto closer = [&](const std::u32string& a, const std::u32string& b) {
      const long distance_a = std::abs(long(a.size()) - long(hypothesis.size()));
      const long distance_b = std::abs(long(b.size()) - long(hypothesis.size()));
      return distance_a != distance_b ? distance_a < distance_b : a.size() < b.size();
    };
    hypothesis_length += long(hypothesis.size());
    reference_length += long(std::min_element(answers.begin(), answers.end(), closer)->size());

    for (std::size_t n = 1; n <= word_orders; ++n) {
      Counts limits;
      for (const std::u32string& answer : answers)
        for (const auto& entry : count_ngrams(answer, n)) {
          long& limit = limits[entry.first];
          limit = std::max(limit, entry.second);
        }
      correct[n - 1] += matches(count_ngrams(hypothesis, n), limits);
      total[n - 1] += total_of(hypothesis, n);
    }
  }

  // Without any match, or without a single 4-gram to judge, the score is 0.
  if (correct[0] == 0 || total.back() == 0) return 0;
  double sum = 0, doubling = 1;
  for (std::size_t n = 0; n < word_orders; ++n) {
    if (correct[n] == 0) doubling *= 2;
    sum += std::log(100.0 * (correct[n] == 0 ? 1 / doubling : double(correct[n])) / total[n]);
  }
  const double penalty =
      hypothesis_length < reference_length ? std::exp(1 - double(reference_length) / hypothesis_length) : 1;
  return penalty * std::exp(sum / word_orders);
}

double chrf(const std::vector<std::string>& hypotheses, const References& references, ScoreOptions options) {
  check("chrf", hypotheses, references);
  const auto symbols_of = [&](const std::string& text) {
    std::u32string symbols = code_points(cased(text, options));
    symbols.erase(std::remove_if(symbols.begin(), symbols.end(), is_space), symbols.end());
    return symbols;
  };
  Overlaps sum{};
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const std::u32string hypothesis = symbols_of(hypotheses[i]);
    std::array<Counts, character_orders> counts;
    for (std::size_t n = 1; n <= character_orders; ++n) counts[n - 1] = count_ngrams(hypothesis, n);

    Overlaps best{};
    double best_score = -1;
    for (const std::string& reference : references[i]) {
      const std::u32string answer = symbols_of(reference);
      Overlaps overlaps;
      for (std::size_t n = 1; n <= character_orders; ++n) {
        const long in_answer = total_of(answer, n);
        overlaps[n - 1] = {in_answer == 0 ? 0 : total_of(hypothesis, n), in_answer,
                           matches(counts[n - 1], count_ngrams(answer, n))};
      }
      const double score = f2(overlaps);
      if (score <= best_score) continue;
      best_score = score;
      best = overlaps;
    }
    for (std::size_t n = 0; n < character_orders; ++n) {
      sum[n].hypothesis += best[n].hypothesis;
      sum[n].reference += best[n].reference;
      sum[n].both += best[n].both;
    }
  }
  return f2(sum);
}

double exact(const std::vector<std::string>& hypotheses, const References& references, ScoreOptions options) {
  check("exact", hypotheses, references);
  std::size_t right = 0;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const std::string hypothesis = cased(hypotheses[i], options);
    right += std::any_of(references[i].begin(), references[i].end(), [&](const std::string& reference) {
      return trim(cased(reference, options)) == trim(hypothesis);
    });
  }
  return 100.0 * right / hypotheses.size();
}

}  // namespace translate
