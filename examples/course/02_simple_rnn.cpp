// The simple recurrent network: its equation, a cell, learns to go on with a wave.
// A second. To expect: an error far below that of the best guess from the last value alone.

#include "examples/course/course.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

// [cell]
/// h' = tanh(x·W + h·U + b)
struct SimpleRnn {
  struct State {
    Variable<double> h;
  };
  State initial_state(std::size_t batch) const { return {zeros<double>({batch, b.size()})}; }
  nn::Step<double, State> step(const Variable<double>& x, const State& s) const {
    const auto h = tanh(matmul(x, w) + matmul(s.h, u) + b);
    return {h, {h}};
  }
  nn::Parameters<double> parameters() { return {w, u, b}; }
  Parameter<double> w, u, b;
};
// [end]

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "The simple recurrent network, on a wave.", [](const course::Lesson& lesson) {
    const double turn = 2 * std::acos(-1.0), speed = turn / 16;  // the angle of a step
    Random random(lesson.seed);
    const auto draw = [&](const Shape& shape) { return nn::glorot_uniform<double>(shape, random); };
    SimpleRnn cell{{"w", draw({1, 8})}, {"u", draw({8, 8})}, {"b", zeros<double>({8})}};
    nn::Linear<double> readout({.input = 8, .output = 1}, random);
    Tensor<double> angles = empty<double>({33, 1, 1});
    for (std::size_t t = 0; t < 33; ++t) angles(t, 0, 0) = speed * static_cast<double>(t);
    const auto losses = forms::train(forms::parameters_of(cell, readout), 1000, 0.01, [&] {
      const Variable<double> phases = nn::uniform<double>({1, 16, 1}, turn / 2, random);
      const auto xs = sin(phases + Variable<double>(angles));
      return mean(square(readout(nn::unroll(cell, slice(xs, 0, 0, 32)).outputs) - slice(xs, 0, 1)));
    });
    course::row("from the last value", {std::pow(std::sin(speed), 2) / 2});
    course::row("simple RNN, begin, end", {losses.front(), losses.back()});

    // [free]
    std::vector<double> wave, heard;  // the wave for 16 steps, then the network's own guesses
    Variable<double> guess;
    auto state = cell.initial_state(1);
    for (int t = 0; t < 80; ++t) {
      wave.push_back(std::sin(speed * t));
      heard.push_back(t < 16 ? wave.back() : guess.item());
      const auto next = nn::step<double>(cell, full<double>({1, 1}, heard.back()), state);
      guess = readout(next.output);
      state = next.state;
    }
    // [end]
    course::row("wave, network at 79", {wave.back(), heard.back()});
    lesson.draw({"A wave, heard for 16 steps and then gone on with", "step", "value"},
                {course::curve("wave", wave), course::curve("network", heard)});
  });
}
