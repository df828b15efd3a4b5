#pragma once

#include <vector>

#include "autograd/ops/reduce.hpp"

// Connectionist temporal classification (Graves, Fernández, Gomez & Schmidhuber, ICML 2006): a label sequence for an
// input sequence that is longer, without knowing where in it the labels lie. A path has one class of V at each step;
// repeated classes are merged, then blanks removed, so a·a·blank·a·b spells aab.

namespace rw::nn {

struct CtcOptions {
  /// What a row costs whose target no path of its length can spell. Its gradient is 0 in any case.
  enum class TooShort {
    infinite,  // ∞ = −log 0
    zero,      // 0, so that a mean stays finite
    refuse,    // throws std::invalid_argument where the lengths alone tell
  };

  std::vector<std::size_t> input_lengths = {};   // the valid steps of each row; empty: all T
  std::vector<std::size_t> target_lengths = {};  // the labels of each row; empty: all L
  std::int64_t blank = 0;                        // the class that stands for no label
  TooShort too_short = TooShort::infinite;
};

/// −log Σ p(path) over all paths that spell the target of each row, with p(path) = Πₜ softmax(logits)ₜ at the path; in
/// nats. logits [T, B, V], targets [B, L] -> [B].   log_softmax(logits) in their place give the same.
/// What stands in steps and labels beyond the lengths does not matter. A target with r labels equal to the one before
/// needs L + r steps; the empty target is spelled by blanks alone, also by no step at all.
/// The gradient is softmax(logits) − p(class at t | target), by the forward-backward algorithm in log space.
/// Throws std::invalid_argument where the shapes or lengths do not fit, the blank is not in [0, V), or a label is not,
/// or is the blank.
template <class T>
Variable<T> ctc_rows(const Variable<T>& logits, const Indices& targets, const CtcOptions& options = {});

/// The mean of ctc_rows over the rows: not divided by the lengths.
template <class T>
Variable<T> ctc(const Variable<T>& logits, const Indices& targets, const CtcOptions& options = {}) {
  return mean(ctc_rows(logits, targets, options));
}

namespace detail {

// The blank is a class; the lengths, or the longest for every row, are one a row and none too long.
void check_blank(const char* op, std::int64_t blank, std::size_t classes);
std::vector<std::size_t> ctc_lengths(const char* op, const std::string& what, std::vector<std::size_t> lengths,
                                     std::size_t rows, std::size_t longest);

}  // namespace detail

struct CtcDecodeOptions {
  std::vector<std::size_t> lengths = {};  // the valid steps of each row; empty: all T
  std::int64_t blank = 0;
  std::size_t width = 16;  // of the beam: the prefixes kept after each step
};

/// What the likeliest path spells, for each row.   logits [T, B, V]. It need not be the likeliest sequence, which has
/// many paths. Throws std::invalid_argument where the lengths or the blank do not fit.
template <class T>
std::vector<std::vector<std::int64_t>> ctc_best_path(const Tensor<T>& logits, const CtcDecodeOptions& options = {});

struct CtcHypothesis {
  std::vector<std::int64_t> labels;
  double log_probability;  // of those paths that the beam followed, at most that of all paths
};

/// The likeliest label sequences of each row by prefix beam search (Graves 2012, section 7.5.3; Hannun et al. 2014,
/// without language model), at most `width`, the best first; exact where no prefix was left out.   logits [T, B, V].
/// Throws std::invalid_argument where the lengths or the blank do not fit, the width is 0, or a valid step is NaN.
template <class T>
std::vector<std::vector<CtcHypothesis>> ctc_beam_search(const Tensor<T>& logits, const CtcDecodeOptions& options = {});

}  // namespace rw::nn
