#include <boost/test/unit_test.hpp>

#include "autograd/ops/softmax.hpp"
#include "nn/loss.hpp"
#include "tests/nn/loss_checks.hpp"

// The losses of two tensors of one shape.

namespace {

using common::check_gradients;
using common::distance;
using common::equals;
using common::numbers;
using rw::Tape;
using rw::Tensor;
using V = rw::Variable<double>;

V signs(const rw::Shape& shape, std::uint64_t stream = 9) {
  Tensor<double> y = numbers(shape, stream);
  for (double& element : y) element = element < 0 ? -1 : 1;
  return y;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loss_pairs)

BOOST_AUTO_TEST_CASE(squared_and_huber_errors_equal_a_scalar_loop) {
  const Tensor<double> x = numbers({3, 7}, 1), y = numbers({3, 7}, 2);
  equals(rw::nn::squared_error_elements(V(x), V(y)), {3, 7},
         [&](std::size_t i) { return std::pow(x.data()[i] - y.data()[i], 2); });
  equals(rw::nn::huber_elements(V(x), V(y), {.delta = 0.4}), {3, 7}, [&](std::size_t i) {
    const double d = std::abs(x.data()[i] - y.data()[i]);
    return d <= 0.4 ? d * d / 2 : 0.4 * (d - 0.2);
  });
  BOOST_TEST(std::abs(rw::nn::squared_error(V(x), V(y)).item() - mean(square(V(x) - V(y))).item()) < 1e-15);
  BOOST_TEST(std::abs(rw::nn::huber(V(x), V(y), {.delta = 9}).item() - mean(square(V(x) - V(y))).item() / 2) < 1e-15);
  check_gradients(
      "errors",
      [](const auto& x) {
        return std::vector<V>{rw::nn::squared_error(x[0], x[1]), rw::nn::huber_elements(x[0], x[1], {.delta = 0.4})};
      },
      {x, y});
}

BOOST_AUTO_TEST_CASE(binary_cross_entropy_equals_a_scalar_loop) {
  const Tensor<double> x = numbers({3, 5}, 1), w = numbers({3, 1}, 3);
  const V positive = rw::tensor<double>({5}, {0.5, 1, 2, 3, 0});
  Tensor<double> y = numbers({3, 5}, 2);
  for (double& element : y) element = (element + 1) / 2;
  const auto element = [&](std::size_t i, double w, double p) {
    const double s = 1 / (1 + std::exp(-x.data()[i]));
    return -w * (p * y.data()[i] * std::log(s) + (1 - y.data()[i]) * std::log(1 - s));
  };
  const V plain = rw::nn::binary_cross_entropy_elements(V(x), V(y));
  equals(plain, {3, 5}, [&](std::size_t i) { return element(i, 1, 1); });
  BOOST_TEST(std::abs(rw::nn::binary_cross_entropy(V(x), V(y)).item() - mean(plain).item()) < 1e-15);
  equals(rw::nn::binary_cross_entropy_elements(V(x), V(y), {.weight = V(w), .positive_weight = positive}), {3, 5},
         [&](std::size_t i) { return element(i, w.data()[i / 5], positive.value().data()[i % 5]); });
  check_gradients("binary_cross_entropy",
                  [&](const auto& x) {
                    return std::vector<V>{rw::nn::binary_cross_entropy(x[0], x[1]),
                                          rw::nn::binary_cross_entropy_elements(
                                              x[0], x[1], {.weight = x[2], .positive_weight = positive})};
                  },
                  {x, y, w});
}

// Where 1 − σ rounds to 0 the loss is still right, and so is the gradient at 0.
BOOST_AUTO_TEST_CASE(binary_cross_entropy_of_any_logits) {
  Tape<double> tape;
  const V x = tape.watch(rw::tensor<double>({6}, {0, 800, 800, -800, 40, -40}));
  const V y = rw::tensor<double>({6}, {1, 0, 1, 1, 1, 0});
  const V loss = rw::nn::binary_cross_entropy_elements(x, y);
  const double tail = std::exp(-40.0);
  const Tensor<double> expected = rw::tensor<double>({6}, {std::log(2), 800, 0, 800, tail, tail});
  const Tensor<double> slope = rw::tensor<double>({6}, {-0.5, 1, 0, -1, -tail, tail});
  const auto g = tape.backward(sum(loss));
  for (std::size_t i = 0; i < 6; ++i) {
    BOOST_TEST(std::abs(loss.value().data()[i] - expected.data()[i]) <= 1e-13 * expected.data()[i]);
    BOOST_TEST(std::abs(g[x].value().data()[i] - slope.data()[i]) <= 1e-13 * std::abs(slope.data()[i]));
  }
}

BOOST_AUTO_TEST_CASE(hinge_equals_a_scalar_loop) {
  const Tensor<double> x = numbers({4, 5}, 3);
  const V y = signs({4, 5});
  const V ours = rw::nn::hinge_elements(V(x), y, {.margin = 0.5});
  equals(ours, {4, 5}, [&](std::size_t i) { return std::max(0.0, 0.5 - y.value().data()[i] * x.data()[i]); });
  BOOST_TEST(std::abs(rw::nn::hinge(V(x), y, {.margin = 0.5}).item() - mean(ours).item()) < 1e-15);
  check_gradients("hinge", [&](const auto& x) { return rw::nn::hinge_elements(x[0], y, {.margin = 0.5}); }, {x});
}

BOOST_AUTO_TEST_CASE(kl_divergence_equals_its_definition) {
  const V p = softmax(V(numbers({2, 3, 5}, 1))), q = softmax(V(numbers({2, 3, 5}, 2)));
  const V rows = rw::nn::kl_divergence_rows(log(p), log(q));
  equals(rows, {2, 3}, [&](std::size_t n) {
    double total = 0;
    for (std::size_t i = 5 * n; i < 5 * n + 5; ++i) {
      total += p.value().data()[i] * std::log(p.value().data()[i] / q.value().data()[i]);
    }
    return total;
  });
  BOOST_TEST(std::abs(rw::nn::kl_divergence(log(p), log(q)).item() - mean(rows).item()) < 1e-15);
  BOOST_TEST(rw::nn::kl_divergence(log(p), log(p)).item() == 0);
  check_gradients("kl_divergence",
                  [](const auto& x) { return rw::nn::kl_divergence_rows(log_softmax(x[0]), log_softmax(x[1])); },
                  {numbers({2, 3, 5}, 1), numbers({2, 3, 5}, 2)});
}

BOOST_AUTO_TEST_CASE(kl_divergence_of_what_is_impossible) {
  Tape<double> tape;
  const V p = tape.watch(rw::tensor<double>({3}, {-INFINITY, -INFINITY, 0}));
  const V q = tape.watch(rw::tensor<double>({3}, {-INFINITY, std::log(0.25), std::log(0.75)}));
  const V y = rw::nn::kl_divergence(p, q);
  BOOST_TEST(std::abs(y.item() + std::log(0.75)) < 1e-15);
  for (const bool record : {false, true}) {
    const auto g = tape.backward(y, {.record = record});
    BOOST_TEST(distance(g[q].value(), rw::tensor<double>({3}, {0, 0, -1})) < 1e-15);
    BOOST_TEST(distance(g[p].value(), rw::tensor<double>({3}, {0, 0, 1 - std::log(0.75)})) < 1e-15);
  }
  BOOST_TEST(rw::nn::kl_divergence(q, p).item() == INFINITY);
}

BOOST_AUTO_TEST_CASE(cosines_equal_a_scalar_loop) {
  const Tensor<double> a = numbers({2, 3, 5}, 1), b = numbers({2, 3, 5}, 2);
  const auto cosine = [&](std::size_t n) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 5 * n; i < 5 * n + 5; ++i) {
      ab += a.data()[i] * b.data()[i], aa += a.data()[i] * a.data()[i], bb += b.data()[i] * b.data()[i];
    }
    return ab / std::sqrt(aa * bb);
  };
  equals(rw::nn::cosine_similarity(V(a), V(b)), {2, 3}, cosine);
  const V y = signs({2, 3}, 4);
  const V rows = rw::nn::cosine_embedding_rows(V(a), V(b), y, {.margin = 0.1});
  equals(rows, {2, 3},
         [&](std::size_t n) { return y.value().data()[n] > 0 ? 1 - cosine(n) : std::max(0.0, cosine(n) - 0.1); });
  BOOST_TEST(std::abs(rw::nn::cosine_embedding(V(a), V(b), y, {.margin = 0.1}).item() - mean(rows).item()) < 1e-15);
  check_gradients("cosine",
                  [&](const auto& x) {
                    return std::vector<V>{rw::nn::cosine_similarity(x[0], x[1]),
                                          rw::nn::cosine_embedding_rows(x[0], x[1], y, {.margin = 0.1})};
                  },
                  {a, b});
}

BOOST_AUTO_TEST_CASE(cosines_of_tiny_huge_and_zero_vectors) {
  Tape<double> tape;
  const V a = tape.watch(rw::tensor<double>({3, 2}, {1e-200, 1e-200, 1e200, 1e200, 0, 0}));
  const V b = tape.watch(rw::tensor<double>({3, 2}, {1, 0, 1, 0, 1, 0}));
  const V y = rw::nn::cosine_similarity(a, b);
  equals(y, {3}, [](std::size_t n) { return n == 2 ? 0 : std::sqrt(0.5); });
  const auto g = tape.backward(sum(y));
  for (const V& x : {a, b}) {
    BOOST_TEST(g[x].value()(2, 0) == 0);
    BOOST_TEST(g[x].value()(2, 1) == 0);
  }
}

BOOST_AUTO_TEST_CASE(errors_name_the_loss) {
  namespace nn = rw::nn;
  const V x = numbers({2, 3}), column = numbers({3, 1});
  const auto refused = [](const auto& call, const std::string& text) {
    BOOST_CHECK_EXCEPTION(call(), std::invalid_argument, mentions(text));
  };
  refused([&] { nn::squared_error(x, column); }, "squared_error: expected");
  refused([&] { nn::huber(x, column); }, "huber: expected");
  refused([&] { nn::huber(x, x, {.delta = 0}); }, "huber: expected a delta above 0; got 0");
  refused([&] { nn::binary_cross_entropy(x, column); }, "binary_cross_entropy: expected");
  refused([&] { nn::binary_cross_entropy(x, x); }, "binary_cross_entropy: expected targets in [0, 1]; got -");
  const V zero = rw::zeros<double>({2, 3});
  refused(
      [&] {
        nn::binary_cross_entropy(x, zero, {.weight = V(rw::zeros<double>({4, 2, 3}))});
      },
      "binary_cross_entropy: expected weights that broadcast to x; got x [2, 3], weight [4, 2, 3]");
  refused([&] { nn::binary_cross_entropy(x, zero, {.positive_weight = column}); }, "binary_cross_entropy: expected");
  refused([&] { nn::hinge(x, column); }, "hinge: expected");
  refused([&] { nn::hinge(x, zero); }, "hinge: expected targets -1 or 1; got 0");
  refused([&] { nn::kl_divergence(x, column); }, "kl_divergence: expected");
  refused([&] { nn::cosine_similarity(x, column); }, "cosine_similarity: expected");
  refused([&] { nn::cosine_embedding(x, x, column); }, "cosine_embedding: expected");
  refused([&] { nn::cosine_embedding(x, x, V(rw::zeros<double>({2}))); },
          "cosine_embedding: expected targets -1 or 1; got 0");
}

BOOST_AUTO_TEST_SUITE_END()
