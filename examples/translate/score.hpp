#pragma once
/// Corpus scores of translations, equal to sacreBLEU's (Post 2018, "A Call for Clarity in Reporting BLEU Scores").
/// `hypotheses` is one translation a sentence, `references` one or more right answers a sentence (their number may
/// differ). All scores are percentages, 0 to 100. All throw std::invalid_argument if there is no sentence, the two
/// lists differ in length, or a sentence has no reference.

#include <string>
#include <string_view>
#include <vector>

namespace translate {

using References = std::vector<std::vector<std::string>>;

struct ScoreOptions {
  bool lowercase = false;  ///< compare in lower case (sacreBLEU's -lc)
};

/// BLEU (Papineni et al. 2002): BP · exp(¼ Σₙ log pₙ), pₙ the clipped precision of n-grams, n = 1..4, BP = min(1,
/// e^{1-r/h}) with the reference length r closest to each hypothesis (the shorter one of two equally close). Tokens as
/// in mteval-v13a; a precision of zero counts as 1/(2ᵏ·total) for the k-th such order ("exp" smoothing). Signature
/// `case:mixed|eff:no|tok:13a|smooth:exp`.
double bleu(const std::vector<std::string>& hypotheses, const References& references, ScoreOptions options = {});

/// chrF2 (Popović 2015): F₂ of character n-grams, n = 1..6, without white space; P and R are averages over the orders
/// that occur; each sentence is compared with its best reference. Signature `eff:yes|nc:6|nw:0|space:no`.
double chrf(const std::vector<std::string>& hypotheses, const References& references, ScoreOptions options = {});

/// Share of hypotheses that equal one of their references; white space at both ends does not count.
double exact(const std::vector<std::string>& hypotheses, const References& references, ScoreOptions options = {});

/// `line` in the tokens of mteval-v13a, as BLEU counts them.
std::vector<std::string> tokenize_13a(std::string_view line);

}  // namespace translate
