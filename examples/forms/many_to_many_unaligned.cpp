// Many to many, unaligned: x₁ ... x_S → y₁ ... y_T. One to ten digits are written backwards: an encoder reads them, and
// a decoder writes until it ends by itself, attending to them (Luong, Pham & Manning 2015).
// To reach: 98 % of sequences right from the first digit to the end.

#include "autograd/ops/activation.hpp"
#include "autograd/ops/reduce.hpp"
#include "examples/forms/form.hpp"
#include "nn/attention.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"

using namespace rw;

namespace {

constexpr std::size_t longest = 10, width = 32;
constexpr std::int64_t end = 10, start = 11;  // after the digits

struct Batch {
  Indices source;                    // [10, B]
  std::vector<std::size_t> lengths;  // of the sources
  Indices target;                    // [11, B]: the source backwards, then ends
};

struct Model {
  nn::Embedding<float> embedding;
  nn::Bidirectional<nn::Gru<float>> encoder;
  nn::Gru<float> decoder;
  nn::GeneralAttention<float> attention;
  nn::Linear<float> readout;

  /// Logits [11, B, 12]. A step reads the symbol before it: the target's in training, else the likeliest.
  Variable<float> operator()(const Batch& batch, bool training) const {
    const auto read = unroll(encoder, embedding(batch.source), {.lengths = batch.lengths});
    const auto memory = attention.prepare(read.outputs, nn::mask_of<float>(batch.lengths, longest));
    nn::Gru<float>::State state = read.state.backward;
    Indices symbols = full<std::int64_t>({batch.lengths.size()}, start);
    std::vector<Variable<float>> logits;
    for (std::size_t t = 0; t <= longest; ++t) {
      state = nn::step(decoder, embedding(symbols), state).state;
      logits.push_back(readout(concatenate({state.h, attention(state.h, memory).context}, -1)));
      symbols = forms::likeliest(logits.back());
      if (training) std::copy_n(batch.target.data() + t * symbols.size(), symbols.size(), symbols.data());
    }
    return stack(logits);
  }
};

Batch random_batch(std::size_t rows, Random& random) {
  Batch batch{zeros<std::int64_t>({longest, rows}), {}, full<std::int64_t>({longest + 1, rows}, end)};
  for (std::size_t b = 0; b < rows; ++b) {
    const std::size_t length = batch.lengths.emplace_back(1 + random.below(longest));
    for (std::size_t t = 0; t < length; ++t) {
      const auto digit = static_cast<std::int64_t>(random.below(10));
      batch.source.data()[t * rows + b] = batch.target.data()[(length - 1 - t) * rows + b] = digit;
    }
  }
  return batch;
}

/// The share of rows that are written right up to and with their first end.
double share_right(const Variable<float>& logits, const Batch& batch) {
  const Indices written = forms::likeliest(logits);
  const std::size_t rows = batch.lengths.size();
  double right = 0;
  for (std::size_t b = 0; b < rows; ++b) {
    bool same = true;
    for (std::size_t n = b; n < (batch.lengths[b] + 1) * rows; n += rows) {
      same = same && written.data()[n] == batch.target.data()[n];
    }
    right += same;
  }
  return right / static_cast<double>(rows);
}

}  // namespace

int main(int argc, char** argv) {
  return forms::run(argc, argv, "Many to many, unaligned: digits written backwards.", [](const app::Common& flags) {
    Random random(flags.seed);
    Model model{{{.vocabulary = 12, .dimension = 16}, random},
                {{{.input = 16, .hidden = width}, random}, {{.input = 16, .hidden = width}, random}},
                {{.input = 16, .hidden = width}, random},
                {{.query = width, .memory = 2 * width}, random},
                {{.input = 3 * width, .output = 12}, random}};
    const auto loss = [&] {
      const Batch batch = random_batch(32, random);
      return nn::cross_entropy(model(batch, true), batch.target);
    };
    forms::train(forms::parameters_of(model.embedding, model.encoder, model.decoder, model.attention, model.readout),
                 3000, 0.005, loss, flags);

    const Batch batch = random_batch(1000, random);
    const double share = share_right(model(batch, false), batch);
    return forms::report("many to many, unaligned: sequences right", share, "at least 0.98", share >= 0.98);
  });
}
