#pragma once

#include "examples/translate/model.hpp"

namespace translate {

/// The most pieces a translation of a source of `source_pieces` may have.
std::size_t longest_translation(std::size_t source_pieces);

/// The best translation of each source (pieces ending with eos), without eos, word by word the likeliest next one.
template <class T>
std::vector<std::vector<int>> greedy(const Model<T>& model, const std::vector<std::vector<int>>& sources);

struct BeamOptions {
  std::size_t size = 5;
  double length_penalty = 1;  // α of ((5 + |y|)/6)^α, which divides the log-probability (Wu et al. 2016)
};

/// Beam search: at each step the `size` likeliest partial translations of each source are kept; the finished one of
/// the best length-normalised score wins. Equal scores are decided by the smaller piece number. A beam of one equals
/// greedy(). Throws std::invalid_argument where the size is 0.
template <class T>
std::vector<std::vector<int>> beam_search(const Model<T>& model, const std::vector<std::vector<int>>& sources,
                                          const BeamOptions& options);

extern template std::vector<std::vector<int>> greedy(const Model<float>&, const std::vector<std::vector<int>>&);
extern template std::vector<std::vector<int>> greedy(const Model<double>&, const std::vector<std::vector<int>>&);
extern template std::vector<std::vector<int>> beam_search(const Model<float>&, const std::vector<std::vector<int>>&,
                                                          const BeamOptions&);
extern template std::vector<std::vector<int>> beam_search(const Model<double>&, const std::vector<std::vector<int>>&,
                                                          const BeamOptions&);

}  // namespace translate
