// Why memory: bits pass by, one a step. Which of those gone by can a network still name?
// Seconds. To expect: one bit without memory, four through a window of four, eight with eight recurrent units.

#include "examples/course/course.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

constexpr std::size_t steps = 24, lags = 10;

// [past]
/// [T, B, 10]: element k of step t is the bit of step t − k, or 0 where there was none.
Variable<double> past(const Variable<double>& xs) {
  std::vector<Variable<double>> all;
  for (std::ptrdiff_t k = 0; k < 10; ++k) all.push_back(slice(pad(xs, {{k, 0}, {0, 0}, {0, 0}}), 0, 0, steps));
  return concatenate(all, 2);
}
// [end]

/// Trains a model [T, B, 1] -> [T, B, 10]; then prints, lag by lag, the share of bits whose sign it gets right.
template <class Model>
plot::Curve learn(const char* name, const nn::Parameters<double>& parameters, Random& random, const Model& model) {
  const auto bits = [&](std::size_t rows) {
    return sign(Variable<double>(nn::uniform<double>({steps, rows, 1}, 1, random)));
  };
  forms::train(parameters, 1000, 0.01, [&] {
    const auto xs = bits(32);  // ±1
    return mean(square(model(xs) - past(xs)));
  });
  const auto xs = bits(1000);
  const auto right = slice(greater(model(xs) * past(xs), 0), 0, lags - 1);  // of the steps that have all lags
  const Tensor<double> shares = mean(right, {.axes = {0, 1}}).value();
  course::row(name, {shares.begin(), shares.end()});
  return course::curve(name, {shares.begin(), shares.end()});
}

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Why memory: bits of the past, named.", [](const course::Lesson& lesson) {
    Random random(lesson.seed);
    nn::Linear<double> present({.input = 1, .output = lags}, random), window({.input = 4, .output = lags}, random);
    nn::Rnn<double> cell({.input = 1, .hidden = 8}, random);
    nn::Linear<double> readout({.input = 8, .output = lags}, random);
    const auto recurrent = forms::parameters_of(cell, readout);
    course::row("steps ago", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    // [models]
    const auto none = learn("no memory", present.parameters(), random, [&](auto& xs) { return present(xs); });
    const auto four = learn("window of four", window.parameters(), random,
                            [&](auto& xs) { return window(slice(past(xs), 2, 0, 4)); });
    const auto all =
        learn("8 recurrent units", recurrent, random, [&](auto& xs) { return readout(unroll(cell, xs).outputs); });
    // [end]
    lesson.draw({"Which bits a network can name", "steps ago", "share named right"}, {none, four, all});
  });
}
