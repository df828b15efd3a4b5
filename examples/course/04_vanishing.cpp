// Vanishing and exploding gradients: the gradient of a last state by earlier ones, in networks without inputs to speak
// of. No time at all. To expect: powers of rho, where the network is linear.

#include "examples/course/course.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/gradient_flow.hpp"

using namespace rw;

namespace {

// [cell]
/// h' = φ(x·W + h·U) whose U is rho times an orthogonal matrix.
nn::Rnn<double> scaled(double rho, const nn::Rnn<double>::Activation& activation) {
  Random random(1);
  nn::Rnn<double> cell({.input = 4, .hidden = 32, .bias = false, .activation = activation}, random);
  cell.weight_hh.assign((rho * cell.weight_hh).value());
  return cell;
}
// [end]

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Vanishing and exploding gradients.", [](const course::Lesson& lesson) {
    constexpr std::size_t steps = 100;
    Random random(lesson.seed);
    const Variable<double> xs = nn::normal<double>({steps, 8, 4}, 0.1, random);
    const auto linear = [](const Variable<double>& a) { return a; };
    const auto squashed = [](const Variable<double>& a) { return tanh(a); };
    std::vector<plot::Curve> curves;
    course::row("steps back", {0, 1, 10, 50, 100});
    const auto show = [&](const std::string& name, const nn::Rnn<double>& cell) {
      const std::vector<double> norms = nn::gradient_flow(cell, xs);
      course::row(name, {norms[0], norms[1], norms[10], norms[50], norms[100]});
      curves.push_back(course::curve(name, {norms.begin(), norms.end() - 1}));
    };
    for (const double rho : {0.9, 1.0, 1.1})
      show("linear, rho " + std::to_string(rho).substr(0, 3), scaled(rho, linear));
    for (const double rho : {0.9, 1.0, 1.1})
      show("tanh, rho " + std::to_string(rho).substr(0, 3), scaled(rho, squashed));
    course::row("0.9^k", {1, 0.9, std::pow(0.9, 10), std::pow(0.9, 50), std::pow(0.9, 100)});
    course::row("1.1^k", {1, 1.1, std::pow(1.1, 10), std::pow(1.1, 50), std::pow(1.1, 100)});
    lesson.draw({"How far a gradient reaches back", "steps back", "norm of the gradient", true}, curves);
  });
}
