#include "examples/sentiment/model.hpp"

#include "examples/app/files.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/safetensors.hpp"

namespace sentiment {
namespace {

using rw::Variable;

constexpr const char* format_name = "rewind-sentiment-1";

/// The mean over the valid steps; behind a text's end the outputs are 0.
Variable<float> mean_of(const Variable<float>& outputs, const std::vector<std::size_t>& lengths) {
  rw::Tensor<float> shares = rw::empty<float>({lengths.size(), 1});
  for (std::size_t b = 0; b < lengths.size(); ++b) shares.data()[b] = 1 / static_cast<float>(lengths[b]);
  return sum(outputs, {.axes = {0}}) * Variable<float>(std::move(shares));
}

template <class C>
struct Network : Classifier {
  Network(const Settings& s, rw::Random& random)
      : settings(s),
        embedding({.vocabulary = s.vocabulary, .dimension = s.embedding, .padding = Vocabulary::padding}, random),
        rnn{C({.input = s.embedding, .hidden = s.hidden}, random),
            C({.input = s.embedding, .hidden = s.hidden}, random)},
        output({.input = 2 * s.hidden, .output = s.classes}, random) {}

  Variable<float> logits(const Batch& batch, rw::Random* random) const override {
    const auto words = rw::nn::dropout(embedding(batch.words), settings.dropout, random);
    const auto run = rw::nn::unroll(rnn, words, {.lengths = batch.lengths});
    const auto text = settings.pooling == Pooling::mean
                          ? mean_of(run.outputs, batch.lengths)
                          : rw::concatenate({run.state.forward.h, run.state.backward.h}, -1);
    return output(rw::nn::dropout(text, settings.dropout, random));
  }

  rw::nn::Parameters<float> parameters() override {
    rw::nn::Parameters<float> all;
    all.add("embedding", embedding.parameters());
    all.add("rnn", rnn.parameters());
    all.add("output", output.parameters());
    return all;
  }

  Settings settings;
  rw::nn::Embedding<float> embedding;
  rw::nn::Bidirectional<C> rnn;
  rw::nn::Linear<float> output;
};

struct BagOfWords : Classifier {
  BagOfWords(const Settings& s, rw::Random& random)
      : rows({.vocabulary = s.vocabulary, .dimension = s.classes, .padding = Vocabulary::padding}, random),
        bias("bias", rw::zeros<float>({s.classes})) {
    rows.weight.assign(rw::zeros<float>(rows.weight.shape()));
  }

  Variable<float> logits(const Batch& batch, rw::Random*) const override {
    return sum(rows(batch.words), {.axes = {0}}) + bias;
  }

  rw::nn::Parameters<float> parameters() override { return {rows.weight, bias}; }

  rw::nn::Embedding<float> rows;  // [V, classes]
  rw::Parameter<float> bias;
};

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

}  // namespace

std::unique_ptr<Classifier> make_network(const Settings& settings, rw::Random& random) {
  if (settings.cell == Cell::gru) return std::make_unique<Network<rw::nn::Gru<float>>>(settings, random);
  return std::make_unique<Network<rw::nn::Lstm<float>>>(settings, random);
}

std::unique_ptr<Classifier> make_bag_of_words(const Settings& settings, rw::Random& random) {
  return std::make_unique<BagOfWords>(settings, random);
}

void save(const std::string& path, Classifier& network, const Settings& settings, const Vocabulary& vocabulary) {
  rw::nn::Safetensors file = rw::nn::pack(network.parameters());
  file.metadata = {{"format", format_name},
                   {"cell", settings.cell == Cell::lstm ? "lstm" : "gru"},
                   {"pooling", settings.pooling == Pooling::mean ? "mean" : "last"}};
  file.tensors.emplace("words", rw::nn::to_bytes(joined(vocabulary.words)));
  file.tensors.emplace("labels", rw::nn::to_bytes(joined(vocabulary.labels)));
  rw::nn::write_safetensors(path, file);
}

Loaded load(const std::string& path) {
  rw::nn::Safetensors file = app::read_model(path, format_name, "sentiment train");
  Vocabulary vocabulary(lines_of(rw::nn::to_text(file.get<std::uint8_t>("words"))),
                        lines_of(rw::nn::to_text(file.get<std::uint8_t>("labels"))));
  const auto together = [&](bool good) {
    if (!good) app::bad_file(path, "the tensors of one model", "shapes that do not go together");
  };
  // The sizes are those of the tensors, so that a file makes us take no more memory than it has.
  const rw::Shape& table = file.get<float>("embedding.weight").shape();
  const rw::Shape& recurrent = file.get<float>("rnn.forward.weight_hh").shape();
  together(vocabulary.labels.size() >= 2 && table.size() == 2 && table[1] > 0 && recurrent.size() == 2 &&
           recurrent[0] > 0);
  const Settings settings{.cell = file.metadata["cell"] == "gru" ? Cell::gru : Cell::lstm,
                          .vocabulary = vocabulary.size(),
                          .classes = vocabulary.labels.size(),
                          .embedding = table[1],
                          .hidden = recurrent[0],
                          .pooling = file.metadata["pooling"] == "last" ? Pooling::last : Pooling::mean};
  const std::size_t gates = settings.cell == Cell::lstm ? 4 : 3;
  together(table[0] == settings.vocabulary && recurrent[1] == gates * settings.hidden &&
           file.get<float>("rnn.forward.weight_ih").shape() == rw::Shape{settings.embedding, recurrent[1]} &&
           file.get<float>("output.weight").shape() == rw::Shape{2 * settings.hidden, settings.classes});
  rw::Random random(0);
  auto network = make_network(settings, random);
  rw::nn::unpack(file, network->parameters(), path);
  return {std::move(network), std::move(vocabulary)};
}

}  // namespace sentiment
