// The GRU: its equations written out, against the library's, and what its gate z does: it says how long to remember.
// No time at all. To expect: powers of z.

#include "examples/course/course.hpp"
#include "nn/cells/gru.hpp"
#include "nn/gradient_flow.hpp"

using namespace rw;

namespace {

// [gru]
/// h' of nn::Gru's equations, op by op.
Variable<double> written_out(const nn::Gru<double>& cell, const Variable<double>& x, const Variable<double>& h) {
  const auto [xr, xz, xn] = split<3>(affine(x, cell.weight_ih, *cell.bias));
  const auto [hr, hz, hn] = split<3>(matmul(h, cell.weight_hh));
  const auto r = sigmoid(xr + hr);                     // reset: how much of the past n sees
  const auto z = sigmoid(xz + hz);                     // update: how much of the past stays
  const auto n = tanh(xn + r * (hn + *cell.bias_hn));  // what is new
  return (1 - z) * n + z * h;
}
// [end]

}  // namespace

int main(int argc, char** argv) {
  return course::run(argc, argv, "The gated recurrent unit.", [](const course::Lesson& lesson) {
    Random random(lesson.seed);
    const nn::Gru<double> gru({.input = 3, .hidden = 5}, random);
    const Variable<double> x = nn::normal<double>({2, 3}, 1, random), h = nn::normal<double>({2, 5}, 1, random);
    const auto difference = max(abs(nn::step(gru, x, {h}).output - written_out(gru, x, h))).item();
    std::printf("written out as in the library: %s\n", difference < 1e-14 ? "yes" : "no");

    constexpr std::size_t steps = 60;
    Tensor<double> pulse = zeros<double>({steps, 1, 1});
    for (std::size_t t = 10; t < 30; ++t) pulse(t, 0, 0) = 1;
    std::vector<plot::Curve> curves{course::curve("input", {pulse.begin(), pulse.end()})};
    course::row("steps back", {0, 1, 10, 40});
    for (const double z : {0.5, 0.9, 0.99}) {
      nn::Gru<double> unit({.input = 1, .hidden = 1}, random);
      // [constant]
      unit.weight_ih.assign(tensor<double>({1, 3}, {0, 0, 5}));  // r, z, n: n is nearly 1 where the input is
      unit.weight_hh.assign(zeros<double>({1, 3}));
      unit.bias->assign(tensor<double>({3}, {0, std::log(z / (1 - z)), 0}));  // σ of which is z
      // [end]
      const Variable<double> xs = pulse;
      const std::vector<double> flow = nn::gradient_flow(unit, xs);
      const Tensor<double> outputs = unroll(unit, xs).outputs.value();
      std::string name = "z = " + std::to_string(z).substr(0, z > 0.9 ? 4 : 3);
      course::row("gradient, " + name, {flow[0], flow[1], flow[10], flow[40]});
      curves.push_back(course::curve(name, {outputs.begin(), outputs.end()}));
    }
    lesson.draw({"One unit of a GRU follows a pulse", "step", "h"}, curves);
  });
}
