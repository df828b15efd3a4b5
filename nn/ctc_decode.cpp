#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "autograd/kernels/softmax.hpp"
#include "nn/ctc.hpp"

namespace rw::nn {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
std::vector<std::size_t> check_decode(const char* op, const Tensor<T>& logits, const CtcDecodeOptions& options) {
  check_rank(op, logits.shape(), 3);
  detail::check_blank(op, options.blank, logits.shape()[2]);
  return detail::ctc_lengths(op, "input", options.lengths, logits.shape()[1], logits.shape()[0]);
}

double log_sum(double a, double b) {
  const double largest = std::max(a, b), other = std::min(a, b);
  return other == -infinity ? largest : largest + std::log1p(std::exp(other - largest));
}

using Labels = std::vector<std::int64_t>;

// The prefixes of label sequences as a tree, in which each has one number. The empty one is 0.
class Prefixes {
 public:
  std::size_t longer(std::size_t prefix, std::int64_t label) {
    const auto [it, fresh] = number_.try_emplace({prefix, label}, nodes_.size());
    if (fresh) nodes_.push_back({prefix, label});
    return it->second;
  }
  std::size_t parent(std::size_t prefix) const { return nodes_[prefix].parent; }
  std::int64_t last(std::size_t prefix) const { return nodes_[prefix].label; }
  Labels labels(std::size_t prefix) const {
    Labels all;
    for (; prefix != 0; prefix = parent(prefix)) all.push_back(last(prefix));
    std::reverse(all.begin(), all.end());
    return all;
  }

 private:
  struct Node {
    std::size_t parent;
    std::int64_t label;
  };
  std::vector<Node> nodes_{{0, -1}};
  std::map<std::pair<std::size_t, std::int64_t>, std::size_t> number_;
};

// A prefix, or one and a label more, with log p of the paths that spell it so far, by what they end with.
struct Candidate {
  std::size_t prefix;
  std::int64_t more;  // −1: none
  double blank, label;
  double both = -infinity;
};

// The beam after a step with the log-probabilities p[0 ... classes), the likeliest first.
template <class T>
std::vector<Candidate> after_step(const std::vector<Candidate>& beam, Prefixes& prefixes, const T* p,
                                  std::size_t classes, const CtcDecodeOptions& options) {
  std::map<std::size_t, std::size_t> place;  // in the beam, of a prefix
  for (std::size_t i = 0; i < beam.size(); ++i) place[beam[i].prefix] = i;
  std::vector<std::size_t> kept(beam.size() * classes, beam.size());  // the place of a prefix and a label more
  std::vector<Candidate> next;
  for (std::size_t i = 0; i < beam.size(); ++i) {
    const auto& [prefix, more, blank, label, both] = beam[i];
    next.push_back({prefix, -1, both + p[options.blank], -infinity});
    if (prefix == 0) continue;
    next.back().label = label + p[prefixes.last(prefix)];
    const auto parent = place.find(prefixes.parent(prefix));
    if (parent != place.end()) kept[parent->second * classes + static_cast<std::size_t>(prefixes.last(prefix))] = i;
  }
  for (std::size_t i = 0; i < beam.size(); ++i) {
    for (std::size_t c = 0; c < classes; ++c) {
      const auto k = static_cast<std::int64_t>(c);
      if (k == options.blank) continue;
      // A label that is repeated makes a second one only after a blank.
      const double extended = (prefixes.last(beam[i].prefix) == k ? beam[i].blank : beam[i].both) + p[c];
      const std::size_t same = kept[i * classes + c];
      if (same < beam.size()) {
        next[same].label = log_sum(next[same].label, extended);
      } else if (extended > -infinity) {
        next.push_back({beam[i].prefix, k, -infinity, extended});
      }
    }
  }
  for (Candidate& c : next) c.both = log_sum(c.blank, c.label);
  const auto better = [](const Candidate& a, const Candidate& b) {
    return std::tie(b.both, a.prefix, a.more) < std::tie(a.both, b.prefix, b.more);
  };
  const std::size_t width = std::min(options.width, next.size());
  std::partial_sort(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(width), next.end(), better);
  next.resize(width);
  while (!next.empty() && next.back().both == -infinity) next.pop_back();
  for (Candidate& c : next) {
    if (c.more >= 0) c.prefix = prefixes.longer(c.prefix, c.more);
  }
  return next;
}

}  // namespace

template <class T>
std::vector<Labels> ctc_best_path(const Tensor<T>& logits, const CtcDecodeOptions& options) {
  const std::vector<std::size_t> lengths = check_decode("ctc_best_path", logits, options);
  const std::size_t rows = logits.shape()[1], classes = logits.shape()[2];
  std::vector<Labels> spelled(rows);
  for (std::size_t b = 0; b < rows; ++b) {
    std::int64_t before = options.blank;
    for (std::size_t t = 0; t < lengths[b]; ++t) {
      const T* x = logits.data() + (t * rows + b) * classes;
      const std::int64_t k = std::max_element(x, x + classes) - x;
      if (k != options.blank && k != before) spelled[b].push_back(k);
      before = k;
    }
  }
  return spelled;
}

template <class T>
std::vector<std::vector<CtcHypothesis>> ctc_beam_search(const Tensor<T>& logits, const CtcDecodeOptions& options) {
  const char* op = "ctc_beam_search";
  const std::vector<std::size_t> lengths = check_decode(op, logits, options);
  if (options.width == 0) fail(op, "a width of at least 1", options.width);
  const std::size_t rows = logits.shape()[1], classes = logits.shape()[2];
  const Tensor<T> log_p = rw::kernels::log_softmax<T>(logits, 2);
  std::vector<std::vector<CtcHypothesis>> found;
  for (std::size_t b = 0; b < rows; ++b) {
    Prefixes prefixes;
    std::vector<Candidate> beam{{0, -1, 0, -infinity, 0}};
    for (std::size_t t = 0; t < lengths[b]; ++t) {
      const T* p = log_p.data() + (t * rows + b) * classes;
      if (std::any_of(p, p + classes, [](T x) { return std::isnan(x); })) {
        fail(op, "numbers in the valid steps", "NaN in row ", b, " at step ", t);
      }
      beam = after_step(beam, prefixes, p, classes, options);
    }
    std::vector<CtcHypothesis>& row = found.emplace_back();
    for (const Candidate& c : beam) row.push_back({prefixes.labels(c.prefix), c.both});
  }
  return found;
}

template std::vector<Labels> ctc_best_path(const Tensor<float>&, const CtcDecodeOptions&);
template std::vector<Labels> ctc_best_path(const Tensor<double>&, const CtcDecodeOptions&);
template std::vector<std::vector<CtcHypothesis>> ctc_beam_search(const Tensor<float>&, const CtcDecodeOptions&);
template std::vector<std::vector<CtcHypothesis>> ctc_beam_search(const Tensor<double>&, const CtcDecodeOptions&);

}  // namespace rw::nn
