#include "examples/translate/batches.hpp"

#include <algorithm>
#include <numeric>

namespace translate {
namespace {

constexpr std::size_t batches_a_pool = 50;

std::size_t longest(const std::vector<const std::vector<int>*>& rows) {
  std::size_t n = 0;
  for (const auto* row : rows) n = std::max(n, row->size());
  return n;
}

// Rows as columns of a [time, row] tensor, padded; the ids of each row start at time `first`.
rw::Indices padded(const std::vector<const std::vector<int>*>& rows, std::size_t steps, std::size_t first) {
  rw::Indices ids = rw::full<std::int64_t>({steps, rows.size()}, Subwords::pad);
  for (std::size_t b = 0; b < rows.size(); ++b) {
    for (std::size_t t = 0; t < rows[b]->size() && t + first < steps; ++t) {
      ids.data()[(t + first) * rows.size() + b] = (*rows[b])[t];
    }
  }
  return ids;
}

}  // namespace

std::vector<Encoded> encode_pairs(const std::vector<Pair>& pairs, const Subwords& source, const Subwords& target) {
  std::vector<Encoded> encoded;
  encoded.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    Encoded e{source.encode(pair.source), target.encode(pair.target)};
    if (e.source.size() >= longest_sentence || e.target.size() >= longest_sentence) continue;
    e.source.push_back(Subwords::eos);
    e.target.push_back(Subwords::eos);
    encoded.push_back(std::move(e));
  }
  return encoded;
}

std::vector<std::vector<std::size_t>> bucketed(const std::vector<Encoded>& pairs, std::size_t size,
                                               rw::Random& random) {
  if (size == 0) rw::fail("bucketed", "batches of at least one pair", size);
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  std::vector<std::vector<std::size_t>> batches;
  const std::size_t pool = size * batches_a_pool;
  for (std::size_t begin = 0; begin < order.size(); begin += pool) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = order.begin() + static_cast<std::ptrdiff_t>(std::min(begin + pool, order.size()));
    std::stable_sort(first, last, [&](std::size_t a, std::size_t b) {
      return std::pair(pairs[a].target.size(), pairs[a].source.size()) <
             std::pair(pairs[b].target.size(), pairs[b].source.size());
    });
    for (auto it = first; it < last; it += static_cast<std::ptrdiff_t>(size)) {
      batches.emplace_back(it, std::min(it + static_cast<std::ptrdiff_t>(size), last));
      if (last - it <= static_cast<std::ptrdiff_t>(size)) break;
    }
  }
  random.shuffle(batches);
  return batches;
}

void pad_sources(const std::vector<std::vector<int>>& sentences, rw::Indices& ids, std::vector<std::size_t>& lengths) {
  std::vector<const std::vector<int>*> rows;
  lengths.clear();
  for (const auto& sentence : sentences) {
    rows.push_back(&sentence);
    lengths.push_back(sentence.size());
  }
  ids = padded(rows, longest(rows), 0);
}

Batch make_batch(const std::vector<Encoded>& pairs, std::span<const std::size_t> chosen) {
  if (chosen.empty()) rw::fail("make_batch", "at least one pair", chosen.size());
  std::vector<const std::vector<int>*> sources, targets;
  Batch batch;
  for (const std::size_t i : chosen) {
    sources.push_back(&pairs[i].source);
    targets.push_back(&pairs[i].target);
    batch.source_lengths.push_back(pairs[i].source.size());
    batch.target_tokens += pairs[i].target.size();
  }
  const std::size_t steps = longest(targets);
  batch.source = padded(sources, longest(sources), 0);
  batch.target_out = padded(targets, steps, 0);
  batch.target_in = padded(targets, steps, 1);
  std::fill_n(batch.target_in.data(), chosen.size(), Subwords::bos);
  return batch;
}

}  // namespace translate
