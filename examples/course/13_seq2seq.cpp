// Sequence to sequence: an encoder reads digits, a decoder writes them backwards from its last state alone.
// Seconds. To expect: short sequences right, long ones wrong: one state has to hold them all.

#include "examples/course/course.hpp"
#include "examples/course/reversal.hpp"
#include "nn/cells/gru.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

// [model]
struct Model {
  nn::Embedding<double> embedding;
  nn::Gru<double> encoder, decoder;
  nn::Linear<double> readout;

  /// Logits [L + 1, B, 11]. A step reads the symbol before: in training the right one, else the likeliest.
  Variable<double> operator()(const course::Reversal& asked, bool training) const {
    auto state = unroll(encoder, embedding(asked.source), {.outputs = false}).state;
    Indices symbol = full<std::int64_t>({asked.rows()}, course::end);
    std::vector<Variable<double>> logits;
    for (std::size_t t = 0; t < asked.target.shape()[0]; ++t) {
      state = nn::step(decoder, embedding(symbol), state).state;
      logits.push_back(readout(state.h));
      symbol = training ? asked.target_at(t) : forms::likeliest(logits.back());
    }
    return stack(logits);
  }
};
// [end]

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Sequence to sequence.", [](const course::Lesson& lesson) {
    Random random(lesson.seed);
    Model model{{{.vocabulary = 11, .dimension = 16}, random},
                {{.input = 16, .hidden = 32}, random},
                {{.input = 16, .hidden = 32}, random},
                {{.input = 32, .output = 11}, random}};
    const auto parameters = forms::parameters_of(model.embedding, model.encoder, model.decoder, model.readout);
    forms::train(parameters, 800, 0.01, [&] {
      const auto asked = course::reversal(1 + random.below(12), 64, random);
      return nn::cross_entropy(model(asked, true), asked.target);
    });
    const std::vector<double> lengths{1, 2, 4, 6, 8, 10, 12};
    const auto shares = course::shares_right(lengths, random, [&](auto& asked) { return model(asked, false); });
    course::row("digits", lengths);
    course::row("sequences right", shares);
    lesson.draw({"Digits backwards, from one state", "digits", "sequences right"}, {{"GRU", lengths, shares}});
  });
}
