#include "examples/translate/material.hpp"

#include <cstdio>
#include <stdexcept>

namespace translate {
namespace {

std::vector<std::string> side(const std::vector<Pair>& pairs, std::string Pair::*which) {
  std::vector<std::string> texts;
  texts.reserve(pairs.size());
  for (const Pair& pair : pairs) texts.push_back(pair.*which);
  return texts;
}

// FNV-1a, 64 bits (Fowler, Noll & Vo 1991), over every text and its end.
std::string fingerprint_of(const std::vector<Pair>& train, const std::vector<Pair>& valid) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::vector<Pair>* pairs : {&train, &valid}) {
    for (const Pair& pair : *pairs) {
      for (const std::string* text : {&pair.source, &pair.target}) {
        for (std::size_t i = 0; i <= text->size(); ++i) {
          hash = (hash ^ static_cast<unsigned char>(text->c_str()[i])) * 0x100000001b3;
        }
      }
    }
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return std::to_string(train.size()) + " pairs, " + hex;
}

}  // namespace

Material prepare(const std::vector<Pair>& train, const std::vector<Pair>& valid, std::size_t vocabulary) {
  Material m{.source = Subwords::train(side(train, &Pair::source), {.vocabulary = vocabulary}),
             .target = Subwords::train(side(train, &Pair::target), {.vocabulary = vocabulary}),
             .pairs = {},
             .held_out = group_by_source(valid),
             .fingerprint = fingerprint_of(train, valid)};
  m.pairs = encode_pairs(train, m.source, m.target);
  if (m.pairs.empty()) throw std::runtime_error("train: every sentence pair is too long to learn from");
  m.too_long = train.size() - m.pairs.size();
  for (const Encoded& pair : m.pairs) m.tokens += pair.target.size();
  std::erase_if(m.held_out, [&](const Sentence& s) { return m.source.encode(s.source).size() >= longest_sentence; });
  if (m.held_out.empty()) throw std::runtime_error("train: every sentence to validate on is too long to translate");
  return m;
}

}  // namespace translate
