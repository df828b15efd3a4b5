#include "bench/ours.hpp"
#include "bench/race.hpp"
#include "bench/torch.hpp"
#include "nn/attention.hpp"
#include "nn/cells/gru.hpp"
#include "nn/embedding.hpp"
#include "nn/loss.hpp"
#include "optim/adam.hpp"

// A training step of a translation model, Adam included. Ours leaves the rows of an embedding that no word of the batch
// has read as they are, where libtorch's Adam moves all of them.

namespace bench {
namespace {

using Variable = rw::Variable<float>;
constexpr std::size_t vocabulary = 4000;

/// A GRU reads the source; a GRU fed with a word and an additive attention over the source writes the target.
struct Model {
  Model(std::size_t embedding, std::size_t hidden, rw::Random& random)
      : source({.vocabulary = vocabulary, .dimension = embedding}, random),
        target({.vocabulary = vocabulary, .dimension = embedding}, random),
        encoder({.input = embedding, .hidden = hidden}, random),
        decoder({.input = embedding, .hidden = hidden}, random),
        context({.input = hidden, .output = 3 * hidden, .bias = false}, random),
        attention({.query = hidden, .memory = hidden, .hidden = hidden}, random),
        output({.input = hidden, .output = vocabulary}, random) {}

  /// The summed loss of the words `out` [T, B] after the words `in`, given the source [S, B].
  Variable loss(const rw::Indices& from, const rw::Indices& in, const rw::Indices& out) const {
    const auto read = rw::nn::unroll(encoder, source(from));
    const auto memory = attention.prepare(read.outputs, rw::full<float>(from.shape(), 1));
    Variable state = read.state.h;
    std::vector<Variable> states;
    for (const Variable& word : rw::unstack(decoder.project(target(in)))) {
      const Variable seen = attention(state, memory).context;
      state = decoder.step(rw::affine(seen, context.weight, word), {state}).output;
      states.push_back(state);
    }
    return rw::nn::cross_entropy_sum(output(rw::stack(states)), out);
  }

  rw::nn::Parameters<float> parameters() {
    rw::nn::Parameters<float> all;
    all.add("source", source.parameters());
    all.add("target", target.parameters());
    all.add("encoder", encoder.parameters());
    all.add("decoder", decoder.parameters());
    all.add("context", context.parameters());
    all.add("attention", attention.parameters());
    all.add("output", output.parameters());
    return all;
  }

  rw::nn::Embedding<float> source, target;
  rw::nn::Gru<float> encoder, decoder;
  rw::nn::Linear<float> context;
  rw::nn::AdditiveAttention<float> attention;
  rw::nn::Linear<float> output;
};

struct OursTranslating : Contender {
  explicit OursTranslating(const Task& t)
      : t(t), words(double(t.T * t.B)), random(1), model(t.I, t.H, random), workers(t.threads) {
    fill(model.parameters(), t.H);
    const std::size_t n = rw::shards_of(t.B, workers.count());
    for (std::size_t s = 0; s < n; ++s) {
      const auto ids = [&](const std::string& role) {
        const std::vector<std::int64_t> all = tokens(role, t.T * t.B, vocabulary);
        rw::Indices part = rw::empty<std::int64_t>({t.T, t.B / n});
        for (std::size_t step = 0; step < t.T; ++step) {
          std::copy_n(all.data() + step * t.B + s * t.B / n, t.B / n, part.data() + step * t.B / n);
        }
        return part;
      };
      batches.push_back({ids("source"), ids("input"), ids("output")});
    }
  }

  rw::Learned<float> learn() {
    return rw::learn<float>(workers, t.B, [&](const rw::Shard& s) {
      const Batch& batch = batches[s.index];
      return model.loss(batch.source, batch.in, batch.out) * (1 / words);
    });
  }

  void step() override { adam.step(model.parameters(), learn().gradients, &workers); }

  Results results() override {
    Results results;
    add_gradients(results, model.parameters(), learn());
    return results;
  }

  struct Batch {
    rw::Indices source, in, out;  // [T, b]
  };

  Task t;
  double words;
  rw::Random random;
  Model model;
  rw::Workers workers;
  std::vector<Batch> batches;
  rw::optim::Adam<float> adam;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const MakeContender ours = [](const Task& t) { return std::make_unique<OursTranslating>(t); };
  const MakeContender torch = [](const Task& t) { return make_torch_translation(t, vocabulary); };
  return race(argc, argv, {{{"translate", 12, 64, 256, 256}, {{"ours", ours}, {"libtorch", torch}}, false}});
}
