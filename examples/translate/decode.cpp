#include "examples/translate/decode.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "examples/translate/batches.hpp"
#include "examples/translate/subwords.hpp"

namespace translate {
namespace {

using rw::Tensor;
using rw::Variable;

template <class T>
typename Model<T>::Encoded read_sources(const Model<T>& model, const std::vector<std::vector<int>>& sources) {
  rw::Indices ids;
  std::vector<std::size_t> lengths;
  pad_sources(sources, ids, lengths);
  return model.encode(ids, lengths, nullptr);
}

// Piece numbers that never stand in a translation.
template <class T>
void forbid(Tensor<T>& logits) {
  const std::size_t v = logits.shape(1);
  for (std::size_t b = 0; b < logits.shape(0); ++b) {
    logits.data()[b * v + Subwords::pad] = logits.data()[b * v + Subwords::bos] = -std::numeric_limits<T>::infinity();
  }
}

rw::Indices as_indices(const std::vector<int>& words) {
  rw::Indices ids = rw::empty<std::int64_t>({words.size()});
  std::copy(words.begin(), words.end(), ids.data());
  return ids;
}

std::size_t longest_source(const std::vector<std::vector<int>>& sources) {
  std::size_t n = 0;
  for (const auto& source : sources) n = std::max(n, source.size());
  return n;
}

// A partial or finished translation in a beam.
struct Hypothesis {
  std::vector<int> words;
  double score = 0;     // log-probability
  std::size_t row = 0;  // of the decoder's batch
};

double normalised(const Hypothesis& h, double alpha) {
  return h.score / std::pow((5.0 + double(h.words.size())) / 6.0, alpha);
}

struct Beam {
  std::vector<Hypothesis> open, finished;
};

struct Candidate {
  double score;
  std::size_t parent;  // in open
  int word;
  // Ascending order puts the best first; the tie is decided by parent and word.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return std::tuple(-a.score, a.parent, a.word) < std::tuple(-b.score, b.parent, b.word);
  }
};

// The `keep` best continuations of a beam. logp [rows, V].
template <class T>
std::vector<Candidate> best_candidates(const Beam& beam, const Tensor<T>& logp, std::size_t keep) {
  const std::size_t v = logp.shape(1);
  std::vector<Candidate> all;
  for (std::size_t p = 0; p < beam.open.size(); ++p) {
    const T* row = logp.data() + beam.open[p].row * v;
    std::vector<Candidate> own;
    own.reserve(v);
    for (std::size_t w = 0; w < v; ++w) {
      if (row[w] > -std::numeric_limits<T>::infinity())
        own.push_back({beam.open[p].score + double(row[w]), p, static_cast<int>(w)});
    }
    const auto middle = own.begin() + static_cast<std::ptrdiff_t>(std::min(keep, own.size()));
    std::partial_sort(own.begin(), middle, own.end());
    all.insert(all.end(), own.begin(), middle);
  }
  std::sort(all.begin(), all.end());
  if (all.size() > keep) all.resize(keep);
  return all;
}

// Rows of x along `axis`, in the given order and as often as asked.
template <class T>
Variable<T> rows_of(const Variable<T>& x, const std::vector<std::size_t>& rows, std::size_t axis) {
  const rw::Indices ids = as_indices({rows.begin(), rows.end()});
  if (axis == 0) return gather_rows(x, ids);
  std::vector<Variable<T>> steps;
  for (const Variable<T>& step : unstack(x)) steps.push_back(gather_rows(step, ids));
  return stack(steps);
}

template <class T>
rw::nn::Memory<T> memory_rows(const rw::nn::Memory<T>& m, const std::vector<std::size_t>& rows) {
  return {rows_of(m.values, rows, 1), rows_of(m.keys, rows, 1), rows_of(Variable<T>(m.mask), rows, 1).value()};
}

}  // namespace

std::size_t longest_translation(std::size_t source_pieces) { return 2 * source_pieces + 10; }

template <class T>
std::vector<std::vector<int>> greedy(const Model<T>& model, const std::vector<std::vector<int>>& sources) {
  const auto encoded = read_sources(model, sources);
  Variable<T> state = encoded.state;
  std::vector<std::vector<int>> translations(sources.size());
  std::vector<int> words(sources.size(), Subwords::bos);
  std::vector<char> done(sources.size(), 0);
  for (std::size_t step = 0; step < longest_translation(longest_source(sources)); ++step) {
    auto next = model.next(as_indices(words), state, encoded.memory);
    state = next.state;
    Tensor<T> logits = log_softmax(next.logits).value();
    forbid(logits);
    const std::size_t v = logits.shape(1);
    bool all_done = true;
    for (std::size_t b = 0; b < words.size(); ++b) {
      const T* row = logits.data() + b * v;
      words[b] = static_cast<int>(std::max_element(row, row + v) - row);
      const bool is_word = row[words[b]] > -std::numeric_limits<T>::infinity() && words[b] != Subwords::eos;
      done[b] |= !is_word || step >= longest_translation(sources[b].size());
      if (!done[b]) translations[b].push_back(words[b]);
      all_done = all_done && done[b];
    }
    if (all_done) break;
  }
  return translations;
}

template <class T>
std::vector<std::vector<int>> beam_search(const Model<T>& model, const std::vector<std::vector<int>>& sources,
                                          const BeamOptions& options) {
  if (options.size == 0) rw::fail("beam_search", "a beam of at least one", options.size);
  const auto encoded = read_sources(model, sources);
  std::vector<Beam> beams(sources.size());
  std::vector<std::size_t> source_of(sources.size());
  for (std::size_t b = 0; b < sources.size(); ++b) {
    beams[b].open.push_back({{}, 0, b});
    source_of[b] = b;
  }
  Variable<T> state = encoded.state;
  rw::nn::Memory<T> memory = encoded.memory;
  std::vector<int> words(sources.size(), Subwords::bos);
  for (std::size_t step = 0; !words.empty(); ++step) {
    const auto next = model.next(as_indices(words), state, memory);
    Tensor<T> logp = log_softmax(next.logits).value();
    forbid(logp);
    words.clear();
    std::vector<std::size_t> parent_rows, sources_now;
    for (std::size_t b = 0; b < beams.size(); ++b) {
      Beam& beam = beams[b];
      const std::size_t width = options.size - beam.finished.size();
      std::vector<Hypothesis> open;
      if (!beam.open.empty() && width > 0) {
        for (const Candidate& c : best_candidates(beam, logp, width)) {
          Hypothesis h{beam.open[c.parent].words, c.score, words.size()};
          if (c.word == Subwords::eos || step >= longest_translation(sources[b].size())) {
            beam.finished.push_back(std::move(h));
            continue;
          }
          h.words.push_back(c.word);
          words.push_back(c.word);
          parent_rows.push_back(beam.open[c.parent].row);
          sources_now.push_back(b);
          open.push_back(std::move(h));
        }
      }
      beam.open = std::move(open);
    }
    if (words.empty()) break;
    state = rows_of(next.state, parent_rows, 0);
    if (sources_now != source_of) {
      memory = memory_rows(encoded.memory, sources_now);
      source_of = sources_now;
    }
  }
  std::vector<std::vector<int>> translations;
  for (Beam& beam : beams) {
    const auto best =
        std::max_element(beam.finished.begin(), beam.finished.end(), [&](const Hypothesis& a, const Hypothesis& b) {
          return normalised(a, options.length_penalty) < normalised(b, options.length_penalty);
        });
    // None is finished where no score was a number.
    translations.push_back(best == beam.finished.end() ? std::vector<int>() : std::move(best->words));
  }
  return translations;
}

template std::vector<std::vector<int>> greedy(const Model<float>&, const std::vector<std::vector<int>>&);
template std::vector<std::vector<int>> greedy(const Model<double>&, const std::vector<std::vector<int>>&);
template std::vector<std::vector<int>> beam_search(const Model<float>&, const std::vector<std::vector<int>>&,
                                                   const BeamOptions&);
template std::vector<std::vector<int>> beam_search(const Model<double>&, const std::vector<std::vector<int>>&,
                                                   const BeamOptions&);

}  // namespace translate
