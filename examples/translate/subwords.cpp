#include "subwords.hpp"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>

#include "unicode.hpp"

namespace translate {
namespace {

namespace sp = sentencepiece;

constexpr int unknown = 3, first_byte = 4, first_piece = first_byte + 256;
constexpr double coverage = 0.9995;  // share of the text whose characters become pieces; the rest is spelt in bytes

// SentencePiece writes U+2581 for a space, so a real U+2581 must travel in bytes. U+2585 is one that always does:
// training refuses it. It stands in for U+2581 and differs from it in the last byte only.
constexpr char32_t space_mark = U'\u2581', stand_in = U'\u2585';
constexpr int last_byte_of_mark = first_byte + 0x81, last_byte_of_stand_in = first_byte + 0x85;

class Sentences : public sp::SentenceIterator {
 public:
  explicit Sentences(const std::vector<std::string>& sentences) : sentences_(sentences) {}
  bool done() const override { return next_ == sentences_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return sentences_[next_]; }
  sp::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& sentences_;
  std::size_t next_ = 0;
};

/// How many different characters make up `coverage` of the text.
std::size_t frequent_characters(const std::vector<std::string>& sentences) {
  std::map<char32_t, std::size_t> counts;
  std::size_t all = 0;
  for (const std::string& sentence : sentences)
    for (char32_t point : code_points(sentence)) ++counts[point], ++all;
  std::vector<std::size_t> sorted;
  sorted.reserve(counts.size());
  for (const auto& entry : counts) sorted.push_back(entry.second);
  std::sort(sorted.rbegin(), sorted.rend());
  std::size_t covered = 0, number = 0;
  while (number < sorted.size() && covered < coverage * all) covered += sorted[number++];
  return number;
}

void append_bytes(std::string_view character, std::vector<int>& ids) {
  for (unsigned char byte : character) ids.push_back(first_byte + byte);
}

/// Takes a number off the front of `message`: seven bits a byte, the lowest first.
bool take_varint(std::string_view& message, std::uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(message.front());
    message.remove_prefix(1);
    number |= std::uint64_t(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Calls `visit(number, bytes)` for each field of a Protocol Buffers message, without bytes for one that is a number.
/// False if the message is malformed or `visit` says so.
template <class Visit>
bool each_field(std::string_view message, Visit visit) {
  while (!message.empty()) {
    std::uint64_t key = 0, size = 0;
    if (!take_varint(message, key) || key > std::numeric_limits<std::uint32_t>::max()) return false;
    switch (key & 7) {
      case 0:
        if (!take_varint(message, size)) return false;
        size = 0;
        break;
      case 1:
        size = 8;
        break;
      case 2:
        if (!take_varint(message, size)) return false;
        break;
      case 5:
        size = 4;
        break;
      default:
        return false;  // groups, which models have none of
    }
    if (size > message.size() || !visit(key >> 3, message.substr(0, (key & 7) == 2 ? size : 0))) return false;
    message.remove_prefix(size);
  }
  return true;
}

/// SentencePiece 0.1.97 walks the rules of normalisation (fields 3.2 and 5.2 of a model) without looking where their
/// end is. A model that train() made has none.
bool is_without_rules(std::string_view model) {
  return each_field(model, [](std::uint64_t number, std::string_view part) {
    return (number != 3 && number != 5) ||
           each_field(part, [](std::uint64_t field, std::string_view rules) { return field != 2 || rules.empty(); });
  });
}

double log_add(double a, double b) {
  const double top = std::max(a, b);
  return std::isinf(top) ? top : top + std::log1p(std::exp(std::min(a, b) - top));
}

}  // namespace

Subwords::Subwords(std::shared_ptr<const Processor> model) : model_(std::move(model)) {
  for (int id = first_piece; id < size(); ++id)
    longest_piece_ = std::max(longest_piece_, code_points(model_->IdToPiece(id)).size());
}

Subwords Subwords::train(const std::vector<std::string>& sentences, SubwordOptions options) {
  const auto blank = [](const std::string& sentence) { return trim(sentence).empty(); };
  if (std::all_of(sentences.begin(), sentences.end(), blank))
    throw std::invalid_argument("Subwords::train: sentences with text expected; got " +
                                std::to_string(sentences.size()) + " without");
  const std::size_t margin = 8;  // for the mark of a space and for rounding
  const std::size_t needed = first_piece + frequent_characters(sentences) + margin;
  Sentences iterator(sentences);
  std::string bytes;
  const auto status =
      sp::SentencePieceTrainer::Train({{"model_type", "unigram"},
                                       {"vocab_size", std::to_string(std::max(options.vocabulary, needed))},
                                       {"hard_vocab_limit", "false"},
                                       {"character_coverage", std::to_string(coverage)},
                                       {"required_chars", to_utf8({&space_mark, 1})},
                                       {"byte_fallback", "true"},
                                       {"normalization_rule_name", "identity"},
                                       {"remove_extra_whitespaces", "false"},
                                       {"max_sentence_length", "1048576"},
                                       {"pad_id", std::to_string(pad)},
                                       {"bos_id", std::to_string(bos)},
                                       {"eos_id", std::to_string(eos)},
                                       {"unk_id", std::to_string(unknown)},
                                       {"num_threads", "1"},
                                       {"minloglevel", "3"}},
                                      &iterator, &bytes);
  if (!status.ok())
    throw std::invalid_argument("Subwords::train: sentences to learn from expected; got " + status.ToString());
  return parse(bytes);
}

Subwords Subwords::parse(std::string_view bytes) {
  const auto known = [&]() -> std::shared_ptr<const Processor> {
    if (!is_without_rules(bytes)) return nullptr;
    auto model = std::make_shared<Processor>();
    try {
      if (!model->LoadFromSerializedProto(absl::string_view(bytes.data(), bytes.size())).ok()) return nullptr;
    } catch (const std::exception&) {  // of the tree of pieces
      return nullptr;
    }
    const bool ours = model->GetPieceSize() >= first_piece && model->pad_id() == pad && model->bos_id() == bos &&
                      model->eos_id() == eos && model->unk_id() == unknown && model->IsByte(first_byte) &&
                      model->IsByte(first_piece - 1);
    return ours ? model : nullptr;
  };
  if (auto model = known()) {
    Subwords subwords(std::move(model));
    const std::string probe = "  \u00A0Aa\uFF21\u0301  ";  // a model cut short at a field boundary normalises
    if (subwords.decode(subwords.encode(probe)) == probe) return subwords;
  }
  throw std::runtime_error("Subwords::parse: a subword model expected; got " + std::to_string(bytes.size()) +
                           " bytes of something else");
}

std::string Subwords::serialize() const { return model_->serialized_model_proto(); }

int Subwords::size() const { return model_->GetPieceSize(); }

std::vector<int> Subwords::encode(std::string_view text) const {
  std::u32string marks;  // the real U+2581 and U+2585, in their order
  std::u32string points = code_points(text);
  for (char32_t& point : points) {
    if (point != space_mark && point != stand_in) continue;
    marks += point;
    point = stand_in;
  }
  std::vector<int> ids;
  const auto status = model_->Encode(to_utf8(points), &ids);
  if (!status.ok()) throw std::runtime_error("Subwords::encode: text expected; got " + status.ToString());
  std::size_t seen = 0;
  for (std::size_t i = 2; i < ids.size() && seen < marks.size(); ++i)
    if (ids[i] == last_byte_of_stand_in && ids[i - 1] == first_byte + 0x96 && ids[i - 2] == first_byte + 0xE2 &&
        marks[seen++] == space_mark)
      ids[i] = last_byte_of_mark;
  return ids;
}

std::vector<int> Subwords::sample(std::string_view text, double alpha, std::uint64_t seed) const {
  if (!(alpha >= 0 && std::isfinite(alpha)))
    throw std::invalid_argument("Subwords::sample: alpha of at least 0 expected; got " + std::to_string(alpha));
  if (text.empty()) return {};
  struct Edge {
    std::size_t begin;
    int id;  // unknown: spelt in bytes
    double weight;
  };
  const std::string mark = to_utf8({&space_mark, 1});
  const std::u32string points = U' ' + code_points(text);
  std::vector<std::string> characters;
  for (char32_t point : points) characters.push_back(point == U' ' ? mark : to_utf8({&point, 1}));

  // Forward: log of the summed weights of all ways to reach each character.
  std::vector<double> reach(points.size() + 1, -std::numeric_limits<double>::infinity());
  std::vector<std::vector<Edge>> arriving(points.size() + 1);
  reach[0] = 0;
  for (std::size_t begin = 0; begin < points.size(); ++begin) {
    bool alone = false;  // the first character is a piece of its own
    std::string piece;
    const auto arrive = [&](std::size_t end, int id, double weight) {
      arriving[end].push_back({begin, id, weight});
      reach[end] = log_add(reach[end], reach[begin] + weight);
    };
    for (std::size_t end = begin + 1; end <= points.size() && end - begin <= longest_piece_; ++end) {
      if (points[end - 1] == space_mark) break;
      piece += characters[end - 1];
      const int id = model_->PieceToId(piece);
      if (id < first_piece) continue;
      alone = alone || end == begin + 1;
      arrive(end, id, alpha * model_->GetScore(id));
    }
    if (!alone) arrive(begin + 1, unknown, 0);  // the only way across: every character inside a piece is a piece too
  }

  // Backward: choose how each character, from the last one, was reached.
  std::mt19937_64 random(seed);
  std::vector<Edge> path;
  for (std::size_t end = points.size(); end > 0; end = path.back().begin) {
    double left = std::uniform_real_distribution<>(0, 1)(random);
    std::size_t chosen = 0;
    const auto share = [&](const Edge& edge) { return std::exp(reach[edge.begin] + edge.weight - reach[end]); };
    while (chosen + 1 < arriving[end].size() && (left -= share(arriving[end][chosen])) >= 0) ++chosen;
    path.push_back(arriving[end][chosen]);
  }
  std::vector<int> ids;
  for (auto edge = path.rbegin(); edge != path.rend(); ++edge) {
    if (edge->id == unknown)
      append_bytes(characters[edge->begin], ids);
    else
      ids.push_back(edge->id);
  }
  return ids;
}

std::string Subwords::decode(const std::vector<int>& ids) const {
  std::vector<int> visible;
  for (int id : ids) {
    if (id < 0 || id >= size())
      throw std::invalid_argument("Subwords::decode: ids from 0 to " + std::to_string(size() - 1) + " expected; got " +
                                  std::to_string(id));
    if (id > unknown) visible.push_back(id);
  }
  std::string text;
  const auto status = model_->Decode(visible, &text);
  if (!status.ok()) throw std::runtime_error("Subwords::decode: ids of a sentence expected; got " + status.ToString());
  return text;
}

}  // namespace translate
