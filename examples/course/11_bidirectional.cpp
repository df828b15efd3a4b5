// Bidirectional networks: whether the bits two steps before and two steps after are both 1.
// Seconds. To expect: three quarters right in one direction, all in both.

#include "examples/course/course.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"

using namespace rw;

namespace {

constexpr std::size_t steps = 20;

/// Bits [T, B, 1], and of each step but two at either end whether both are, [T − 4, B].
std::pair<Variable<double>, Indices> problem(std::size_t rows, Random& random) {
  Tensor<double> xs = zeros<double>({steps, rows, 1});
  for (double& x : xs) x = static_cast<double>(random.below(2));
  Indices both = zeros<std::int64_t>({steps - 4, rows});
  for (std::size_t i = 0; i < both.size(); ++i) both.data()[i] = xs.data()[i] + xs.data()[i + 4 * rows] == 2;
  return {xs, both};
}

template <class Layer>
plot::Curve learn(const std::string& name, std::size_t width, Layer layer, Random random) {
  nn::Linear<double> readout({.input = width, .output = 2}, random);
  const auto logits = [&](const Variable<double>& xs) {
    return readout(slice(unroll(layer, xs).outputs, 0, 2, steps - 2));
  };
  const auto losses = forms::train(forms::parameters_of(layer, readout), 600, 0.02, [&] {
    const auto [xs, both] = problem(32, random);
    return nn::cross_entropy(logits(xs), both);
  });
  const auto [xs, both] = problem(1000, random);
  course::row(name, {forms::accuracy(logits(xs), both)});
  return course::curve(name, losses);
}

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Bidirectional networks.", [](const course::Lesson& lesson) {
    Random random(lesson.seed);
    // [layers]
    using Cell = nn::Lstm<double>;
    Cell forward({.input = 1, .hidden = 12}, random);
    nn::Bidirectional<Cell> both{{{.input = 1, .hidden = 12}, random}, {{.input = 1, .hidden = 12}, random}};
    // [end]
    const auto one = learn("one direction", 12, std::move(forward), random);
    const auto two = learn("both directions", 24, std::move(both), random);
    lesson.draw({"Are x[t-2] and x[t+2] both 1?", "step of training", "cross entropy"}, {one, two});
  });
}
