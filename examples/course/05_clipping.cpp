// Exploding gradients and clipping: the wall in the error of one unit run for many steps (after Pascanu, Mikolov &
// Bengio 2013). No time at all. To expect: one step down the wall throws the weight far away; a clipped one does not.

#include "examples/course/course.hpp"

using namespace rw;

namespace {

// [error]
/// (σ(h_T) − 0.9)² after h_t = w·σ(h_{t−1}) − 3 from h_0 = 0.5.
Variable<double> error(const Variable<double>& w, int steps) {
  Variable<double> h = scalar(0.5);
  for (int t = 0; t < steps; ++t) h = w * sigmoid(h) - 3;
  return square(sigmoid(h) - 0.9);
}
// [end]

double slope(double w) {
  Tape<double> tape;
  const auto at = tape.watch(scalar(w));
  return tape.backward(error(at, 50))[at].item();
}

// [descend]
/// 100 steps of gradient descent; the weight after 1, 2, 10 and 100 of them and the last error.
std::vector<double> descend(double from, double limit) {
  Parameter<double> w("w", scalar(from));
  optim::Sgd<double> sgd({.learning_rate = 0.5});
  std::vector<double> ws{from};
  for (int step = 0; step < 100; ++step) {
    Tape<double> tape;
    auto gradients = tape.backward(error(w, 50));
    optim::clip_global_norm(gradients, limit);
    sgd.step({&w}, gradients);
    ws.push_back(w.item());
  }
  return {ws[1], ws[2], ws[10], ws[100], error(w, 50).item()};
}
// [end]

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "Exploding gradients and clipping.", [](const course::Lesson& lesson) {
    const double wall = 3.5 / (1 / (1 + std::exp(-0.5)));  // where h stays at 0.5, on the edge between two fates
    std::printf("the wall is at w = %.4f\n", wall);
    course::row("slope left, on, right", {slope(wall - 0.1), slope(wall), slope(wall + 0.1)});
    std::printf("%-22s   step 1        2       10      100    error\n", "");
    course::row("w, unclipped", descend(wall, 1e9));
    course::row("w, clipped", descend(wall, 1));
    std::vector<plot::Curve> curves;
    for (const int steps : {2, 10, 50}) {
      auto& curve = curves.emplace_back(plot::Curve{std::to_string(steps) + " steps", {}, {}});
      for (double w = 5; w < 6.2; w += 0.01) curve.x.push_back(w), curve.y.push_back(error(scalar(w), steps).item());
    }
    lesson.draw({"The error over a recurrent weight", "w", "error"}, curves);
  });
}
