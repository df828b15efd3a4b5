#include <boost/test/unit_test.hpp>
#include <cstring>

#include "autograd/gradcheck.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/safetensors.hpp"
#include "tests/folder.hpp"
#include "tests/nn/common.hpp"

namespace {

using common::distance;
using common::numbers;
using common::says;
using common::weighed;
using rw::Indices;
using rw::Random;
using rw::Tape;
using rw::Tensor;
using rw::nn::dropout;
using rw::nn::Embedding;
using rw::nn::Linear;
using V = rw::Variable<double>;

Linear<double> linear(bool bias, std::uint64_t seed = 1) {
  Random random(seed);
  Linear<double> layer({.input = 3, .output = 5, .bias = bias}, random);
  common::scatter(layer.parameters(), seed);
  return layer;
}

Embedding<double> embedding(std::optional<std::int64_t> padding = {}) {
  Random random(1);
  return {{.vocabulary = 6, .dimension = 3, .padding = padding}, random};
}

const Indices ids = rw::tensor<std::int64_t>({2, 3}, {4, 2, 0, 2, 5, 4});

/// Saves one layer and loads it into another.
template <class Layer>
void check_save_and_load(Layer& layer, Layer& other) {
  const Folder folder;
  const std::string path = folder.file("layer");
  rw::nn::save(path, layer.parameters());
  rw::nn::load(path, other.parameters());
  for (const auto& entry : layer.parameters()) {
    const Tensor<double>&a = entry.parameter->value(), &b = other.parameters()[entry.name].value();
    BOOST_TEST(a.shape() == b.shape(), boost::test_tools::per_element());
    BOOST_TEST(std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0, entry.name);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(layers)

BOOST_AUTO_TEST_CASE(linear_equals_a_scalar_loop) {
  for (const bool bias : {true, false}) {
    const Linear<double> layer = linear(bias);
    const Tensor<double> x = numbers({4, 2, 3});
    const V y = layer(V(x));
    BOOST_TEST(bool(y.shape() == rw::Shape{4, 2, 5}));
    for (std::size_t n = 0; n < 8; ++n) {
      for (std::size_t j = 0; j < 5; ++j) {
        double expected = bias ? layer.bias->value().data()[j] : 0;
        for (std::size_t i = 0; i < 3; ++i) expected += x.data()[n * 3 + i] * layer.weight.value().data()[i * 5 + j];
        BOOST_TEST(std::abs(y.value().data()[n * 5 + j] - expected) < 1e-12);
      }
    }
  }
  BOOST_CHECK_THROW(linear(true)(V(numbers({2, 4}))), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(linear_gradients_are_right) {
  for (const bool bias : {true, false}) {
    Linear<double> layer = linear(bias);
    const auto report = rw::check_gradients("linear", [&](const std::vector<V>& x) { return layer(x[0]); },
                                            {numbers({2, 2, 3})}, {.parameters = layer.parameters()});
    BOOST_TEST(report.ok, report.message);
  }
}

BOOST_AUTO_TEST_CASE(linear_begins_with_a_bias_of_zero) {
  Random random(1);
  Linear<double> with({.input = 3, .output = 5}, random), without({.input = 3, .output = 5, .bias = false}, random);
  BOOST_TEST(distance(with.bias->value(), rw::zeros<double>({5})) == 0);
  BOOST_TEST(!without.bias.has_value());
  BOOST_TEST(with.parameters().elements() == 20u);
  BOOST_TEST(without.parameters().elements() == 15u);
  BOOST_TEST(with.parameters().find("bias") == &*with.bias);
  Linear<double> other = linear(true, 2);
  check_save_and_load(with, other);
}

BOOST_AUTO_TEST_CASE(embedding_reads_rows) {
  Embedding<double> layer = embedding();
  const V y = layer(ids);
  BOOST_TEST(bool(y.shape() == rw::Shape{2, 3, 3}));
  for (std::size_t n = 0; n < ids.size(); ++n) {
    for (std::size_t j = 0; j < 3; ++j) {
      const auto row = static_cast<std::size_t>(ids.data()[n]);
      BOOST_TEST(y.value().data()[n * 3 + j] == layer.weight.value().data()[row * 3 + j]);
    }
  }
  Embedding<double> other = embedding(0);
  check_save_and_load(layer, other);
  BOOST_CHECK_THROW(layer(rw::tensor<std::int64_t>({1}, {6})), std::invalid_argument);
  BOOST_CHECK_THROW(layer(rw::tensor<std::int64_t>({1}, {-1})), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(embedding_gradients_are_right_and_name_only_rows_read) {
  Embedding<double> layer = embedding();
  const auto report = rw::check_gradients("embedding", [&](const std::vector<V>& x) { return layer(ids) * x[0]; },
                                          {numbers({2, 3, 3})}, {.parameters = layer.parameters()});
  BOOST_TEST(report.ok, report.message);

  Tape<double> tape;
  const auto g = tape.backward(weighed(layer(ids), 1));
  BOOST_REQUIRE(g.rows(layer.weight) != nullptr);
  const Indices expected = rw::tensor<std::int64_t>({4}, {0, 2, 4, 5});
  BOOST_TEST(bool(g.rows(layer.weight)->ids == expected));
}

BOOST_AUTO_TEST_CASE(padding_is_a_row_of_zeros_that_does_not_learn) {
  Embedding<double> layer = embedding(2), plain = embedding();
  const Tensor<double> zero = rw::zeros<double>({1, 3});
  BOOST_TEST(distance(layer(rw::tensor<std::int64_t>({1}, {2})).value(), zero) == 0);
  BOOST_TEST(distance(layer(rw::tensor<std::int64_t>({1}, {3})), plain(rw::tensor<std::int64_t>({1}, {3}))) == 0);

  Tape<double> tape;
  const V with = tape.backward(weighed(layer(ids), 1))[layer.weight];
  const V without = tape.backward(weighed(plain(ids), 1))[plain.weight];
  for (std::size_t i = 0; i < with.size(); ++i) {
    BOOST_TEST(with.value().data()[i] == (i / 3 == 2 ? 0 : without.value().data()[i]));
  }
  BOOST_CHECK_EXCEPTION(embedding(6), std::invalid_argument, says("embedding: expected a padding in [0, 6); got 6"));
  BOOST_CHECK_EXCEPTION(embedding(-1), std::invalid_argument, says("embedding: expected a padding in [0, 6); got -1"));
}

BOOST_AUTO_TEST_CASE(dropout_keeps_the_expectation) {
  constexpr std::size_t n = 100000;
  for (const double rate : {0.2, 0.5, 0.9}) {
    Random random(1);
    const V y = dropout(V(rw::full<double>({n}, 1)), rate, &random);
    double dropped = 0, kept = 0, total = 0;
    for (const double value : y.value()) {
      dropped += value == 0;
      kept += std::abs(value - 1 / (1 - rate)) < 1e-12;
      total += value;
    }
    BOOST_TEST(dropped + kept == n);
    // Six standard deviations.
    BOOST_TEST(std::abs(dropped / n - rate) < 6 * std::sqrt(rate * (1 - rate) / n));
    BOOST_TEST(std::abs(total / n - 1) < 6 * std::sqrt(rate / (1 - rate) / n));
  }
}

BOOST_AUTO_TEST_CASE(dropout_drops_the_gradient_of_what_it_drops) {
  Random random(1);
  Tape<double> tape;
  const V x = tape.watch(rw::full<double>({64}, 1)), y = dropout(x, 0.5, &random);
  BOOST_TEST(distance(tape.backward(sum(y))[x], y) == 0);
  Random a(2), b(2);
  BOOST_TEST(distance(dropout(x, 0.5, &a), dropout(x, 0.5, &b)) == 0);
  BOOST_TEST(distance(dropout(x, 0.5, &a), y) > 0);
}

BOOST_AUTO_TEST_CASE(dropout_is_the_identity_in_evaluation) {
  Random random(1);
  const V x = numbers({64});
  const V evaluated = dropout<double>(x, 0.5, nullptr), kept = dropout(x, 0, &random);
  BOOST_TEST(&evaluated.value() == &x.value());
  BOOST_TEST(&kept.value() == &x.value());
  BOOST_TEST((random == Random(1)));
}

BOOST_AUTO_TEST_CASE(dropout_refuses_rates_that_are_none) {
  Random random(1);
  const V x = numbers({4});
  const auto refused = [&](double rate, const std::string& got) {
    const auto text = says("dropout: expected a rate in [0, 1); got " + got);
    BOOST_CHECK_EXCEPTION(dropout(x, rate, &random), std::invalid_argument, text);
    BOOST_CHECK_EXCEPTION(dropout<double>(x, rate, nullptr), std::invalid_argument, text);
  };
  refused(1, "1");
  refused(-0.1, "-0.1");
  refused(NAN, "nan");
}

BOOST_AUTO_TEST_SUITE_END()
