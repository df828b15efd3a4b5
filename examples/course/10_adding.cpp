// Gating at work: the adding problem (Hochreiter & Schmidhuber 1997). Of 40 numbers two are marked: what is their sum?
// Seconds. To expect: the simple network no better than always saying 1, GRU and LSTM nearly right.

#include "examples/course/course.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

constexpr std::size_t steps = 40;

// [problem]
/// xs [T, B, 2]: numbers in [0, 1) and marks, one in each half; sums of the marked [B, 1].
std::pair<Variable<double>, Variable<double>> problem(std::size_t rows, Random& random) {
  Tensor<double> xs = zeros<double>({steps, rows, 2}), sums = zeros<double>({rows, 1});
  for (std::size_t b = 0; b < rows; ++b) {
    for (std::size_t t = 0; t < steps; ++t) xs(t, b, 0) = random.uniform();
    for (const std::size_t half : {0, 1}) {
      const std::size_t t = half * steps / 2 + random.below(steps / 2);
      xs(t, b, 1) = 1;
      sums(b, 0) += xs(t, b, 0);
    }
  }
  return {xs, sums};
}
// [end]

template <class C>
plot::Curve learn(const std::string& name, C cell, Random random) {
  nn::Linear<double> readout({.input = 16, .output = 1}, random);
  const auto parameters = forms::parameters_of(cell, readout);
  const auto error = [&](std::size_t rows) {
    const auto [xs, sums] = problem(rows, random);
    return mean(square(readout(unroll(cell, xs, {.outputs = false}).state.h) - sums));
  };
  const auto losses = forms::train(parameters, 800, 0.01, [&] { return error(32); });
  std::printf("%-22s %8zu %8.3f\n", name.c_str(), parameters.elements(), error(1000).item());
  return course::curve(name, losses);
}

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "The adding problem.", [](const course::Lesson& lesson) {
    Random random(lesson.seed);
    std::printf("%-22s  weights    error\n%-22s %8d %8.3f\n", "", "always 1", 0, 1.0 / 6);
    const auto rnn = learn("simple RNN", nn::Rnn<double>({.input = 2, .hidden = 16}, random), random);
    const auto gru = learn("GRU", nn::Gru<double>({.input = 2, .hidden = 16}, random), random);
    const auto lstm = learn("LSTM", nn::Lstm<double>({.input = 2, .hidden = 16}, random), random);
    lesson.draw({"The adding problem, 40 steps", "step of training", "squared error", true}, {rnn, gru, lstm});
  });
}
