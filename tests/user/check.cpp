// A user's own test: first and second gradients of a cell, through time, against central differences.

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "update_gate.hpp"

BOOST_AUTO_TEST_CASE(update_gate_has_the_gradient_of_its_equations) {
  rw::Random random(1);
  UpdateGate<double> cell(2, 3, random);
  const auto xs = rw::nn::normal<double>({5, 4, 2}, 1, random);
  const auto outputs = [&](auto& x) { return rw::nn::unroll(cell, x[0]).outputs; };
  const auto report = rw::check_gradients("update gate", outputs, {xs}, {.parameters = {&cell.w, &cell.b, &cell.u}});
  BOOST_TEST(report.ok, report.message);
}
