#include "examples/speech/model.hpp"

#include <algorithm>
#include <numeric>

#include "examples/app/files.hpp"
#include "nn/ctc.hpp"
#include "nn/safetensors.hpp"

namespace speech {

using namespace rw;

Model::Model(const ModelSettings& settings, Random& random)
    : dropout(settings.dropout),
      layers{{}, {.dropout = settings.dropout}},
      readout({.input = 2 * settings.hidden, .output = 11}, random) {
  std::size_t input = 2 * LogMel::bands;
  for (std::size_t k = 0; k < settings.layers; ++k, input = 2 * settings.hidden) {
    nn::Lstm<float> forward({.input = input, .hidden = settings.hidden}, random);
    nn::Lstm<float> backward({.input = input, .hidden = settings.hidden}, random);
    layers.layers.push_back({std::move(forward), std::move(backward)});
  }
}

Variable<float> Model::logits(const Variable<float>& xs, const std::vector<std::size_t>& lengths,
                              Random* random) const {
  const Variable<float> heard = nn::unroll(layers, xs, {.lengths = lengths, .random = random}).outputs;
  return readout(nn::dropout(heard, dropout, random));
}

nn::Parameters<float> Model::parameters() {
  nn::Parameters<float> all;
  all.add("layers", layers.parameters());
  all.add("readout", readout.parameters());
  return all;
}

// The sizes are those of the tensors, so that a file makes us take no more memory than it has.
Model read_model(const std::string& path) {
  const nn::Safetensors file = app::read_model(path, format_name, "speech --model");
  const auto name = [](std::size_t layer, const std::string& tensor) {
    return "layers." + std::to_string(layer) + "." + tensor;
  };
  const Shape& first = file.get<float>(name(0, "forward.weight_hh")).shape();
  const std::size_t hidden = first.size() == 2 ? first[0] : 0;
  std::size_t input = 2 * LogMel::bands, layers = 0;
  bool good = hidden > 0 && hidden <= most_hidden;
  for (; file.tensors.contains(name(layers, "forward.weight_hh")); ++layers, input = 2 * hidden) {
    for (const std::string direction : {"forward.", "backward."}) {
      good = good && file.get<float>(name(layers, direction + "weight_ih")).shape() == Shape{input, 4 * hidden} &&
             file.get<float>(name(layers, direction + "weight_hh")).shape() == Shape{hidden, 4 * hidden};
    }
  }
  if (!good) app::bad_file(path, "tensors that go together", "others");
  Random random(0);
  Model model({.hidden = hidden, .layers = layers}, random);
  nn::unpack(file, model.parameters(), path);
  return model;
}

std::vector<std::vector<std::int64_t>> transcribe(const Model& model, const Recordings& recordings,
                                                  const LogMel& features) {
  constexpr std::size_t at_once = 50;
  std::vector<std::vector<std::int64_t>> all;
  for (std::size_t begin = 0; begin < recordings.size(); begin += at_once) {
    const std::span<const Recording> some =
        std::span(recordings).subspan(begin, std::min(at_once, recordings.size() - begin));
    const Batch batch = make_batch(some, features);
    const Tensor<float> logits = model.logits(batch.xs, batch.lengths).value();
    for (std::vector<std::int64_t>& digits : nn::ctc_best_path(logits, {.lengths = batch.lengths})) {
      for (std::int64_t& digit : digits) --digit;
      all.push_back(std::move(digits));
    }
  }
  return all;
}

std::size_t edit_distance(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances of the first i of a to the first j of b
  std::iota(row.begin(), row.end(), 0);
  for (const std::int64_t digit : a) {
    std::size_t before = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = before + (digit == b[j] ? 0 : 1);
      before = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, before + 1});
    }
  }
  return row.back();
}

double word_error(const Model& model, const Recordings& recordings, const LogMel& features) {
  const auto heard = transcribe(model, recordings, features);
  std::size_t errors = 0, words = 0;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    errors += edit_distance(heard[i], recordings[i].digits);
    words += recordings[i].digits.size();
  }
  return static_cast<double>(errors) / static_cast<double>(std::max<std::size_t>(words, 1));
}

}  // namespace speech
