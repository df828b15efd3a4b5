// The LSTM gate by gate: one unit, its weights set by hand, that writes a number, keeps it and reads it out when told.
// No time at all. To expect: the number comes out ten steps later, and the gradient goes all the way back to it.

#include "examples/course/course.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/unroll.hpp"

using namespace rw;

int main(int argc, char** argv) {
  return course::run(argc, argv, "The LSTM gate by gate.", [](const course::Lesson& lesson) {
    // [weights]
    // A step's input: a number, "write" and "read". Gates in the order i, f, g, o; all of them see the same.
    const Variable<double> w = tensor<double>({3, 4}, {0, 0, 1, 0,      // the number goes to g
                                                       20, -20, 0, 0,   // "write" opens i and closes f
                                                       0, 0, 0, 20});   // "read" opens o
    const Variable<double> b = tensor<double>({4}, {-10, 10, 0, -10});  // of themselves: only f is open
    const Variable<double> u = zeros<double>({1, 4});                   // nothing comes from h
    // [end]
    Random random(lesson.seed);
    Tensor<double> numbers = zeros<double>({16, 1, 3});
    for (std::size_t t = 0; t < 16; ++t) numbers(t, 0, 0) = random.uniform();
    numbers(2, 0, 1) = 1;   // write
    numbers(12, 0, 2) = 1;  // read

    Tape<double> tape;
    const auto xs = tape.watch(numbers);
    Variable<double> h = zeros<double>({1, 1}), c = h, read;
    std::vector<plot::Curve> curves{{"i", {}, {}}, {"f", {}, {}}, {"o", {}, {}}, {"c", {}, {}}, {"h", {}, {}}};
    std::printf("   t  number       i       f       o       c       h\n");
    for (std::size_t t = 0; t < 16; ++t) {
      const auto x = unstack(xs)[t];
      // [lstm]
      const auto [i, f, g, o] = split<4>(affine(x, w, b) + matmul(h, u));
      c = sigmoid(f) * c + sigmoid(i) * tanh(g);  // forget, write
      h = sigmoid(o) * tanh(c);                   // read
      // [end]
      if (t == 12) read = h;
      const double row[] = {sigmoid(i).item(), sigmoid(f).item(), sigmoid(o).item(), c.item(), h.item()};
      std::printf("%4zu  %6.3f", t, numbers(t, 0, 0));
      for (std::size_t k = 0; k < 5; ++k) {
        std::printf("  %6.3f", row[k]);
        curves[k].x.push_back(static_cast<double>(t));
        curves[k].y.push_back(row[k]);
      }
      std::printf("\n");
    }
    const Tensor<double> gradient = tape.backward(read)[xs].value();
    std::printf("gradient of what is read at 12, by the number at 2: %.3f, at 1: %.3f\n", gradient(2, 0, 0),
                gradient(1, 0, 0));
    lesson.draw({"One unit writes, keeps and reads", "step", "value"}, curves);
  });
}
