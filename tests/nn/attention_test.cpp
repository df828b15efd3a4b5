#include "nn/attention.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "tests/nn/common.hpp"

namespace {

using common::distance;
using common::numbers;
using common::says;
using common::scatter;
using common::weighed;
using rw::Tape;
using rw::Tensor;
using rw::nn::AdditiveAttention;
using rw::nn::Attended;
using rw::nn::ConcatAttention;
using rw::nn::DotAttention;
using rw::nn::GeneralAttention;
using V = rw::Variable<double>;
using Numbers = std::vector<double>;

// Memory steps, batch, widths of memory and query, hidden size.
constexpr std::size_t S = 4, B = 3, D = 5, Q = 2, A = 6;
const std::vector<std::size_t> lengths = {2, 4, 0};

double at(const Tensor<double>& x, std::size_t i, std::size_t j) { return x.data()[i * x.shape(1) + j]; }

Tensor<double> everything() { return rw::full<double>({S, B}, 1); }

/// The attention with weights that are all different.
template <class Attention>
Attention made(const typename Attention::Options& options) {
  rw::Random random(1);
  Attention attention(options, random);
  scatter(attention.parameters(), 10);
  return attention;
}

// Scores in plain scalars, of a query q[0 ... Q) and a memory step m[0 ... D).

double score(const AdditiveAttention<double>& a, const double* q, const double* m) {
  double sum = 0;
  for (std::size_t k = 0; k < A; ++k) {
    double x = a.memory.bias->value().data()[k];
    for (std::size_t i = 0; i < Q; ++i) x += q[i] * at(a.query.weight.value(), i, k);
    for (std::size_t i = 0; i < D; ++i) x += m[i] * at(a.memory.weight.value(), i, k);
    sum += a.score.value().data()[k] * std::tanh(x);
  }
  return sum;
}

double score(const DotAttention<double>&, const double* q, const double* m) {
  double sum = 0;
  for (std::size_t i = 0; i < D; ++i) sum += q[i] * m[i];
  return sum;
}

double score(const GeneralAttention<double>& a, const double* q, const double* m) {
  double sum = 0;
  for (std::size_t i = 0; i < Q; ++i) {
    for (std::size_t j = 0; j < D; ++j) sum += q[i] * at(a.memory.weight.value(), j, i) * m[j];
  }
  return sum;
}

double score(const ConcatAttention<double>& a, const double* q, const double* m) {
  double sum = 0;
  for (std::size_t k = 0; k < A; ++k) {
    double x = 0;
    for (std::size_t i = 0; i < Q + D; ++i) x += (i < Q ? q[i] : m[i - Q]) * at(a.weight.value(), i, k);
    sum += a.score.value().data()[k] * std::tanh(x);
  }
  return sum;
}

/// Weights and context against scalar loops; what is masked weighs exactly 0, whatever it holds.
template <class Attention>
void check_values(const Attention& attention, std::size_t width) {
  Tensor<double> values = numbers({S, B, D});
  for (std::size_t s = 0; s < S; ++s) {
    for (std::size_t b = 0; b < B; ++b) {
      for (std::size_t j = 0; j < D; ++j) values.data()[(s * B + b) * D + j] *= s < lengths[b] ? 1 : 1e4;
    }
  }
  const Tensor<double> queries = numbers({B, width}, 2);
  const auto memory = attention.prepare(V(values), rw::nn::mask_of<double>(lengths, S));
  const Attended<double> result = attention(V(queries), memory);
  double worst = 0;
  for (std::size_t b = 0; b < B; ++b) {
    Numbers weights(S), context(D);
    double total = 0;
    for (std::size_t s = 0; s < lengths[b]; ++s) {
      const double* m = values.data() + (s * B + b) * D;
      total += weights[s] = std::exp(score(attention, queries.data() + b * width, m));
    }
    for (std::size_t s = 0; s < S; ++s) {
      const double weight = at(result.weights.value(), s, b);
      if (s < lengths[b]) {
        worst = std::max(worst, std::abs(weight - weights[s] / total));
        for (std::size_t j = 0; j < D; ++j) context[j] += weights[s] / total * values.data()[(s * B + b) * D + j];
      } else {
        BOOST_TEST(weight == 0);
      }
    }
    for (std::size_t j = 0; j < D; ++j)
      worst = std::max(worst, std::abs(context[j] - at(result.context.value(), b, j)));
  }
  BOOST_TEST(worst < 1e-12);
}

template <class Attention>
void check_gradients_of(Attention& attention, std::size_t width) {
  for (const Tensor<double>& mask : {everything(), rw::nn::mask_of<double>(lengths, S)}) {
    const auto f = [&](const std::vector<V>& x) {
      const Attended<double> result = attention(x[0], attention.prepare(x[1], mask));
      return std::vector<V>{result.context, result.weights};
    };
    const auto report = rw::check_gradients("attention", f, {numbers({B, width}, 2), numbers({S, B, D})},
                                            {.parameters = attention.parameters()});
    BOOST_TEST(report.ok, report.message);
  }
}

/// A step that is masked, and a row without any other, receive no gradient at all.
template <class Attention>
void check_masked_gradients(const Attention& attention, std::size_t width) {
  Tape<double> tape;
  const V queries = tape.watch(numbers({B, width}, 2)), values = tape.watch(numbers({S, B, D}));
  const auto memory = attention.prepare(values, rw::nn::mask_of<double>(lengths, S));
  const Attended<double> result = attention(queries, memory);
  const auto g = tape.backward(weighed(result.context, 3) + weighed(result.weights, 4));
  for (std::size_t b = 0; b < B; ++b) {
    const auto none = [](const double* x, std::size_t n) {
      return std::all_of(x, x + n, [](double v) { return v == 0; });
    };
    BOOST_TEST(none(result.context.value().data() + b * D, D) == (lengths[b] == 0));
    BOOST_TEST(none(g[queries].value().data() + b * width, width) == (lengths[b] == 0));
    for (std::size_t s = 0; s < S; ++s) {
      BOOST_TEST(none(g[values].value().data() + (s * B + b) * D, D) == (s >= lengths[b]));
    }
  }
}

template <class Attention>
void check_all(Attention attention, std::size_t width) {
  check_values(attention, width);
  check_gradients_of(attention, width);
  check_masked_gradients(attention, width);
}

std::vector<std::string> names_of(const rw::nn::Parameters<double>& parameters) {
  std::vector<std::string> names;
  for (const auto& entry : parameters) names.push_back(entry.name);
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attention)

BOOST_AUTO_TEST_CASE(additive) {
  check_all(made<AdditiveAttention<double>>({.query = Q, .memory = D, .hidden = A}), Q);
}

BOOST_AUTO_TEST_CASE(dot) { check_all(DotAttention<double>(), D); }

BOOST_AUTO_TEST_CASE(general) { check_all(made<GeneralAttention<double>>({.query = Q, .memory = D}), Q); }

BOOST_AUTO_TEST_CASE(concat) { check_all(made<ConcatAttention<double>>({.query = Q, .memory = D, .hidden = A}), Q); }

BOOST_AUTO_TEST_CASE(parameters_have_stable_names) {
  auto additive = made<AdditiveAttention<double>>({.query = Q, .memory = D, .hidden = A});
  auto general = made<GeneralAttention<double>>({.query = Q, .memory = D});
  auto concat = made<ConcatAttention<double>>({.query = Q, .memory = D, .hidden = A});
  const auto list = [](std::initializer_list<std::string> names) { return std::vector<std::string>(names); };
  const auto each = boost::test_tools::per_element();
  BOOST_TEST(names_of(additive.parameters()) == list({"score", "query.weight", "memory.weight", "memory.bias"}), each);
  BOOST_TEST(names_of(general.parameters()) == list({"memory.weight"}), each);
  BOOST_TEST(names_of(concat.parameters()) == list({"weight", "score"}), each);
  BOOST_TEST(DotAttention<double>().parameters().size() == 0u);
}

BOOST_AUTO_TEST_CASE(mask_marks_the_valid_steps) {
  const Tensor<double> expected = rw::tensor<double>({4, 3}, {1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0});
  BOOST_TEST(distance(rw::nn::mask_of<double>(lengths, S), expected) == 0);
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_are_refused) {
  const DotAttention<double> dot;
  const auto memory = dot.prepare(V(numbers({S, B, D})), rw::full<double>({S, B + 1}, 1));
  BOOST_CHECK_EXCEPTION(dot(V(numbers({B, D})), memory), std::invalid_argument,
                        says("softmax: expected shapes that broadcast; got a [4, 3], b [4, 4]"));
  BOOST_CHECK_THROW(dot(V(numbers({B, D + 1})), dot.prepare(V(numbers({S, B, D})), everything())),
                    std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(three_bilinear_ops_are_each_others_derivatives) {
  using Vs = const std::vector<V>&;
  const Tensor<double> w = numbers({S, B}), q = numbers({B, D}), m = numbers({S, B, D});
  for (const auto& report : {rw::check_gradients("mix", [](Vs x) { return rw::nn::mix(x[0], x[1]); }, {w, m}),
                             rw::check_gradients("dot", [](Vs x) { return rw::nn::dot(x[0], x[1]); }, {q, m}),
                             rw::check_gradients("spread", [](Vs x) { return rw::nn::spread(x[0], x[1]); }, {w, q})}) {
    BOOST_TEST(report.ok, report.message);
  }
  const Tensor<double> mixed = rw::nn::mix(V(w), V(m)).value(), dots = rw::nn::dot(V(q), V(m)).value();
  for (std::size_t b = 0; b < B; ++b) {
    for (std::size_t d = 0; d < D; ++d) {
      double sum = 0;
      for (std::size_t s = 0; s < S; ++s) sum += w(s, b) * m(s, b, d);
      BOOST_TEST(std::abs(mixed(b, d) - sum) < 1e-14);
    }
    for (std::size_t s = 0; s < S; ++s) {
      double sum = 0;
      for (std::size_t d = 0; d < D; ++d) sum += q(b, d) * m(s, b, d);
      BOOST_TEST(std::abs(dots(s, b) - sum) < 1e-14);
    }
  }
  BOOST_CHECK_EXCEPTION(rw::nn::mix(V(q), V(m)), std::invalid_argument,
                        says("mix: expected weights [S, B], queries [B, D] and memories [S, B, D]; got weights [3, 5], "
                             "queries [3, 5], memories [4, 3, 5]"));
  BOOST_CHECK_THROW(rw::nn::dot(V(w), V(m)), std::invalid_argument);
  BOOST_CHECK_THROW(rw::nn::spread(V(w), V(w)), std::invalid_argument);
  BOOST_CHECK_THROW(rw::nn::mix(V(w), V(w)), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
