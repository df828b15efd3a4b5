#include "examples/translate/translator.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "examples/translate/batches.hpp"
#include "examples/translate/unicode.hpp"
#include "nn/safetensors.hpp"

namespace translate {
namespace {

constexpr const char* format_name = "rewind-translator-1";
constexpr std::size_t decoding_batch = 64, longest_settings = 1000;

ModelSettings settings_from(const std::string& text) {
  if (text.size() > longest_settings) throw std::runtime_error("settings of " + std::to_string(text.size()) + " bytes");
  const auto json = nlohmann::json::parse(text);
  ModelSettings s;
  json.at("source_vocabulary").get_to(s.source_vocabulary);
  json.at("target_vocabulary").get_to(s.target_vocabulary);
  json.at("embedding").get_to(s.embedding);
  json.at("hidden").get_to(s.hidden);
  json.at("dropout").get_to(s.dropout);
  return s;
}

std::string settings_text(const ModelSettings& s) {
  return nlohmann::json{{"source_vocabulary", s.source_vocabulary},
                        {"target_vocabulary", s.target_vocabulary},
                        {"embedding", s.embedding},
                        {"hidden", s.hidden},
                        {"dropout", s.dropout}}
      .dump();
}

// The sizes a model of these settings has must agree with the file before memory is taken for them: a few shapes, whose
// products bound those of all others.
void check_settings(const ModelSettings& s, const rw::nn::Safetensors& file, const Subwords& source,
                    const Subwords& target) {
  const auto holds = [&](const char* name, std::size_t rows, std::size_t columns) {
    return file.get<float>(name).shape() == rw::Shape{rows, columns};
  };
  const bool fits = holds("source_embedding.weight", s.source_vocabulary, s.embedding) &&
                    holds("target_embedding.weight", s.target_vocabulary, s.embedding) &&
                    holds("encoder.forward.weight_ih", s.embedding, 3 * s.hidden) &&
                    holds("encoder.forward.weight_hh", s.hidden, 3 * s.hidden) &&
                    holds("output.weight", s.hidden, s.target_vocabulary) &&
                    s.source_vocabulary == static_cast<std::size_t>(source.size()) &&
                    s.target_vocabulary == static_cast<std::size_t>(target.size()) && s.dropout >= 0 && s.dropout < 1;
  if (!fits) throw std::runtime_error("settings, vocabularies and weights do not belong together");
}

// A model that has not learnt much may spell a line end or an escape in bytes.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

}  // namespace

std::vector<std::string> Translator::translate(const std::vector<std::string>& sentences,
                                               const BeamOptions& options) const {
  std::vector<std::vector<int>> pieces;
  for (const std::string& sentence : sentences) {
    if (!is_valid_utf8(sentence)) rw::fail("translate", "a sentence in UTF-8", "invalid bytes");
    pieces.push_back(source.encode(sentence));
    if (pieces.back().size() >= longest_sentence) {
      rw::fail("translate", "a sentence of fewer than " + std::to_string(longest_sentence) + " word pieces",
               pieces.back().size());
    }
    pieces.back().push_back(Subwords::eos);
  }
  // Sentences of like length share a batch.
  std::vector<std::size_t> order(sentences.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].size() < pieces[b].size(); });
  std::erase_if(order, [&](std::size_t i) { return trim(sentences[i]).empty(); });

  std::vector<std::string> translations(sentences.size());
  for (std::size_t begin = 0; begin < order.size(); begin += decoding_batch) {
    const std::size_t end = std::min(begin + decoding_batch, order.size());
    std::vector<std::vector<int>> batch;
    for (std::size_t i = begin; i < end; ++i) batch.push_back(pieces[order[i]]);
    const auto results = options.size == 1 ? greedy(model, batch) : beam_search(model, batch, options);
    for (std::size_t i = begin; i < end; ++i) translations[order[i]] = one_line(target.decode(results[i - begin]));
  }
  return translations;
}

void save(const std::filesystem::path& path, Translator& translator) {
  rw::nn::Safetensors file = rw::nn::pack(translator.model.parameters());
  file.metadata = {{"format", format_name}, {"settings", settings_text(translator.model.settings)}};
  file.tensors.emplace("vocabulary.source", rw::nn::to_bytes(translator.source.serialize()));
  file.tensors.emplace("vocabulary.target", rw::nn::to_bytes(translator.target.serialize()));
  rw::nn::write_safetensors(path.string(), file);
}

Translator load_translator(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error("model: expected a model file; got " + path.string() +
                             ", which is not there (translate train makes one)");
  }
  const rw::nn::Safetensors file = rw::nn::read_safetensors(path.string());
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != format_name) {
    throw std::runtime_error(path.string() + ": not a model of this program (expected format " + format_name + ")");
  }
  try {
    const ModelSettings settings = settings_from(file.metadata.at("settings"));
    const Subwords source = Subwords::parse(rw::nn::to_text(file.get<std::uint8_t>("vocabulary.source")));
    const Subwords target = Subwords::parse(rw::nn::to_text(file.get<std::uint8_t>("vocabulary.target")));
    check_settings(settings, file, source, target);
    rw::Random random(0);
    Translator translator{source, target, Model<float>(settings, random)};
    rw::nn::unpack(file, translator.model.parameters(), path.string());
    return translator;
  } catch (const std::exception& error) {
    throw std::runtime_error(path.string() + ": damaged model file: " + error.what());
  }
}

}  // namespace translate
