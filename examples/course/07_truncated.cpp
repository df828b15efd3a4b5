// Truncated backpropagation through time: how much of the gradient is lost where each loss goes back k steps only.
// A second. To expect: an error that falls with k, to nothing where k is the whole sequence.

#include "examples/course/course.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/linear.hpp"
#include "nn/truncated.hpp"

using namespace rw;

int main(int argc, char** argv) {
  return course::run(argc, argv, "Truncated backpropagation through time.", [](const course::Lesson& lesson) {
    constexpr std::size_t steps = 200, rows = 16, window = 5;
    Random random(lesson.seed);
    const Variable<double> xs = nn::normal<double>({steps, rows, 1}, 1, random);
    std::vector<Variable<double>> sums;  // a leaking sum of the inputs, which is to be told at every step
    for (const auto& x : unstack(xs)) sums.push_back(sums.empty() ? x : 0.95 * sums.back() + x);
    const Variable<double> targets = stack(sums);
    nn::Lstm<double> cell({.input = 1, .hidden = 16}, random);
    nn::Linear<double> readout({.input = 16, .output = 1}, random);

    // [truncated]
    const auto gradient = [&](std::size_t back) {  // of all losses, each going back `back` steps
      nn::Truncated through_time(cell, {.every = window, .back = back});
      Gradients<double> all;
      for (std::ptrdiff_t t = 0; t < std::ptrdiff_t(steps); t += window) {
        const auto loss = [&](const auto& ys) { return sum(square(readout(ys) - slice(targets, 0, t, t + window))); };
        all += through_time.step(slice(xs, 0, t, t + window), loss).gradients;
      }
      return all;
    };
    // [end]
    const auto whole = gradient(steps);
    std::vector<double> kept, errors;
    for (const double back : {5, 10, 20, 40, 80, 160}) {
      auto difference = whole;
      difference.scale(-1);
      difference += gradient(static_cast<std::size_t>(back));
      kept.push_back(back);
      errors.push_back(difference.norm() / whole.norm());
    }
    course::row("steps back", kept);
    course::row("error of the gradient", errors);
    lesson.draw({"What truncation costs", "steps back", "error, as a share of the gradient", true},
                {{"LSTM", kept, errors}});
  });
}
