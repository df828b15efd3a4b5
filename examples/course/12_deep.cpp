// Deep networks: whether the bits one step ago and four steps ago differ, by units that hear only themselves (IndRNN,
// Li et al. 2018). Seconds. To expect: of as many weights, more layers are right more often; a GRU needs one.

#include "examples/course/course.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/ind_rnn.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/stack.hpp"

using namespace rw;

namespace {

constexpr std::size_t steps = 16;

/// Bits [T, B, 1], and from the fifth step on whether those one and four steps ago differ, [T − 4, B].
std::pair<Variable<double>, Indices> problem(std::size_t rows, Random& random) {
  Tensor<double> xs = zeros<double>({steps, rows, 1});
  for (double& x : xs) x = static_cast<double>(random.below(2));
  Indices differ = zeros<std::int64_t>({steps - 4, rows});
  for (std::size_t i = 0; i < differ.size(); ++i) differ.data()[i] = xs.data()[i] != xs.data()[i + 3 * rows];
  return {xs, differ};
}

template <class C>
plot::Curve learn(const std::string& name, std::size_t depth, std::size_t hidden, Random random) {
  // [stack]
  nn::Stack<C> deep;
  for (std::size_t k = 0; k < depth; ++k) {
    deep.layers.emplace_back(typename C::Options{.input = k == 0 ? 1 : hidden, .hidden = hidden}, random);
  }
  // [end]
  nn::Linear<double> readout({.input = hidden, .output = 2}, random);
  const auto parameters = forms::parameters_of(deep, readout);
  const auto logits = [&](const Variable<double>& xs) { return readout(slice(unroll(deep, xs).outputs, 0, 4)); };
  const auto losses = forms::train(parameters, 1500, 0.005, [&] {
    const auto [xs, differ] = problem(32, random);
    return nn::cross_entropy(logits(xs), differ);
  });
  const auto [xs, differ] = problem(1000, random);
  course::row(name,
              {double(depth), double(hidden), double(parameters.elements()), forms::accuracy(logits(xs), differ)});
  return course::curve(name, losses);
}

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Deep networks.", [](const course::Lesson& lesson) {
    const Random random(lesson.seed);
    std::printf("%-22s   layers    units  weights    right\n", "");
    const auto one = learn<nn::IndRnn<double>>("IndRNN, one layer", 1, 110, random);
    const auto two = learn<nn::IndRnn<double>>("IndRNN, two", 2, 20, random);
    const auto three = learn<nn::IndRnn<double>>("IndRNN, three", 3, 15, random);
    const auto gru = learn<nn::Gru<double>>("GRU, one layer", 1, 12, random);
    lesson.draw({"Layers over one another", "step of training", "cross entropy"}, {one, two, three, gru});
  });
}
