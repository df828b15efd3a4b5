// The code of README.md.

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"

using namespace rw;

namespace {

// [cell]
/// h' = tanh(x·W + h·U + b)   (Elman 1990)
struct Elman {
  struct State {
    Variable<double> h;
  };
  State initial_state(std::size_t batch) const { return {zeros<double>({batch, b.size()})}; }
  nn::Step<double, State> step(const Variable<double>& x, const State& s) const {
    const auto h = tanh(matmul(x, w) + matmul(s.h, u) + b);
    return {h, {h}};
  }
  Parameter<double> w, u, b;
};
// [end]

}  // namespace

BOOST_AUTO_TEST_SUITE(readme)

BOOST_AUTO_TEST_CASE(the_gradients_of_the_cell_are_right) {
  // [check]
  Random random(1);
  const auto draw = [&](const Shape& shape) { return nn::normal<double>(shape, 0.5, random); };
  Elman cell{{"w", draw({2, 3})}, {"u", draw({3, 3})}, {"b", draw({3})}};

  // Gradients of the inputs (5 steps, 4 sequences, 2 features) and of all parameters, through time.
  const auto outputs = [&](auto& x) { return nn::unroll(cell, x[0]).outputs; };
  const auto report = check_gradients("elman", outputs, {draw({5, 4, 2})}, {.parameters = {&cell.w, &cell.u, &cell.b}});
  // [end]
  BOOST_TEST(report.ok, report.message);
  BOOST_TEST(report.first_error > 0);
  BOOST_TEST(report.second_error > 0);
}

BOOST_AUTO_TEST_SUITE_END()
