#pragma once

#include <algorithm>

#include "examples/forms/form.hpp"

// Sequences of digits and the same backwards: the task of the last two lessons.

namespace course {

constexpr std::int64_t end = 10;  // the symbol after the digits, and what a decoder reads first

struct Reversal {
  rw::Indices source, target;  // [L, B] of digits; [L + 1, B], the same backwards and an end

  std::size_t rows() const { return source.shape()[1]; }

  /// Symbol t of the target, [B].
  rw::Indices target_at(std::size_t t) const {
    rw::Indices row = rw::empty<std::int64_t>({rows()});
    std::copy_n(target.data() + t * rows(), rows(), row.data());
    return row;
  }
};

inline Reversal reversal(std::size_t length, std::size_t rows, rw::Random& random) {
  Reversal r{rw::zeros<std::int64_t>({length, rows}), rw::full<std::int64_t>({length + 1, rows}, end)};
  for (std::size_t t = 0; t < length; ++t) {
    for (std::size_t b = 0; b < rows; ++b) {
      r.source(t, b) = r.target(length - 1 - t, b) = static_cast<std::int64_t>(random.below(10));
    }
  }
  return r;
}

/// The share of rows of logits [L + 1, B, 11] that are right from the first symbol to the end.
inline double share_right(const rw::Variable<double>& logits, const Reversal& asked) {
  const rw::Indices written = forms::likeliest(logits);
  double right = 0;
  for (std::size_t b = 0; b < asked.rows(); ++b) {
    bool same = true;
    for (std::size_t t = 0; t < asked.target.shape()[0]; ++t) same = same && written(t, b) == asked.target(t, b);
    right += same;
  }
  return right / static_cast<double>(asked.rows());
}

/// The share of 500 sequences of each length that write(asked), which returns logits, gets right.
template <class Write>
std::vector<double> shares_right(const std::vector<double>& lengths, rw::Random& random, const Write& write) {
  std::vector<double> shares;
  for (const double length : lengths) {
    const Reversal asked = reversal(static_cast<std::size_t>(length), 500, random);
    shares.push_back(share_right(write(asked), asked));
  }
  return shares;
}

}  // namespace course
