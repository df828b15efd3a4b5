// A good start: what the first recurrent weights do to the gradient. No time at all.
// To expect: orthogonal weights and the identity keep it, others let it vanish or explode.

#include "examples/course/course.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/gradient_flow.hpp"

using namespace rw;

int main(int argc, char** argv) {
  return course::run(argc, argv, "A good start: recurrent weights to begin with.", [](const course::Lesson& lesson) {
    constexpr std::size_t hidden = 64, steps = 100;
    Random random(lesson.seed);
    const Variable<double> xs = nn::normal<double>({steps, 8, 4}, 0.1, random);
    std::vector<plot::Curve> curves;
    const auto show = [&](const std::string& name, Tensor<double> weight,
                          const nn::Rnn<double>::Activation& activation) {
      Random same(lesson.seed);
      nn::Rnn<double> cell({.input = 4, .hidden = hidden, .activation = activation}, same);
      cell.weight_hh.assign(std::move(weight));
      const std::vector<double> norms = nn::gradient_flow(cell, xs);
      course::row(name, {norms[0], norms[1], norms[10], norms[50], norms[100]});
      curves.push_back(course::curve(name, {norms.begin(), norms.end() - 1}));
    };
    const auto gaussian = [&](double deviation) { return nn::normal<double>({hidden, hidden}, deviation, random); };
    Tensor<double> identity = zeros<double>({hidden, hidden});
    for (std::size_t i = 0; i < hidden; ++i) identity(i, i) = 1;
    course::row("steps back", {0, 1, 10, 50, 100});
    // [starts]
    show("tanh, small", gaussian(0.05), tanh<Variable<double>>);
    show("tanh, 1/sqrt(H)", gaussian(1 / std::sqrt(hidden)), tanh<Variable<double>>);
    show("tanh, large", gaussian(2 / std::sqrt(hidden)), tanh<Variable<double>>);
    show("tanh, orthogonal", nn::orthogonal<double>({hidden, hidden}, random), tanh<Variable<double>>);
    show("ReLU, identity", identity, relu<Variable<double>>);
    // [end]
    lesson.draw({"The start and the gradient", "steps back", "norm of the gradient", true}, curves);
  });
}
