// Training steps that touch whatever holds memory: tapes on two threads, row-sparse gradients, an optimiser's slots and
// a model file. So few that valgrind, which looks here for leaks, sees them through.

#include <cstdio>
#include <filesystem>

#include "autograd/ops/reduce.hpp"
#include "autograd/shards.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"
#include "nn/stack.hpp"
#include "nn/unroll.hpp"
#include "optim/optim.hpp"
#include "tests/folder.hpp"

using namespace rw;

namespace {

constexpr std::size_t steps = 7, batch = 12, vocabulary = 9, width = 16;

/// Two layers of LSTM that say what they read.
struct Model {
  explicit Model(std::uint64_t seed) : random(seed) {
    for (int k = 0; k < 2; ++k) layers.layers.push_back(nn::Lstm<float>({.input = width, .hidden = width}, random));
    parameters.add("embedding", embedding.parameters());
    parameters.add("layers", layers.parameters());
    parameters.add("readout", readout.parameters());
  }

  /// words [T, B] -> logits [T, B, V].
  Variable<float> operator()(const Indices& words) const {
    return readout(nn::unroll(layers, embedding(words)).outputs);
  }

  Random random;
  nn::Embedding<float> embedding{{.vocabulary = vocabulary, .dimension = width}, random};
  nn::Stack<nn::Lstm<float>> layers;
  nn::Linear<float> readout{{.input = width, .output = vocabulary}, random};
  nn::Parameters<float> parameters;
};

Indices words_of(const Shard& shard) {
  Indices words = empty<std::int64_t>({steps, shard.end - shard.begin});
  for (std::size_t i = 0; i < words.size(); ++i) words.data()[i] = static_cast<std::int64_t>((i + shard.begin) % 8);
  return words;
}

}  // namespace

int main() {
  Model model(1), reloaded(2);
  Workers workers(2);
  optim::Adam<float> adam({.learning_rate = 0.01});
  double first = 0, last = 0;
  for (int step = 0; step < 2; ++step) {
    auto learned = learn<float>(workers, batch, [&](const Shard& shard) {
      const Indices words = words_of(shard);
      return nn::cross_entropy(model(words), words);
    });
    optim::clip_global_norm(learned.gradients, 1);
    adam.step(model.parameters, learned.gradients, &workers);
    (step == 0 ? first : last) = learned.loss;
  }

  const Folder folder;
  nn::save(folder.file("model.safetensors"), model.parameters);
  nn::load(folder.file("model.safetensors"), reloaded.parameters);
  const Indices words = words_of({0, 0, batch});
  const bool same = model(words).value() == reloaded(words).value();
  std::printf("loss %.4f, then %.4f; the reloaded model says %s\n", first, last, same ? "the same" : "something else");
  return last < first && same ? 0 : 1;
}
