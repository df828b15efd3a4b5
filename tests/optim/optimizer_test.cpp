#include "optim/optim.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "autograd/random.hpp"
#include "nn/safetensors.hpp"
#include "tests/errors.hpp"

namespace {

using rw::Gradients;
using rw::GradientSum;
using rw::Parameter;
using rw::RowSparse;
using rw::Tensor;
using rw::Variable;
using rw::optim::Adam;
using rw::optim::Optimizer;
using rw::optim::Sgd;

rw::nn::Safetensors golden(const std::string& name) {
  return rw::nn::read_safetensors(std::string(TESTS_DIR) + "/golden/" + name + ".safetensors");
}

double option(const rw::nn::Safetensors& file, const char* name) { return std::stod(file.metadata.at(name)); }

template <class T>
void give(Gradients<T>& gradients, const Parameter<T>& p, rw::Term<T> term) {
  GradientSum<T> sum;
  sum.add(std::move(term));
  sum.settle();
  gradients.insert(p.place(), std::move(sum));
}

template <class T>
Gradients<T> gradient(const Parameter<T>& p, rw::Term<T> term) {
  Gradients<T> gradients;
  give(gradients, p, std::move(term));
  return gradients;
}

Tensor<double> row(const Tensor<double>& x, std::size_t i) {
  const std::size_t width = x.shape(1);
  Tensor<double> out = rw::empty<double>({width});
  std::copy_n(x.data() + i * width, width, out.data());
  return out;
}

double distance(const Tensor<double>& a, const Tensor<double>& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a.data()[i] - b.data()[i]));
  return worst;
}

// The optimiser walks the whole path of the file.
void check_path(Optimizer<double>& optimizer, const rw::nn::Safetensors& file) {
  Parameter<double> p("p", file.get<double>("start"));
  const Tensor<double>&gradients = file.get<double>("gradients"), &path = file.get<double>("path");
  for (std::size_t t = 0; t < path.shape(0); ++t) {
    optimizer.step({&p}, gradient<double>(p, Variable<double>(row(gradients, t))));
    BOOST_TEST(distance(p.value(), row(path, t)) < 1e-12);
  }
  BOOST_TEST(optimizer.steps() == path.shape(0));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizers)

BOOST_AUTO_TEST_CASE(sgd_follows_the_reference) {
  const auto file = golden("sgd");
  Sgd<double> sgd({.learning_rate = option(file, "lr")});
  check_path(sgd, file);
}

BOOST_AUTO_TEST_CASE(adam_follows_the_reference) {
  const auto file = golden("adam");
  Adam<double> adam({.learning_rate = option(file, "lr"),
                     .beta1 = option(file, "beta1"),
                     .beta2 = option(file, "beta2"),
                     .epsilon = option(file, "eps")});
  check_path(adam, file);
}

// SIMD groups and the elements after them follow the same equations, in both precisions.
BOOST_AUTO_TEST_CASE(every_element_is_treated_alike) {
  for (const std::size_t n : {1, 3, 16, 37}) {
    Parameter<double> p("p", rw::full<double>({n}, 2));
    Parameter<float> q("q", rw::full<float>({n}, 2));
    Adam<double> adam;
    Adam<float> rounded;
    for (int t = 0; t < 3; ++t) {
      adam.step({&p}, gradient<double>(p, Variable<double>(rw::full<double>({n}, 0.5 - t))));
      rounded.step({&q}, gradient<float>(q, Variable<float>(rw::full<float>({n}, 0.5f - float(t)))));
    }
    for (std::size_t i = 0; i < n; ++i) {
      BOOST_TEST(std::abs(p.value().data()[i] - p.value().data()[0]) < 1e-15);
      BOOST_TEST(std::abs(q.value().data()[i] - p.value().data()[i]) < 1e-6);
    }
    BOOST_TEST(p.value().data()[0] != 2);
  }
}

// Against a plain loop that moves a row only in the steps that name it, with the bias correction of all steps.
BOOST_AUTO_TEST_CASE(adam_touches_only_the_rows_of_a_sparse_gradient) {
  Parameter<double> table("table", rw::tensor<double>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  Tensor<double> x = table.value(), m = rw::zeros<double>({4, 2}), v = m;
  Adam<double> adam({.learning_rate = 0.1});
  const std::vector<std::vector<std::int64_t>> steps = {{3, 1}, {1, 1}, {0, 3}};  // row 2 never
  for (std::size_t t = 1; t <= steps.size(); ++t) {
    rw::Indices ids = rw::empty<std::int64_t>({2});
    std::copy(steps[t - 1].begin(), steps[t - 1].end(), ids.data());
    const Tensor<double> values = rw::tensor<double>({2, 2}, {0.5, -1, 2, double(t)});
    adam.step({&table}, gradient<double>(table, RowSparse<double>{ids, Variable<double>(values), 4}));

    Tensor<double> g = rw::zeros<double>({4, 2});
    std::vector<bool> named(4);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto r = static_cast<std::size_t>(ids.data()[i]);
      named[r] = true;
      for (std::size_t j = 0; j < 2; ++j) g.data()[r * 2 + j] += values.data()[i * 2 + j];
    }
    for (std::size_t i = 0; i < 8; ++i) {
      if (!named[i / 2]) continue;
      const double gi = g.data()[i];
      double &mi = m.data()[i], &vi = v.data()[i];
      mi = 0.9 * mi + 0.1 * gi;
      vi = 0.999 * vi + 0.001 * gi * gi;
      const double m_hat = mi / (1 - std::pow(0.9, t)), v_hat = vi / (1 - std::pow(0.999, t));
      x.data()[i] -= 0.1 * m_hat / (std::sqrt(v_hat) + 1e-8);
    }
    BOOST_TEST(distance(table.value(), x) < 1e-12);
  }
  BOOST_TEST(table.value().data()[4] == 5);
  BOOST_TEST(distance(adam.state(table)[0], m) < 1e-12);
  BOOST_TEST(distance(adam.state(table)[1], v) < 1e-12);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  const auto trained = [](rw::Workers* workers) {
    rw::Random random(1);
    const auto draw = [&](const rw::Shape& shape) {
      Tensor<double> x = rw::empty<double>(shape);
      for (double& element : x) element = random.uniform(-1, 1);
      return x;
    };
    Parameter<double> large("large", draw({200, 201})), small("small", draw({3}));
    Adam<double> adam({.learning_rate = 0.1});
    for (int step = 0; step < 3; ++step) {
      Gradients<double> gradients = gradient<double>(large, Variable<double>(draw({200, 201})));
      give<double>(gradients, small, Variable<double>(draw({3})));
      adam.step({&large, &small}, gradients, workers);
    }
    return std::pair(large.value(), small.value());
  };
  rw::Workers three(3);
  const auto alone = trained(nullptr), together = trained(&three);
  BOOST_TEST(distance(alone.first, together.first) == 0);
  BOOST_TEST(distance(alone.second, together.second) == 0);
}

BOOST_AUTO_TEST_CASE(nothing_flowed_nothing_moves) {
  Parameter<double> p("p", rw::full<double>({3}, 1)), q("q", rw::full<double>({3}, 1));
  Parameter<double> none("none", rw::empty<double>({0, 2}));
  Sgd<double> sgd({.learning_rate = 1});
  Gradients<double> g = gradient<double>(p, Variable<double>(rw::full<double>({3}, 0.25)));
  give<double>(g, none, Variable<double>(rw::empty<double>({0, 2})));
  sgd.step({&p, &q, &none}, g);
  BOOST_TEST(bool(p.value() == rw::full<double>({3}, 0.75)));
  BOOST_TEST(bool(q.value() == rw::full<double>({3}, 1)));
}

BOOST_AUTO_TEST_CASE(who_holds_a_value_keeps_it) {
  Parameter<double> p("p", rw::full<double>({3}, 1));
  const Variable<double> held = p;
  Sgd<double> sgd({.learning_rate = 1});
  sgd.step({&p}, gradient<double>(p, Variable<double>(rw::full<double>({3}, 0.25))));
  BOOST_TEST(bool(held.value() == rw::full<double>({3}, 1)));
}

// What a checkpoint needs: the state copied into a new optimiser goes on bit by bit.
BOOST_AUTO_TEST_CASE(the_state_is_all_there_is) {
  Parameter<double> p("p", rw::full<double>({5}, 1)), q("q", rw::full<double>({5}, 1));
  const auto g = [](const Parameter<double>& to, int t) {
    return gradient<double>(to, Variable<double>(rw::full<double>({5}, std::sin(t))));
  };
  Adam<double> first, second;
  for (int t = 0; t < 5; ++t) first.step({&p}, g(p, t));
  BOOST_TEST(first.state_names() == (std::vector<std::string>{"first_moment", "second_moment"}),
             boost::test_tools::per_element());
  second.state(q) = first.state(p);
  second.set_steps(first.steps());
  q.assign(p.value());
  Parameter<double> moved = std::move(p);  // the state is the parameter's, wherever it lies
  for (int t = 5; t < 10; ++t) {
    first.step({&moved}, g(moved, t));
    second.step({&q}, g(q, t));
  }
  BOOST_TEST(bool(moved.value() == q.value()));
}

BOOST_AUTO_TEST_CASE(takes_the_parameters_of_a_model) {
  Parameter<double> w("w", rw::full<double>({3}, 1));
  const rw::nn::Parameters<double> parameters{w};
  Sgd<double> sgd({.learning_rate = 1});
  sgd.step(parameters, gradient<double>(w, Variable<double>(rw::full<double>({3}, 1))));
  BOOST_TEST(bool(w.value() == rw::zeros<double>({3})));
}

BOOST_AUTO_TEST_CASE(wrong_options_and_gradients) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(Sgd<double>({.learning_rate = -1}), std::invalid_argument,
                        says("optimizer: expected learning_rate in [0, inf); got -1"));
  BOOST_CHECK_THROW(Sgd<float>({.learning_rate = nan}), std::invalid_argument);
  BOOST_CHECK_EXCEPTION(Adam<double>({.beta1 = 1}), std::invalid_argument,
                        says("adam: expected beta1 in [0, 1); got 1"));
  BOOST_CHECK_EXCEPTION(Adam<double>({.beta2 = -0.5}), std::invalid_argument,
                        says("adam: expected beta2 in [0, 1); got -0.5"));
  BOOST_CHECK_EXCEPTION(Adam<double>({.epsilon = -1}), std::invalid_argument,
                        says("adam: expected epsilon in [0, inf); got -1"));

  Parameter<double> p("p", rw::full<double>({2}, 1)), q("q", rw::full<double>({2}, 1));
  Adam<double> adam;
  adam.set_learning_rate(0.5);
  BOOST_TEST(adam.learning_rate() == 0.5);
  BOOST_CHECK_THROW(adam.set_learning_rate(nan), std::invalid_argument);

  Gradients<double> g = gradient<double>(p, Variable<double>(rw::full<double>({2}, 1)));
  give<double>(g, q, Variable<double>(rw::full<double>({3}, 1)));
  BOOST_CHECK_EXCEPTION(adam.step({&p, &q}, g), std::invalid_argument,
                        says("step: expected equal shapes; got a [2], b [3]"));
  rw::Indices ids = rw::tensor<std::int64_t>({1}, {5});
  give<double>(g, q, RowSparse<double>{ids, Variable<double>(rw::full<double>({1}, 1)), 6});
  BOOST_CHECK_EXCEPTION(adam.step({&p, &q}, g), std::invalid_argument, says("step: expected rows of q; got 6 rows"));
  BOOST_CHECK_EXCEPTION(adam.step({&p, nullptr}, g), std::invalid_argument,
                        says("step: expected parameters; got nullptr"));
  BOOST_TEST(bool(p.value() == rw::full<double>({2}, 1)));
  BOOST_TEST(adam.steps() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(clip)

BOOST_AUTO_TEST_CASE(clips_like_the_reference) {
  const auto file = golden("clip_norm");
  Parameter<double> a("a", rw::zeros<double>({3, 4})), b("b", rw::zeros<double>({5}));
  Gradients<double> g = gradient<double>(a, Variable<double>(file.get<double>("g0")));
  give<double>(g, b, Variable<double>(file.get<double>("g1")));
  const double norm = rw::optim::clip_global_norm(g, option(file, "max"));
  BOOST_TEST(std::abs(norm - file.get<double>("norm").data()[0]) < 1e-12);
  BOOST_TEST(distance(g[a].value(), file.get<double>("out0")) < 1e-12);
  BOOST_TEST(distance(g[b].value(), file.get<double>("out1")) < 1e-12);
}

BOOST_AUTO_TEST_CASE(rows_count_and_are_clipped) {
  Parameter<double> p("p", rw::zeros<double>({4, 1}));
  const rw::Indices ids = rw::tensor<std::int64_t>({3}, {2, 0, 2});  // row 2 gets 1 + 2 = 3
  Gradients<double> g =
      gradient<double>(p, RowSparse<double>{ids, Variable<double>(rw::tensor<double>({3, 1}, {1, 4, 2})), 4});
  BOOST_TEST(std::abs(rw::optim::clip_global_norm(g, 2.5) - 5) < 1e-12);
  BOOST_TEST(g.rows(p) != nullptr);
  BOOST_TEST(distance(g[p].value(), rw::tensor<double>({4, 1}, {2, 0, 1.5, 0})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(short_and_infinite_gradients_stay) {
  Parameter<float> p("p", rw::zeros<float>({2}));
  Gradients<float> g = gradient<float>(p, Variable<float>(rw::tensor<float>({2}, {3, 4})));
  BOOST_TEST(rw::optim::clip_global_norm(g, 5.1) == 5.0);
  BOOST_TEST(rw::optim::clip_global_norm(g, std::numeric_limits<double>::infinity()) == 5.0);
  BOOST_TEST(bool(g[p].value() == rw::tensor<float>({2}, {3, 4})));

  const float infinity = std::numeric_limits<float>::infinity();
  Gradients<float> wild = gradient<float>(p, Variable<float>(rw::tensor<float>({2}, {3, infinity})));
  BOOST_TEST(rw::optim::clip_global_norm(wild, 1) == std::numeric_limits<double>::infinity());
  BOOST_TEST(bool(wild[p].value() == rw::tensor<float>({2}, {3, infinity})));
  Gradients<float> none;
  BOOST_TEST(rw::optim::clip_global_norm(none, 1) == 0.0);
}

BOOST_AUTO_TEST_CASE(a_limit_is_above_zero) {
  Gradients<double> g;
  for (const double limit : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    BOOST_CHECK_THROW(rw::optim::clip_global_norm(g, limit), std::invalid_argument);
  }
  BOOST_CHECK_EXCEPTION(rw::optim::clip_global_norm(g, -1), std::invalid_argument,
                        says("clip_global_norm: expected a limit above 0; got -1"));
}

BOOST_AUTO_TEST_SUITE_END()
