#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/autograd.hpp"
#include "nn/parameters.hpp"
#include "tests/distance.hpp"
#include "tests/errors.hpp"
#include "tests/optim/gradient.hpp"
#include "tests/optim/kinds.hpp"

// What holds for all optimisers.

namespace {

using namespace rw::optim;
using rw::Gradients;
using rw::Indices;
using rw::Parameter;
using rw::RowSparse;
using rw::Tape;
using rw::Tensor;
using rw::Variable;
using rw::test::distance;
using rw::test::give;
using rw::test::gradient;
using rw::test::row;

Tensor<double> draw(rw::Random& random, const rw::Shape& shape) {
  Tensor<double> x = rw::empty<double>(shape);
  for (double& element : x) element = random.uniform(-1, 1);
  return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizers)

// SIMD groups and the elements after them follow the same equations, in both precisions.
BOOST_AUTO_TEST_CASE(every_element_is_treated_alike) {
  const auto precise = rw::test::kinds<double>();
  const auto rounded = rw::test::kinds<float>();
  for (std::size_t k = 0; k < precise.size(); ++k) {
    for (const std::size_t n : {1, 3, 16, 37}) {
      Parameter<double> p("p", rw::full<double>({n}, 2));
      Parameter<float> q("q", rw::full<float>({n}, 2));
      const auto first = precise[k].make(0.01);
      const auto second = rounded[k].make(0.01);
      for (int t = 0; t < 8; ++t) {
        first->step({&p}, gradient(p, rw::full<double>({n}, 0.4 - t)));
        second->step({&q}, gradient(q, rw::full<float>({n}, 0.4f - float(t))));
      }
      for (std::size_t i = 0; i < n; ++i) {
        BOOST_TEST(std::abs(p.value().data()[i] - p.value().data()[0]) < 1e-15);
        BOOST_TEST(std::abs(q.value().data()[i] - p.value().data()[i]) < 2e-6, precise[k].name);
      }
      BOOST_TEST(p.value().data()[0] != 2);
    }
  }
}

// A row-sparse gradient does to the rows that it names what a dense one does to a parameter of these rows alone.
BOOST_AUTO_TEST_CASE(a_sparse_gradient_touches_its_rows_only) {
  constexpr std::size_t n = 16;  // whole SIMD groups: single elements may round in another way
  for (const auto& kind : rw::test::kinds<double>()) {
    rw::Random random(1);
    Parameter<double> table("table", draw(random, {4, n})), rows("rows", rw::empty<double>({2, n}));
    const Tensor<double> start = table.value();
    Tensor<double> taken = rows.value();
    std::copy_n(start.data() + n, n, taken.data());          // row 1
    std::copy_n(start.data() + 3 * n, n, taken.data() + n);  // row 3
    rows.assign(taken);
    const auto sparse = kind.make(0.01), dense = kind.make(0.01);
    for (int t = 0; t < 8; ++t) {
      const Tensor<double> g = draw(random, {3, n});
      const Indices ids = rw::tensor<std::int64_t>({3}, {3, 1, 3});  // row 3 twice
      sparse->step({&table}, gradient<double>(table, RowSparse<double>{ids, Variable<double>(g), 4}));
      Tensor<double> sum = rw::empty<double>({2, n});
      for (std::size_t j = 0; j < n; ++j) {
        sum.data()[j] = g.data()[n + j];
        sum.data()[n + j] = g.data()[j] + g.data()[2 * n + j];
      }
      dense->step({&rows}, gradient(rows, sum));
    }
    const auto check = [&](const Tensor<double>& x, const Tensor<double>& of_rows, const Tensor<double>& otherwise) {
      for (const std::size_t i : {0, 2}) BOOST_TEST(bool(row(x, i) == row(otherwise, i)), kind.name);
      BOOST_TEST(distance(row(x, 1), row(of_rows, 0)) < 1e-15, kind.name);
      BOOST_TEST(distance(row(x, 3), row(of_rows, 1)) < 1e-15, kind.name);
    };
    check(table.value(), rows.value(), start);
    BOOST_TEST(distance(row(table.value(), 1), row(start, 1)) > 1e-4, kind.name);
    for (std::size_t i = 0; i < sparse->state_names().size(); ++i) {
      check(sparse->state(table)[i], dense->state(rows)[i], rw::zeros<double>({4, n}));
    }
  }
}

// t counts all steps, also for a row that is named for the first time.
BOOST_AUTO_TEST_CASE(the_corrections_of_adam_are_those_of_all_steps) {
  Parameter<double> table("table", rw::full<double>({2, 1}, 1));
  Adam<double> adam({.learning_rate = 0.1});
  for (const std::int64_t id : {0, 1}) {
    const auto values = Variable<double>(rw::full<double>({1, 1}, 0.5));
    adam.step({&table}, gradient<double>(table, RowSparse<double>{rw::full<std::int64_t>({1}, id), values, 2}));
  }
  const double m_hat = 0.05 / (1 - 0.81), v_hat = 0.00025 / (1 - 0.998001);
  BOOST_TEST(std::abs(table.value().data()[0] - 0.9) < 1e-8);
  BOOST_TEST(std::abs(table.value().data()[1] - (1 - 0.1 * m_hat / (std::sqrt(v_hat) + 1e-8))) < 1e-12);
}

// Decoupled decay multiplies the weights alone: where the gradient is 0 from the start, nothing else moves them.
BOOST_AUTO_TEST_CASE(weight_decay_shrinks) {
  const auto decayed = [](Optimizer<double>& optimizer) {
    Parameter<double> p("p", rw::full<double>({11}, 2));
    for (int t = 0; t < 3; ++t) optimizer.step({&p}, gradient(p, rw::zeros<double>({11})));
    for (const double x : p.value()) BOOST_TEST(std::abs(x - 2 * 0.95 * 0.95 * 0.95) < 1e-15);
  };
  Sgd<double> sgd({.learning_rate = 0.1, .weight_decay = 0.5});
  Adagrad<double> adagrad({.learning_rate = 0.1, .weight_decay = 0.5});
  Adadelta<double> adadelta({.learning_rate = 0.1, .weight_decay = 0.5});
  RmsProp<double> rmsprop({.learning_rate = 0.1, .weight_decay = 0.5});
  Adam<double> adam({.learning_rate = 0.1, .weight_decay = 0.5});
  Adamax<double> adamax({.learning_rate = 0.1, .weight_decay = 0.5});
  Nadam<double> nadam({.learning_rate = 0.1, .weight_decay = 0.5});
  Radam<double> radam({.learning_rate = 0.1, .weight_decay = 0.5});
  Lion<double> lion({.learning_rate = 0.1, .weight_decay = 0.5});
  for (Optimizer<double>* each :
       std::vector<Optimizer<double>*>{&sgd, &adagrad, &adadelta, &rmsprop, &adam, &adamax, &nadam, &radam, &lion}) {
    decayed(*each);
  }
}

// The variance of what never changes is 0, and no rounding may make it negative.
BOOST_AUTO_TEST_CASE(constant_gradients_have_a_variance) {
  for (const float g : {0.1f, 0.3f, 1.7f, 1e4f}) {
    Parameter<float> p("p", rw::full<float>({17}, 1));
    RmsProp<float> rmsprop({.learning_rate = 1e-6, .alpha = 0.5, .centered = true});
    for (int t = 0; t < 100; ++t) rmsprop.step({&p}, gradient(p, rw::full<float>({17}, g)));
    for (const float x : p.value()) BOOST_TEST(std::isfinite(x));
  }
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  const auto trained = [](const rw::test::Kind<double>& kind, rw::Workers* workers) {
    rw::Random random(1);
    Parameter<double> large("large", draw(random, {200, 201})), small("small", draw(random, {3}));
    const auto optimizer = kind.make(0.1);
    for (int step = 0; step < 3; ++step) {
      Gradients<double> gradients = gradient(large, draw(random, {200, 201}));
      give<double>(gradients, small, Variable<double>(draw(random, {3})));
      optimizer->step({&large, &small}, gradients, workers);
    }
    return std::pair(large.value(), small.value());
  };
  rw::Workers three(3);
  for (const auto& kind : rw::test::kinds<double>()) {
    const auto alone = trained(kind, nullptr), together = trained(kind, &three);
    BOOST_TEST(distance(alone.first, together.first) == 0, kind.name);
    BOOST_TEST(distance(alone.second, together.second) == 0, kind.name);
  }
}

BOOST_AUTO_TEST_CASE(nothing_flowed_nothing_moves) {
  Parameter<double> p("p", rw::full<double>({3}, 1)), q("q", rw::full<double>({3}, 1));
  Parameter<double> none("none", rw::empty<double>({0, 2}));
  Sgd<double> sgd({.learning_rate = 1});
  Gradients<double> g = gradient(p, rw::full<double>({3}, 0.25));
  give<double>(g, none, Variable<double>(rw::empty<double>({0, 2})));
  sgd.step({&p, &q, &none}, g);
  BOOST_TEST(bool(p.value() == rw::full<double>({3}, 0.75)));
  BOOST_TEST(bool(q.value() == rw::full<double>({3}, 1)));
}

BOOST_AUTO_TEST_CASE(who_holds_a_value_keeps_it) {
  Parameter<double> p("p", rw::full<double>({3}, 1));
  const Variable<double> held = p;
  Sgd<double> sgd({.learning_rate = 1});
  sgd.step({&p}, gradient(p, rw::full<double>({3}, 0.25)));
  BOOST_TEST(bool(held.value() == rw::full<double>({3}, 1)));
}

// What a checkpoint needs: the state and the steps, given to a new optimiser, go on bit by bit.
BOOST_AUTO_TEST_CASE(the_state_is_all_there_is) {
  const auto g = [](const Parameter<double>& to, int t) { return gradient(to, rw::full<double>({5}, std::sin(t))); };
  for (const auto& kind : rw::test::kinds<double>()) {
    Parameter<double> p("p", rw::full<double>({5}, 1)), q("q", rw::full<double>({5}, 1));
    const auto first = kind.make(0.01), second = kind.make(0.01);
    for (int t = 0; t < 5; ++t) first->step({&p}, g(p, t));
    second->step({&q}, g(q, 7));  // it has a past, and forgets it
    for (const Tensor<double>& x : first->state(p)) BOOST_TEST(bool(x != rw::zeros<double>({5})), kind.name);
    BOOST_TEST(first->state(p).size() == first->state_names().size());
    second->state(q) = first->state(p);
    second->set_steps(first->steps());
    q.assign(p.value());
    Parameter<double> moved = std::move(p);  // the state is the parameter's, wherever it lies
    for (int t = 5; t < 10; ++t) {
      first->step({&moved}, g(moved, t));
      second->step({&q}, g(q, t));
    }
    BOOST_TEST(bool(moved.value() == q.value()), kind.name);
    const auto third = kind.make(0.01);  // and one with a longer past goes back
    third->state(moved) = second->state(q);
    for (const auto* each : {&second, &third}) (*each)->set_steps(2);
    second->step({&q}, g(q, 2));
    third->step({&moved}, g(moved, 2));
    BOOST_TEST(bool(moved.value() == q.value()), kind.name);
  }
}

BOOST_AUTO_TEST_CASE(takes_the_parameters_of_a_model) {
  Parameter<double> w("w", rw::full<double>({3}, 1));
  const rw::nn::Parameters<double> parameters{w};
  Sgd<double> sgd({.learning_rate = 1});
  sgd.step(parameters, gradient(w, rw::full<double>({3}, 1)));
  BOOST_TEST(bool(w.value() == rw::zeros<double>({3})));
}

// Groups of parameters with options of their own are optimisers of their own; what is in no group stays.
BOOST_AUTO_TEST_CASE(groups_are_optimisers) {
  Parameter<double> weight("weight", rw::full<double>({3}, 1)), bias("bias", rw::full<double>({3}, 1));
  Parameter<double> frozen("frozen", rw::full<double>({3}, 1));
  const rw::nn::Parameters<double> model{weight, bias, frozen};
  std::vector<Parameter<double>*> weights, biases;
  for (const auto& [name, parameter] : model) {
    if (name != "frozen") (name.ends_with("bias") ? biases : weights).push_back(parameter);
  }
  Sgd<double> decayed({.learning_rate = 0.1, .weight_decay = 0.5}), plain({.learning_rate = 0.2});
  Tape<double> tape;
  const auto gradients = tape.backward(sum(weight + bias + frozen));
  decayed.step(weights, gradients);
  plain.step(biases, gradients);
  BOOST_TEST(distance(weight.value(), rw::full<double>({3}, 1 - 0.1 * 1.5)) < 1e-15);
  BOOST_TEST(distance(bias.value(), rw::full<double>({3}, 0.8)) < 1e-15);
  BOOST_TEST(bool(frozen.value() == rw::full<double>({3}, 1)));
}

// Gradients are values and add up, so a large batch may come in parts, one step for all: the sum of the parts' losses
// has the gradient of the whole, a mean over the batch that of the sum divided by its rows.
BOOST_AUTO_TEST_CASE(gradients_accumulate) {
  rw::Random random(1);
  const Variable<double> x(draw(random, {12, 3}));
  const Tensor<double> start = draw(random, {3, 2});
  Parameter<double> whole("whole", start), parts("parts", start);
  Adam<double> first, second;
  for (int step = 0; step < 3; ++step) {
    {
      Tape<double> tape;
      first.step({&whole}, tape.backward(mean(square(matmul(x, whole)))));
    }
    Gradients<double> gradients;
    for (std::size_t part = 0; part < 4; ++part) {
      Tape<double> tape;
      gradients += tape.backward(mean(square(matmul(slice(x, 0, part * 3, part * 3 + 3), parts))));
    }
    gradients.scale(0.25);
    second.step({&parts}, gradients);
  }
  BOOST_TEST(distance(whole.value(), parts.value()) < 1e-14);
  BOOST_TEST(distance(whole.value(), start) > 1e-3);
}

BOOST_AUTO_TEST_CASE(wrong_gradients_change_nothing) {
  Parameter<double> p("p", rw::full<double>({2}, 1)), q("q", rw::full<double>({2}, 1));
  Adam<double> adam;
  adam.set_learning_rate(0.5);
  BOOST_TEST(adam.learning_rate() == 0.5);
  BOOST_CHECK_THROW(adam.set_learning_rate(std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
  BOOST_TEST(adam.learning_rate() == 0.5);

  Gradients<double> g = gradient(p, rw::full<double>({2}, 1));
  give<double>(g, q, Variable<double>(rw::full<double>({3}, 1)));
  BOOST_CHECK_EXCEPTION(adam.step({&p, &q}, g), std::invalid_argument,
                        says("step: expected equal shapes; got a [2], b [3]"));
  const Indices ids = rw::tensor<std::int64_t>({1}, {5});
  give<double>(g, q, RowSparse<double>{ids, Variable<double>(rw::full<double>({1}, 1)), 6});
  BOOST_CHECK_EXCEPTION(adam.step({&p, &q}, g), std::invalid_argument, says("step: expected rows of q; got 6 rows"));
  BOOST_CHECK_EXCEPTION(adam.step({&p, nullptr}, g), std::invalid_argument,
                        says("step: expected parameters; got nullptr"));
  BOOST_TEST(bool(p.value() == rw::full<double>({2}, 1)));
  BOOST_TEST(adam.steps() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
