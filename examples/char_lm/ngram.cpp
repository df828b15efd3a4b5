#include "examples/char_lm/ngram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace char_lm {

NGram::NGram(std::string text, std::size_t order) : text_(std::move(text)), order_(order) {
  const std::string_view all = text_;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t n = 0; n < order && n <= i; ++n) {
      Counts& context = counts_[all.substr(i - n, n)];  // references stay valid when the map grows
      Counts& whole = counts_[all.substr(i - n, n + 1)];
      ++context.followed;
      if (whole.here++ == 0) ++context.kinds;
    }
  }
}

double NGram::probability(std::string_view text, std::size_t at, std::size_t order) const {
  double p = 1.0 / 256;
  for (std::size_t n = 0; n < order && n <= at; ++n) {
    const auto context = counts_.find(text.substr(at - n, n));
    if (context == counts_.end() || context->second.followed == 0) break;
    const auto whole = counts_.find(text.substr(at - n, n + 1));
    const double here = whole == counts_.end() ? 0 : whole->second.here, kinds = context->second.kinds;
    p = (here + kinds * p) / (context->second.followed + kinds);
  }
  return p;
}

double NGram::bits(std::string_view text, std::size_t order) const {
  double all = 0;
  for (std::size_t i = 0; i < text.size(); ++i) all -= std::log2(probability(text, i, order));
  return all;
}

std::size_t NGram::best_order(std::string_view valid) const {
  std::size_t best = 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t order = 1; order <= order_; ++order) {
    const double needed = bits(valid, order);
    if (needed < least) least = needed, best = order;
  }
  return best;
}

}  // namespace char_lm
