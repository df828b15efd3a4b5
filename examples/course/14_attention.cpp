// Attention: the same task as before; but each step of the decoder looks back at what the encoder said of each digit.
// Seconds. To expect: long sequences right as well, and a look that wanders from the last digit to the first.

#include "examples/course/course.hpp"
#include "examples/course/reversal.hpp"
#include "nn/attention.hpp"
#include "nn/cells/gru.hpp"
#include "nn/embedding.hpp"
#include "nn/loss.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

// [model]
struct Model {
  nn::Embedding<double> embedding;
  nn::Gru<double> encoder, decoder;
  nn::GeneralAttention<double> attention;
  nn::Linear<double> readout;

  /// Logits [L + 1, B, 11] and, step by step, the weights of what the encoder said, [L, B] each.
  auto operator()(const course::Reversal& asked, bool training) const {
    auto [outputs, state] = unroll(encoder, embedding(asked.source));
    const auto memory = attention.prepare(outputs, full<double>(asked.source.shape(), 1));
    Indices symbol = full<std::int64_t>({asked.rows()}, course::end);
    std::vector<Variable<double>> logits, weights;
    for (std::size_t t = 0; t < asked.target.shape()[0]; ++t) {
      state = nn::step(decoder, embedding(symbol), state).state;
      const auto seen = attention(state.h, memory);
      logits.push_back(readout(concatenate({state.h, seen.context}, -1)));
      weights.push_back(seen.weights);
      symbol = training ? asked.target_at(t) : forms::likeliest(logits.back());
    }
    return std::pair(stack(logits), weights);
  }
};
// [end]

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Attention.", [](const course::Lesson& lesson) {
    Random random(lesson.seed);
    Model model{{{.vocabulary = 11, .dimension = 16}, random},
                {{.input = 16, .hidden = 32}, random},
                {{.input = 16, .hidden = 32}, random},
                {{.query = 32, .memory = 32}, random},
                {{.input = 64, .output = 11}, random}};
    const auto parameters =
        forms::parameters_of(model.embedding, model.encoder, model.decoder, model.attention, model.readout);
    forms::train(parameters, 800, 0.01, [&] {
      const auto asked = course::reversal(1 + random.below(12), 64, random);
      return nn::cross_entropy(model(asked, true).first, asked.target);
    });
    const std::vector<double> lengths{1, 2, 4, 6, 8, 10, 12};
    const auto logits = [&](auto& asked) { return model(asked, false).first; };
    course::row("digits", lengths);
    course::row("sequences right", course::shares_right(lengths, random, logits));
    std::vector<plot::Curve> curves;
    for (const auto& weights : model(course::reversal(7, 1, random), false).second) {
      const std::vector<double> looks(weights.value().begin(), weights.value().end());
      curves.push_back(course::curve("symbol " + std::to_string(curves.size() + 1), looks, 1));
    }
    lesson.draw({"Where the decoder looks while it writes", "digit read", "weight"}, curves);
  });
}
