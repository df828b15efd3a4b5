#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace char_lm {

/// The baseline: how often each byte followed the n − 1 before it, mixed with the same for fewer (Witten & Bell 1991;
/// in the form of Chen & Goodman 1999):
///     p(c | context) = (n(context c) + d(context)·p(c | shorter context)) / (n(context) + d(context))
/// n counts, d counts distinct followers; below the empty context all 256 bytes are equally likely.
class NGram {
 public:
  /// Counts all orders up to `order`.
  NGram(std::string text, std::size_t order);

  /// p(text[at] | the up to order − 1 bytes before it).
  double probability(std::string_view text, std::size_t at, std::size_t order) const;

  /// −log₂ p of a whole text.
  double bits(std::string_view text, std::size_t order) const;

  /// Up to the counted one, that which needs fewest bits for `valid`.
  std::size_t best_order(std::string_view valid) const;

 private:
  struct Counts {
    double here = 0, followed = 0, kinds = 0;  // occurrences, those with a follower, distinct followers
  };

  std::string text_;
  std::size_t order_;
  std::unordered_map<std::string_view, Counts> counts_;  // of stretches of text_
};

}  // namespace char_lm
