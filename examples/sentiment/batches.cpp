#include "examples/sentiment/batches.hpp"

#include <algorithm>
#include <numeric>

namespace sentiment {
namespace {

std::vector<std::string> frequent(const std::vector<Example>& examples, std::size_t least) {
  std::map<std::string, std::size_t> counts;
  for (const Example& example : examples) {
    for (const std::string& word : example.words) ++counts[word];
  }
  std::vector<std::string> words;
  for (const auto& entry : counts) {
    if (entry.second >= least) words.push_back(entry.first);
  }
  std::stable_sort(words.begin(), words.end(),
                   [&](const std::string& a, const std::string& b) { return counts[a] > counts[b]; });
  return words;
}

}  // namespace

Vocabulary::Vocabulary(const std::vector<Example>& examples, std::size_t least)
    : Vocabulary(frequent(examples, least), labels_of(examples)) {}

Vocabulary::Vocabulary(std::vector<std::string> w, std::vector<std::string> l)
    : words(std::move(w)), labels(std::move(l)) {
  for (const std::string& word : words) number_of.emplace(word, static_cast<std::int64_t>(number_of.size()) + 2);
  for (const std::string& label : labels) class_of.emplace(label, static_cast<std::int64_t>(class_of.size()));
}

std::vector<std::int64_t> numbers(const std::vector<std::string>& words, const Vocabulary& vocabulary) {
  std::vector<std::int64_t> ids;
  for (const std::string& word : words) {
    const auto found = vocabulary.number_of.find(word);
    ids.push_back(found == vocabulary.number_of.end() ? Vocabulary::unknown : found->second);
  }
  return ids;
}

std::vector<Item> encode(const std::vector<Example>& examples, const Vocabulary& vocabulary) {
  std::vector<Item> items;
  items.reserve(examples.size());
  for (const Example& example : examples) {
    items.push_back({numbers(example.words, vocabulary), vocabulary.class_of.at(example.label)});
  }
  return items;
}

Batch make_batch(const std::vector<Item>& items, std::span<const std::size_t> chosen) {
  std::size_t longest = 0;
  for (const std::size_t i : chosen) longest = std::max(longest, items[i].words.size());
  Batch batch{rw::full<std::int64_t>({longest, chosen.size()}, Vocabulary::padding),
              {},
              rw::empty<std::int64_t>({chosen.size()})};
  for (std::size_t b = 0; b < chosen.size(); ++b) {
    const Item& item = items[chosen[b]];
    for (std::size_t t = 0; t < item.words.size(); ++t) batch.words.data()[t * chosen.size() + b] = item.words[t];
    batch.lengths.push_back(item.words.size());
    batch.labels.data()[b] = item.label;
  }
  return batch;
}

std::vector<std::vector<std::size_t>> shuffled(const std::vector<Item>& items, std::size_t size, rw::Random& random) {
  constexpr std::size_t pool = 20;  // batches that are sorted together
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t begin = 0; begin < order.size(); begin += size) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::size_t left = order.size() - begin;
    if (begin % (pool * size) == 0) {
      std::stable_sort(first, first + static_cast<std::ptrdiff_t>(std::min(pool * size, left)),
                       [&](std::size_t a, std::size_t b) { return items[a].words.size() < items[b].words.size(); });
    }
    batches.emplace_back(first, first + static_cast<std::ptrdiff_t>(std::min(size, left)));
  }
  random.shuffle(batches);
  return batches;
}

}  // namespace sentiment
