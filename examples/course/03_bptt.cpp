// Backpropagation through time: by hand for one unit, by the tape, and by a difference quotient.
// No time at all. To expect: three times the same derivative.

#include "examples/course/course.hpp"

using namespace rw;

int main(int argc, char** argv) {
  return course::run(
      argc, argv, "Backpropagation through time, by hand and by tape.", [](const course::Lesson& lesson) {
        constexpr std::size_t steps = 20;
        constexpr double w = 0.9, target = 1;
        Random random(lesson.seed);
        std::vector<double> x(steps + 1);
        for (double& value : x) value = 0.5 * random.normal();

        // [forward]
        const auto forward = [&](double w) {  // h_t = tanh(w·h_{t−1} + x_t), h_0 = 0
          std::vector<double> h(steps + 1, 0);
          for (std::size_t t = 1; t <= steps; ++t) h[t] = std::tanh(w * h[t - 1] + x[t]);
          return h;
        };
        const auto loss = [&](double w) { return std::pow(forward(w).back() - target, 2) / 2; };
        // [end]
        // [hand]
        const std::vector<double> h = forward(w);
        std::vector<double> part(steps + 1, 0);  // what each step adds to ∂L/∂w
        double delta = h[steps] - target;        // ∂L/∂h_t, to begin with at the last step
        for (std::size_t t = steps; t > 0; --t) {
          const double before_tanh = delta * (1 - h[t] * h[t]);
          part[t] = before_tanh * h[t - 1];
          delta = before_tanh * w;  // ∂L/∂h_{t−1}
        }
        double by_hand = 0;
        for (const double p : part) by_hand += p;
        // [end]
        // [tape]
        Parameter<double> weight("w", scalar(w));
        Tape<double> tape;
        Variable<double> state = scalar(0.0);
        for (std::size_t t = 1; t <= steps; ++t) state = tanh(weight * state + x[t]);
        const double by_tape = tape.backward(square(state - target) / 2)[weight].item();
        // [end]
        const double quotient = (loss(w + 1e-6) - loss(w - 1e-6)) / 2e-6;
        std::printf("by hand     %.8f\nby tape     %.8f\nby quotient %.8f\n", by_hand, by_tape, quotient);
        for (double& p : part) p = std::abs(p);
        course::row("steps 16 to 20", {part[16], part[17], part[18], part[19], part[20]});
        course::row("steps 2 to 6", {part[2], part[3], part[4], part[5], part[6]});
        part.erase(part.begin(), part.begin() + 2);  // h_0 is 0: the first step adds nothing
        lesson.draw({"What each step adds to the derivative", "step", "size", true},
                    {course::curve("one unit", part, 2)});
      });
}
