// Holds docs/differences.md to its word.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

using namespace rw;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

using Values = std::vector<double>;

Values values(const Variable<double>& x) { return {x.value().begin(), x.value().end()}; }

template <class F>
Values gradient_at(const Tensor<double>& x, const F& f) {
  Tape<double> tape;
  const auto at = tape.watch(x);
  return values(tape.backward(sum(f(at)))[at]);
}

template <class F>
bool refuses(const F& f) {
  try {
    f();
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(differences)

BOOST_AUTO_TEST_CASE(gradients_are_values) {
  Parameter<double> w("w", scalar(3.0)), unused("unused", scalar(1.0));
  // [gradients]
  Tape<double> tape;
  const auto y = w * w;
  auto g = tape.backward(y);  // a value: nothing is stored in w
  g += tape.backward(y);      // a tape may be rewound again; sums are asked for
  // [end]
  BOOST_TEST(g[w].item() == 12);
  BOOST_TEST(!g.has(unused));
  BOOST_TEST(g[unused].item() == 0);
}

BOOST_AUTO_TEST_CASE(variables_outlive_their_tape_as_constants) {
  Parameter<double> w("w", scalar(3.0));
  Variable<double> state = scalar(2.0);
  for (int window = 0; window < 2; ++window) {
    Tape<double> tape;
    state = state * w;
    BOOST_TEST(tape.backward(state)[w].item() == (window == 0 ? 2 : 6));
  }
  BOOST_TEST(state.item() == 18);
  BOOST_TEST(Tape<double>::current() == nullptr);
}

BOOST_AUTO_TEST_CASE(ties_share) {
  const auto x = tensor<double>({4}, {1, 5, 5, 2});
  BOOST_TEST(gradient_at(x, [](const auto& x) { return max(x); }) == (Values{0, 0.5, 0.5, 0}));
  BOOST_TEST(gradient_at(x, [](const auto& x) { return min(-x); }) == (Values{0, -0.5, -0.5, 0}));
  BOOST_TEST(gradient_at(x, [](const auto& x) { return maximum(x, 5); }) == (Values{0, 0.5, 0.5, 0}));
  BOOST_TEST(gradient_at(x, [](const auto& x) { return minimum(x, 5); }) == (Values{1, 0.5, 0.5, 1}));
}

BOOST_AUTO_TEST_CASE(gradients_at_kinks) {
  const auto zero = tensor<double>({2}, {0, 0});
  BOOST_TEST(gradient_at(zero, [](const auto& x) { return relu(x); }) == (Values{0, 0}));
  BOOST_TEST(gradient_at(zero, [](const auto& x) { return abs(x); }) == (Values{0, 0}));
  BOOST_TEST(gradient_at(zero, [](const auto& x) { return norm(x); }) == (Values{0, 0}));
  BOOST_TEST(gradient_at(zero, [](const auto& x) { return clip(x, 0, 1); }) == (Values{1, 1}));
  BOOST_TEST(gradient_at(zero, [](const auto& x) { return pow(x, 0.0); }) == (Values{0, 0}));
  BOOST_TEST(gradient_at(tensor<double>({2}, {-infinity, -infinity}), [](const auto& x) { return logsumexp(x); }) ==
             (Values{0, 0}));
}

BOOST_AUTO_TEST_CASE(shapes_are_taken_literally) {
  const Variable<double> x = zeros<double>({2, 3}), y = zeros<double>({3, 4});
  BOOST_TEST(refuses([&] { slice(x, 1, 0, 4); }));
  BOOST_TEST(refuses([&] { slice(x, 1, 2, 1); }));
  BOOST_TEST(refuses([&] { slice(x, 1, 0, 3, -1); }));
  BOOST_TEST(refuses([&] { matmul(x, Variable<double>(zeros<double>({3}))); }));
  BOOST_TEST(refuses([&] {
    matmul(Variable<double>(zeros<double>({2, 2, 3})), Variable<double>(zeros<double>({1, 3, 4})));
  }));
  BOOST_TEST((matmul(Variable<double>(zeros<double>({5, 2, 3})), y).shape() == Shape{5, 2, 4}));
  BOOST_TEST(refuses([&] { reshape(x, {3, 3}); }));
  const Indices ids = full<std::int64_t>({1}, -1);
  BOOST_TEST(refuses([&] { gather_rows(x, ids); }));
}

BOOST_AUTO_TEST_CASE(reductions) {
  const Variable<double> x = tensor<double>({4}, {1, 2, 3, 4});
  BOOST_TEST(variance(x).item() == 1.25);
  BOOST_TEST(std::abs(variance(x, {}, 1).item() - 5.0 / 3) < 1e-15);
  BOOST_TEST(std::isnan(max(Variable<double>(tensor<double>({2}, {NAN, 1}))).item()));
}

BOOST_AUTO_TEST_CASE(activations) {
  BOOST_TEST(values(hard_sigmoid(Variable<double>(tensor<double>({3}, {-3, 1.5, 3})))) == (Values{0, 0.75, 1}));
  const Variable<double> one = scalar(1.0);
  BOOST_TEST(std::abs(gelu(one).item() - 0.5 * (1 + std::erf(1 / std::sqrt(2.0)))) < 1e-15);
}

BOOST_AUTO_TEST_CASE(masks) {
  const Variable<double> x = tensor<double>({2, 2}, {1, 2, 3, 4}), mask = tensor<double>({2, 2}, {1, 0, 0, 0});
  BOOST_TEST(values(softmax(x, mask)) == (Values{1, 0, 0, 0}));
  const double lowest = std::numeric_limits<double>::lowest();
  BOOST_TEST(values(log_softmax(x, mask)) == (Values{0, lowest, lowest, lowest}));
  BOOST_TEST(gradient_at(x.value(), [&](const auto& x) { return square(softmax(x, mask)); }) == (Values{0, 0, 0, 0}));
  BOOST_TEST(values(nn::mask_of<double>({1, 0}, 2)) == (Values{1, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(losses) {
  const Variable<double> logits = zeros<double>({2, 3});
  const Indices none = full<std::int64_t>({2}, -1);
  BOOST_TEST(nn::cross_entropy(logits, none, {.ignore = -1}).item() == 0);
  BOOST_TEST(refuses([&] { nn::cross_entropy(logits, none); }));
  BOOST_TEST(gradient_at(logits.value(), [&](const auto& x) { return nn::cross_entropy(x, none, {.ignore = -1}); }) ==
             (Values{0, 0, 0, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(adam_leaves_rows_alone_that_nothing_was_read_from) {
  Parameter<double> table("table", full<double>({3, 1}, 1));
  optim::Adam<double> adam({.learning_rate = 0.1});
  for (const std::int64_t id : {0, 1}) {
    Tape<double> tape;
    adam.step({&table}, tape.backward(sum(gather_rows(table, full<std::int64_t>({1}, id)))));
  }
  BOOST_TEST(adam.steps() == 2u);
  const Values x = values(table);
  BOOST_TEST(std::abs(x[0] - 0.9) < 1e-8);  // dense Adam would have moved it on in the second step
  BOOST_TEST(x[2] == 1);
  const auto& state = adam.state(table);
  BOOST_TEST(std::abs(state[0].data()[0] - 0.1) < 1e-15);  // nor has its first moment decayed
}

BOOST_AUTO_TEST_CASE(clipping_leaves_what_is_not_finite) {
  Parameter<double> w("w", scalar(1.0));
  Tape<double> tape;
  auto g = tape.backward(w * infinity);
  BOOST_TEST(optim::clip_global_norm(g, 1) == infinity);
  BOOST_TEST(g[w].item() == infinity);
}

BOOST_AUTO_TEST_CASE(the_gru_resets_after_the_product_and_keeps_by_z) {
  Random random(1);
  nn::Gru<double> gru({.input = 1, .hidden = 1}, random);
  gru.weight_ih.assign(tensor<double>({1, 3}, {0.1, 0.2, 0.3}));
  gru.weight_hh.assign(tensor<double>({1, 3}, {0.4, 0.5, 0.6}));
  gru.bias->assign(tensor<double>({3}, {0.7, 0.8, 0.9}));
  gru.bias_hn->assign(tensor<double>({1}, {-0.5}));
  const double x = 2, h = 3;
  const auto sigma = [](double a) { return 1 / (1 + std::exp(-a)); };
  const double r = sigma(0.1 * x + 0.4 * h + 0.7), z = sigma(0.2 * x + 0.5 * h + 0.8);
  const double n = std::tanh(0.3 * x + 0.9 + r * (0.6 * h - 0.5));
  const auto one = [](double a) { return Variable<double>(full<double>({1, 1}, a)); };
  BOOST_TEST(std::abs(nn::step(gru, one(x), {one(h)}).output.item() - ((1 - z) * n + z * h)) < 1e-14);
}

BOOST_AUTO_TEST_CASE(ragged_rows_may_be_in_any_order_and_empty) {
  Random random(1);
  const nn::Lstm<double> lstm({.input = 2, .hidden = 3}, random);
  const auto run = nn::unroll(lstm, Variable<double>(full<double>({4, 3, 2}, 1)), {.lengths = {1, 0, 4}});
  BOOST_TEST(run.outputs.value()(1, 0, 0) == 0);
  BOOST_TEST(run.state.c.value()(1, 0) == 0);
  BOOST_TEST(run.outputs.value()(3, 2, 0) != 0);
  BOOST_TEST(run.state.h.value()(0, 0) == run.outputs.value()(0, 0, 0));
}

BOOST_AUTO_TEST_CASE(dropout_is_on_where_there_is_a_random_source) {
  const Variable<double> x = full<double>({100}, 1);
  Random random(1);
  BOOST_TEST(values(nn::dropout(x, 0.5, nullptr)) == values(x));
  BOOST_TEST(values(nn::dropout(x, 0.5, &random)) != values(x));
}

BOOST_AUTO_TEST_CASE(fused_code_knows_what_depends_on_what) {
  const Dual<double, 0b01> a{{2}, {Lane<double>{1}}};
  const Dual<double, 0b10> b{{3}, {Lane<double>{1}}};
  static_assert(decltype(a * b)::depends_on(0) && decltype(a * b)::depends_on(1));
  static_assert(std::is_same_v<decltype(sigmoid(a)), Dual<double, 0b01>>);
  static_assert(std::is_same_v<decltype(greater(a, b)), Dual<double, 0>>);
  BOOST_TEST((a * b).partial(0).v.get(0) == 3);
  BOOST_TEST((a * b).partial(1).v.get(0) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
