#include "optim/clip.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "nn/cells/lstm.hpp"
#include "nn/linear.hpp"
#include "nn/safetensors.hpp"
#include "tests/distance.hpp"
#include "tests/errors.hpp"
#include "tests/optim/gradient.hpp"

namespace {

using namespace rw::optim;
using rw::Gradients;
using rw::Parameter;
using rw::RowSparse;
using rw::Tensor;
using rw::Variable;
using rw::test::distance;
using rw::test::give;
using rw::test::gradient;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_ = std::numeric_limits<double>::quiet_NaN();

// Row 2 gets 1 + 2 = 3, row 0 gets 4.
Gradients<double> sparse(const Parameter<double>& p) {
  const rw::Indices ids = rw::tensor<std::int64_t>({3}, {2, 0, 2});
  return gradient<double>(p, RowSparse<double>{ids, Variable<double>(rw::tensor<double>({3, 1}, {1, 4, 2})), 4});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clip)

BOOST_AUTO_TEST_CASE(the_global_norm_as_the_reference) {
  const auto file = rw::nn::read_safetensors(std::string(TESTS_DIR) + "/golden/clip_norm.safetensors");
  Parameter<double> a("a", rw::zeros<double>({3, 4})), b("b", rw::zeros<double>({5}));
  Gradients<double> g = gradient(a, file.get<double>("g0"));
  give<double>(g, b, Variable<double>(file.get<double>("g1")));
  const double norm = clip_global_norm(g, std::stod(file.metadata.at("max")));
  BOOST_TEST(std::abs(norm - file.get<double>("norm").data()[0]) < 1e-12);
  BOOST_TEST(distance(g[a].value(), file.get<double>("out0")) < 1e-12);
  BOOST_TEST(distance(g[b].value(), file.get<double>("out1")) < 1e-12);
}

BOOST_AUTO_TEST_CASE(rows_count_and_are_clipped) {
  Parameter<double> p("p", rw::zeros<double>({4, 1}));
  Gradients<double> g = sparse(p), each = sparse(p), group = sparse(p), values = sparse(p);
  BOOST_TEST(std::abs(clip_global_norm(g, 2.5) - 5) < 1e-12);
  BOOST_TEST(clip_each_norm({&p}, each, 2.5) == 5);
  BOOST_TEST(clip_group_norms({{&p}}, group, 2.5) == 5);
  BOOST_TEST(clip_values({&p}, values, 3.5) == 5);
  BOOST_TEST(distance(g[p].value(), rw::tensor<double>({4, 1}, {2, 0, 1.5, 0})) < 1e-6);
  BOOST_TEST(distance(each[p].value(), rw::tensor<double>({4, 1}, {2, 0, 1.5, 0})) < 1e-6);
  BOOST_TEST(distance(group[p].value(), rw::tensor<double>({4, 1}, {2, 0, 1.5, 0})) < 1e-6);
  BOOST_TEST(bool(values[p].value() == rw::tensor<double>({4, 1}, {3.5, 0, 3, 0})));
  for (const auto* gradients : {&g, &each, &group, &values}) BOOST_TEST(gradients->rows(p) != nullptr);
}

BOOST_AUTO_TEST_CASE(each_by_its_own_norm) {
  Parameter<double> a("a", rw::zeros<double>({2})), b("b", rw::zeros<double>({2, 1})), c("c", rw::zeros<double>({1}));
  Gradients<double> g = gradient(a, rw::tensor<double>({2}, {3, 4}));
  give<double>(g, b, Variable<double>(rw::tensor<double>({2, 1}, {0, 12})));
  BOOST_TEST(clip_each_norm({&a, &b, &c}, g, 6.0) == 13);
  BOOST_TEST(bool(g[a].value() == rw::tensor<double>({2}, {3, 4})));
  BOOST_TEST(distance(g[b].value(), rw::tensor<double>({2, 1}, {0, 12 * 6 / (12 + 1e-6)})) < 1e-15);
  BOOST_TEST(!g.has(c));
}

// An LSTM's three tensors keep their proportions, and a layer whose gradients are short stays as it is.
BOOST_AUTO_TEST_CASE(layer_by_layer) {
  rw::Random random(1);
  rw::nn::Lstm<double> lstm({.input = 2, .hidden = 3}, random);
  rw::nn::Linear<double> readout({.input = 3, .output = 2}, random);
  Gradients<double> g, of_lstm, of_readout;
  for (const auto& [name, p] : lstm.parameters()) {
    g += gradient(*p, rw::nn::normal<double>(p->shape(), 10, random));
    of_lstm += gradient(*p, g[*p].value());
  }
  for (const auto& [name, p] : readout.parameters()) {
    g += gradient(*p, rw::nn::normal<double>(p->shape(), 0.1, random));
    of_readout += gradient(*p, g[*p].value());
  }
  const Gradients<double> before = g;
  const double limit = 5, norm = of_lstm.norm();
  BOOST_TEST(norm > limit);
  BOOST_TEST(of_readout.norm() < limit);
  Parameter<double> unused("unused", rw::zeros<double>({2}));
  BOOST_TEST(clip_group_norms({lstm.parameters(), readout.parameters(), {&unused}}, g, limit) == before.norm());
  for (const auto& [name, p] : lstm.parameters()) {
    BOOST_TEST(distance(g[*p], before[*p] * (limit / (norm + 1e-6))) < 1e-14, name);
  }
  for (const auto& [name, p] : readout.parameters()) {
    BOOST_TEST(bool(g[*p].value() == before[*p].value()), name);
  }
  BOOST_TEST(!g.has(unused));
}

BOOST_AUTO_TEST_CASE(by_value) {
  Parameter<double> p("p", rw::zeros<double>({4}));
  Gradients<double> g = gradient(p, rw::tensor<double>({4}, {-2, 0.5, 0.25, 1}));
  const Variable<double> held = g[p];
  BOOST_TEST(std::abs(clip_values({&p}, g, 0.5) - std::sqrt(4 + 0.25 + 0.0625 + 1)) < 1e-15);
  BOOST_TEST(bool(g[p].value() == rw::tensor<double>({4}, {-0.5, 0.5, 0.25, 0.5})));
  BOOST_TEST(held.value().data()[0] == -2);  // whoever read it keeps what was read
}

// λ = 0.5: a column of length 5 may have a gradient of 2.5, one of zeros 0.5·ε.
BOOST_AUTO_TEST_CASE(adaptive_by_unit) {
  Parameter<double> weight("weight", rw::tensor<double>({2, 3}, {3, 0, 1, 4, 0, 0}));
  Parameter<double> bias("bias", rw::tensor<double>({2}, {0, 2})),
      table("table", rw::tensor<double>({4, 1}, {1, 9, 9, 9}));
  Gradients<double> g = gradient(weight, rw::tensor<double>({2, 3}, {6, 1, 0.25, 8, 0, 0.25}));
  give<double>(g, bias, Variable<double>(rw::tensor<double>({2}, {3, 4})));
  g += sparse(table);
  const double norm = clip_adaptive({&weight, &bias, &table}, g, {.limit = 0.5, .epsilon = 0.01});
  BOOST_TEST(std::abs(norm - std::sqrt(100 + 1 + 0.125 + 25 + 25)) < 1e-12);
  BOOST_TEST(distance(g[weight].value(), rw::tensor<double>({2, 3}, {1.5, 0.005, 0.25, 2, 0, 0.25})) < 1e-15);
  BOOST_TEST(distance(g[bias].value(), rw::tensor<double>({2}, {0.6, 0.8})) < 1e-15);
  BOOST_TEST(distance(g[table].value(), rw::tensor<double>({4, 1}, {0.5, 0, 3, 0})) < 1e-15);
  BOOST_TEST(g.rows(table) != nullptr);

  Parameter<float> f("f", rw::full<float>({2, 2}, 1)), none("none", rw::empty<float>({0, 2}));
  Gradients<float> small = gradient(f, rw::full<float>({2, 2}, 1));
  give<float>(small, none, Variable<float>(rw::empty<float>({0, 2})));
  clip_adaptive({&f, &none}, small);  // λ = 0.01
  for (const float x : small[f].value()) BOOST_TEST(std::abs(x - 0.01f) < 1e-8f);
}

BOOST_AUTO_TEST_CASE(short_and_infinite_gradients_stay) {
  Parameter<float> p("p", rw::zeros<float>({2}));
  Gradients<float> g = gradient(p, rw::tensor<float>({2}, {3, 4}));
  BOOST_TEST(clip_global_norm(g, 5.1) == 5.0);
  BOOST_TEST(clip_global_norm(g, infinity) == 5.0);
  BOOST_TEST(clip_each_norm({&p}, g, infinity) == 5.0);
  BOOST_TEST(clip_group_norms({{&p}}, g, infinity) == 5.0);
  BOOST_TEST(clip_values({&p}, g, infinity) == 5.0);
  BOOST_TEST(clip_adaptive({&p}, g, {.limit = infinity}) == 5.0);
  BOOST_TEST(bool(g[p].value() == rw::tensor<float>({2}, {3, 4})));

  const Tensor<float> wild = rw::tensor<float>({2}, {3, float(infinity)});
  g = gradient(p, wild);
  BOOST_TEST(clip_global_norm(g, 1) == infinity);
  BOOST_TEST(clip_each_norm({&p}, g, 1) == infinity);
  BOOST_TEST(clip_group_norms({{&p}}, g, 1) == infinity);
  BOOST_TEST(clip_values({&p}, g, 1) == infinity);
  BOOST_TEST(clip_adaptive({&p}, g) == infinity);
  BOOST_TEST(bool(g[p].value() == wild));
  Gradients<float> none;
  BOOST_TEST(clip_global_norm(none, 1) == 0.0);
}

BOOST_AUTO_TEST_CASE(steps_that_are_not_finite_are_skipped) {
  FiniteSteps finite({.patience = 2});
  BOOST_TEST(finite(1));
  BOOST_TEST(!finite(nan_));
  BOOST_TEST(!finite(infinity));
  BOOST_TEST(finite(0));
  BOOST_TEST(!finite(nan_));
  BOOST_TEST(!finite(nan_));
  FiniteSteps resumed({.patience = 2});
  resumed.restore(finite.numbers());
  for (FiniteSteps* each : {&finite, &resumed}) {
    BOOST_TEST(each->skipped() == 4u);
    BOOST_CHECK_EXCEPTION((*each)(infinity), std::runtime_error,
                          says("finite_steps: expected a finite norm within 3 steps; got inf"));
  }
  BOOST_CHECK_EXCEPTION(finite.restore({{"skipped", 1}}), std::invalid_argument,
                        says("finite_steps: expected a number in_a_row; got none"));
  BOOST_TEST(finite.skipped() == 5u);
}

BOOST_AUTO_TEST_CASE(limits_are_above_zero) {
  Parameter<double> p("p", rw::full<double>({1}, 1));
  Gradients<double> g = gradient(p, rw::full<double>({1}, 9));
  const auto refused = [](const auto& call) { return message<std::invalid_argument>(call); };
  for (const double limit : {0.0, -1.0, nan_}) {
    BOOST_CHECK_THROW(clip_global_norm(g, limit), std::invalid_argument);
    BOOST_CHECK_THROW(clip_each_norm({&p}, g, limit), std::invalid_argument);
    BOOST_CHECK_THROW(clip_group_norms({{&p}}, g, limit), std::invalid_argument);
    BOOST_CHECK_THROW(clip_values({&p}, g, limit), std::invalid_argument);
    BOOST_CHECK_THROW(clip_adaptive({&p}, g, {.limit = limit}), std::invalid_argument);
  }
  BOOST_TEST(refused([&] { clip_global_norm(g, -1); }) == "clip_global_norm: expected a limit above 0; got -1");
  BOOST_TEST(refused([&] { clip_values({&p}, g, -1); }) == "clip_values: expected a limit above 0; got -1");
  BOOST_TEST(refused([&] {
               clip_each_norm({&p, nullptr}, g, 1);
             }) == "clip_each_norm: expected parameters; got nullptr");
  BOOST_TEST(refused([&] {
               clip_group_norms({{&p}, {nullptr}}, g, 1);
             }) == "clip_group_norms: expected parameters; got nullptr");
  BOOST_TEST(refused([&] {
               clip_group_norms({{&p}, {&p}}, g, 1);
             }) == "clip_group_norms: expected each parameter once; got p twice");
  BOOST_TEST(refused([&] { clip_adaptive({&p}, g, {.epsilon = -1}); }) ==
             "clip_adaptive: expected epsilon in [0, inf); got -1");
  BOOST_TEST(g[p].item() == 9);
  g = gradient(p, rw::full<double>({2}, 9));
  BOOST_TEST(refused([&] { clip_values({&p}, g, 1); }) == "clip_values: expected equal shapes; got a [1], b [2]");
}

BOOST_AUTO_TEST_SUITE_END()
