#include "nn/substitute.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/cells/gru.hpp"
#include "nn/unroll.hpp"
#include "optim/sgd.hpp"
#include "tests/nn/users_cell.hpp"

namespace {

using common::distance;
using common::made;
using common::numbers;
using common::says;
using common::UsersCell;
using common::weighed;
using rw::Parameter;
using rw::Random;
using rw::Tape;
using rw::nn::dropout;
using rw::nn::substitute;
using rw::nn::unroll;
using rw::nn::weight_norm;
using V = rw::Variable<double>;
using Gru = rw::nn::Gru<double>;
using Cells = std::tuple<Gru, UsersCell>;

constexpr std::size_t T = 4, B = 2, I = 2, H = 3;

Parameter<double>& recurrent(Gru& cell) { return cell.weight_hh; }
Parameter<double>& recurrent(UsersCell& cell) { return cell.u; }

}  // namespace

BOOST_AUTO_TEST_SUITE(substitutes)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_dropped_weight_is_one_for_all_steps, Cell, Cells) {
  auto cell = made<Cell>(I, H), other = made<Cell>(I, H);
  Parameter<double>& weight = recurrent(cell);
  const V xs = numbers({T, B, I}), before = weight;
  Random random(1);
  Tape<double> tape;
  const V dropped = dropout(weight, 0.5, &random);
  const auto run = substitute<double>({{&weight, dropped}}, [&] { return unroll(cell, xs); });
  BOOST_TEST(weight.same_value(before));
  BOOST_TEST((weight.place() == before.place()));
  const V gradient = tape.backward(weighed(run.outputs, 1))[weight];

  recurrent(other).assign(rw::Tensor<double>(dropped.value()));
  Tape<double> another;
  const V outputs = unroll(other, xs).outputs;
  BOOST_TEST(distance(run.outputs, outputs) < 1e-14);
  const V whole = another.backward(weighed(outputs, 1))[recurrent(other)];
  for (std::size_t i = 0; i < weight.size(); ++i) {  // what was dropped learns nothing, the others twice as much
    const double scale = dropped.value().data()[i] == 0 ? 0 : 2;
    BOOST_TEST(std::abs(gradient.value().data()[i] - scale * whole.value().data()[i]) < 1e-14);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_right, Cell, Cells) {
  auto cell = made<Cell>(I, H);
  Parameter<double>& weight = recurrent(cell);
  Parameter<double> g("g", numbers({weight.shape()[1]}, 9));
  const auto dropped = [&](const std::vector<V>& x) {
    Random random(1);  // the same mask every time
    return substitute<double>({{&weight, dropout(weight, 0.5, &random)}}, [&] { return unroll(cell, x[0]).outputs; });
  };
  const auto normed = [&](const std::vector<V>& x) {
    return substitute<double>({{&weight, weight_norm(weight, g)}}, [&] {
      return unroll(cell, x[0], {.lengths = {4, 1}}).outputs;
    });
  };
  std::vector<Parameter<double>*> parameters = cell.parameters();
  auto report = rw::check_gradients("weight drop", dropped, {numbers({T, B, I})}, {.parameters = parameters});
  BOOST_TEST(report.ok, report.message);
  parameters.push_back(&g);
  report = rw::check_gradients("weight norm", normed, {numbers({T, B, I})}, {.parameters = parameters});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(several_stand_for_others_and_come_back) {
  UsersCell cell = made<UsersCell>(I, H), other = made<UsersCell>(I, H, 2);
  const V xs = numbers({T, B, I}), u = cell.u, a = cell.a;
  const V expected = unroll(other, xs).outputs;
  const V outputs = substitute<double>({{&cell.a, other.a}, {&cell.u, other.u}, {&cell.f, other.f}, {&cell.v, other.v}},
                                       [&] { return unroll(cell, xs).outputs; });
  BOOST_TEST(distance(outputs, expected) == 0);
  BOOST_TEST(cell.u.same_value(u));

  // One twice: the last counts.
  substitute<double>({{&cell.u, other.u}, {&cell.u, 2 * other.u}},
                     [&] { BOOST_TEST(distance(cell.u, 2 * other.u) == 0); });
  BOOST_TEST(cell.u.same_value(u));

  BOOST_CHECK_THROW(substitute<double>({{&cell.u, other.u}}, []() -> int { throw std::runtime_error("inside"); }),
                    std::runtime_error);
  BOOST_TEST(cell.u.same_value(u));

  BOOST_CHECK_EXCEPTION(substitute<double>({{&cell.a, other.a}, {&cell.u, numbers({2, 2})}}, [] { BOOST_TEST(false); }),
                        std::invalid_argument, says("substitute: expected equal shapes; got a [4, 4], b [2, 2]"));
  BOOST_TEST(cell.a.same_value(a));
}

BOOST_AUTO_TEST_CASE(a_dropped_weight_is_trained) {
  Gru cell = made<Gru>(I, H);
  const V before = cell.weight_hh;
  rw::optim::Sgd<double> sgd({.learning_rate = 0.5});
  Tape<double> tape;
  const auto run = substitute<double>({{&cell.weight_hh, tanh(cell.weight_hh)}}, [&] {
    return unroll(cell, V(numbers({T, B, I})));
  });
  const auto g = tape.backward(weighed(run.outputs, 1));
  sgd.step(cell.parameters(), g);
  BOOST_TEST(distance(cell.weight_hh, before - 0.5 * g[cell.weight_hh]) < 1e-15);
  BOOST_TEST(distance(cell.weight_hh, before) > 0);
}

BOOST_AUTO_TEST_CASE(weight_norm_parts_direction_and_length) {
  const rw::Tensor<double> v = numbers({3, 2});
  const V w = weight_norm(V(v), V(rw::tensor<double>({2}, {2, -5})));
  for (std::size_t j = 0; j < 2; ++j) {
    const double length = std::hypot(v.data()[j], v.data()[2 + j], v.data()[4 + j]);
    for (std::size_t i = 0; i < 3; ++i) {
      BOOST_TEST(std::abs(w.value().data()[2 * i + j] - (j == 0 ? 2 : -5) * v.data()[2 * i + j] / length) < 1e-15);
    }
  }
  // With the lengths that v has it changes nothing.
  BOOST_TEST(distance(weight_norm(V(v), norm(V(v), {.axes = {0}})), V(v)) < 1e-15);

  BOOST_CHECK_EXCEPTION(weight_norm(V(v), V(numbers({3}))), std::invalid_argument,
                        says("weight_norm: expected g [2]; got g [3]"));
  BOOST_CHECK_EXCEPTION(weight_norm(V(numbers({3})), V(numbers({3}))), std::invalid_argument,
                        says("weight_norm: expected 2 axes; got x [3]"));
}

BOOST_AUTO_TEST_SUITE_END()
