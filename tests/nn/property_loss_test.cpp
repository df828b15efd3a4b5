#include <boost/test/unit_test.hpp>

#include "nn/ctc.hpp"
#include "nn/loss.hpp"
#include "tests/property.hpp"

// Losses against plain loops: with weights, with targets that are ignored, of batches of any extents, none too.

BOOST_AUTO_TEST_SUITE(loss_properties)

using namespace rw;
using namespace rw::property;

namespace {

using Vs = std::vector<V>;
using Row = std::vector<Tangent>;

Tangent relu(Tangent x) { return larger(x, 0); }

Tangent total(const Row& x) {
  Tangent sum;
  for (const Tangent v : x) sum += v;
  return sum;
}

Array single(Tangent x) {
  Array y(Shape{});
  y.elements = {x};
  return y;
}

Shape without_last(const Shape& shape) { return {shape.begin(), shape.end() - 1}; }

Row row_of(const Array& x, std::size_t n) {
  const std::size_t width = x.shape.back();
  const auto begin = x.elements.begin() + static_cast<std::ptrdiff_t>(n * width);
  return {begin, begin + static_cast<std::ptrdiff_t>(width)};
}

// f(i) for each row or element i of the result.
Array numbered(const Shape& shape, const std::function<Tangent(std::size_t)>& f) {
  Array y(shape);
  for (std::size_t i = 0; i < y.elements.size(); ++i) y.elements[i] = f(i);
  return y;
}

// The mean refuses a batch of nothing, and is else that of the elements.
void check_mean(const std::string& name, const Function& mean, const Reference& elements, const Values& x) {
  const auto plain = [&](const Arrays& x) -> Arrays {
    const Row all = elements(x)[0].elements;
    return {single(total(all) / static_cast<double>(all.size()))};
  };
  Vs constants(x.begin(), x.end());
  Arrays arrays;
  for (const auto& v : x) arrays.emplace_back(v.shape());
  if (elements(arrays)[0].elements.empty()) {
    RC_ASSERT_THROWS_AS(mean(constants), std::invalid_argument);
  } else {
    agree(name, mean, plain, x);
  }
}

}  // namespace

RC_BOOST_PROP(losses_of_classes, ()) {
  Shape shape = any_shape(1, 3);
  shape.back() = between(1, 4);
  const std::size_t V = shape.back();
  const Shape rows = without_last(shape);
  const double smoothing = coin() ? 0.25 : 0, margin = coin() ? 1 : 0.5;
  Indices targets = any_indices(rows, 0, static_cast<std::int64_t>(V) - 1);
  const std::int64_t ignore = coin() ? -1 : 0;
  if (coin()) {
    for (auto& target : targets) target = target == 0 ? ignore : target;
  }
  if (ignore == -1 && coin()) std::fill(targets.begin(), targets.end(), -1);
  double counted = 0;
  for (const auto target : targets) counted += target != ignore;
  const Values x = {any_values(shape)};

  const auto check = [&](const std::string& name, const auto& of_rows, const auto& mean,
                         const std::function<Tangent(const Row&, std::size_t)>& plain) {
    const auto costs = [&](const Arrays& x) {
      return numbered(rows, [&](std::size_t n) {
        const std::int64_t target = targets.data()[n];
        return target == ignore ? Tangent() : plain(row_of(x[0], n), static_cast<std::size_t>(target));
      });
    };
    agree(
        name + "_rows", [&](const Vs& x) -> Vs { return {of_rows(x[0])}; },
        [&](const Arrays& x) -> Arrays { return {costs(x)}; }, x);
    agree(
        name, [&](const Vs& x) -> Vs { return {mean(x[0])}; },
        [&](const Arrays& x) -> Arrays {
          return {single(counted == 0 ? Tangent() : total(costs(x).elements) / counted)};
        },
        x);
  };
  const nn::CrossEntropyOptions options{.ignore = ignore, .smoothing = smoothing};
  const auto cross_entropy = [&](const Row& x, std::size_t target) {
    Tangent z, loss;
    for (const Tangent v : x) z += exp(v);
    for (std::size_t k = 0; k < V; ++k) {
      loss += -(x[k] - log(z)) * (smoothing / static_cast<double>(V) + (k == target ? 1 - smoothing : 0));
    }
    return loss;
  };
  check(
      "cross_entropy", [&](const auto& x) { return nn::cross_entropy_rows(x, targets, options); },
      [&](const auto& x) { return nn::cross_entropy(x, targets, options); }, cross_entropy);
  check(
      "nll", [&](const auto& x) { return nn::nll_rows(x, targets, {.ignore = ignore}); },
      [&](const auto& x) { return nn::nll(x, targets, {.ignore = ignore}); },
      [](const Row& x, std::size_t target) { return -x[target]; });
  const nn::MulticlassHingeOptions hinge{.ignore = ignore, .margin = margin};
  check(
      "multiclass_hinge", [&](const auto& x) { return nn::multiclass_hinge_rows(x, targets, hinge); },
      [&](const auto& x) { return nn::multiclass_hinge(x, targets, hinge); },
      [&](const Row& x, std::size_t target) {
        Tangent sum;
        for (std::size_t k = 0; k < V; ++k) sum += k == target ? 0 : relu(margin + x[k] - x[target]);
        return sum / static_cast<double>(V);
      });
}

RC_BOOST_PROP(losses_of_elements, ()) {
  const Shape shape = any_shape(0, 3);
  const Tensor<double> x = any_values(shape), y = any_values(shape), p = any_values(shape, 0, 1);
  const double delta = coin() ? 1 : 0.5;
  const auto check = [&](const std::string& name, const Function& elements, const Function& mean,
                         const std::function<Tangent(Tangent, Tangent)>& plain, const Values& x) {
    const auto costs = [&](const Arrays& x) -> Arrays {
      return {numbered(shape, [&](std::size_t i) { return plain(x[0].elements[i], x[1].elements[i]); })};
    };
    agree(name, elements, costs, x);
    check_mean(name, mean, costs, x);
  };
  check(
      "squared_error", [](const Vs& x) -> Vs { return {nn::squared_error_elements(x[0], x[1])}; },
      [](const Vs& x) -> Vs { return {nn::squared_error(x[0], x[1])}; },
      [](Tangent x, Tangent y) { return (x - y) * (x - y); }, {x, y});
  check(
      "huber", [&](const Vs& x) -> Vs { return {nn::huber_elements(x[0], x[1], {.delta = delta})}; },
      [&](const Vs& x) -> Vs { return {nn::huber(x[0], x[1], {.delta = delta})}; },
      [&](Tangent x, Tangent y) {
        const Tangent d = abs(x - y);
        return d.value <= delta ? d * d / 2 : delta * (d - delta / 2);
      },
      {x, y});
  Tensor<double> signs = y;
  for (double& sign : signs) sign = sign < 0 ? -1 : 1;
  const V labels = signs;
  agree(
      "hinge", [&](const Vs& x) -> Vs { return {nn::hinge_elements(x[0], labels)}; },
      [&](const Arrays& x) -> Arrays {
        return {numbered(shape, [&](std::size_t i) { return relu(1 - signs.data()[i] * x[0].elements[i]); })};
      },
      {x});
  const V probabilities = p;
  agree(
      "binary_cross_entropy",
      [&](const Vs& x) -> Vs {
        return {nn::binary_cross_entropy_elements(x[0], probabilities, {.weight = x[1], .positive_weight = x[2]})};
      },
      [&](const Arrays& x) -> Arrays {
        return {tabulate(shape, [&](const Index& i) {
          const double y = p.data()[number_of(shape, i)];
          const Tangent one = 1 / (1 + exp(-x[0][i]));
          return shown(x[1], i) * (-shown(x[2], i) * y * log(one) - (1 - y) * log(1 - one));
        })};
      },
      {x, any_values(any_part(shape), 0.5), any_values(any_part(shape), 0.5)});
}

RC_BOOST_PROP(losses_of_vectors, ()) {
  const Shape shape = any_shape(1, 3);
  const Shape rows = without_last(shape);
  const Values x = {any_values(shape), any_values(shape)};
  const auto check = [&](const std::string& name, const Function& of_rows, const Function& mean,
                         const std::function<Tangent(const Row&, const Row&, std::size_t)>& plain) {
    const auto costs = [&](const Arrays& x) -> Arrays {
      return {numbered(rows, [&](std::size_t n) { return plain(row_of(x[0], n), row_of(x[1], n), n); })};
    };
    agree(name, of_rows, costs, x);
    check_mean(name, mean, costs, x);
  };
  check(
      "kl_divergence", [](const Vs& x) -> Vs { return {nn::kl_divergence_rows(x[0], x[1])}; },
      [](const Vs& x) -> Vs { return {nn::kl_divergence(x[0], x[1])}; },
      [](const Row& p, const Row& q, std::size_t) {
        Tangent sum;
        for (std::size_t i = 0; i < p.size(); ++i) sum += exp(p[i]) * (p[i] - q[i]);
        return sum;
      });
  const auto cosine = [](const Row& a, const Row& b) {
    Tangent aa, bb, ab;
    for (std::size_t i = 0; i < a.size(); ++i) {
      aa += a[i] * a[i];
      bb += b[i] * b[i];
      ab += a[i] * b[i];
    }
    return aa.value * bb.value == 0 ? Tangent() : ab / sqrt(aa * bb);
  };
  agree(
      "cosine_similarity", [](const Vs& x) -> Vs { return {nn::cosine_similarity(x[0], x[1])}; },
      [&](const Arrays& x) -> Arrays {
        return {numbered(rows, [&](std::size_t n) { return cosine(row_of(x[0], n), row_of(x[1], n)); })};
      },
      x);
  Tensor<double> signs = any_values(rows);
  for (double& sign : signs) sign = sign < 0 ? -1 : 1;
  const V y = signs;
  const nn::CosineEmbeddingOptions options{.margin = coin() ? 0 : 0.25};
  check(
      "cosine_embedding", [&](const Vs& x) -> Vs { return {nn::cosine_embedding_rows(x[0], x[1], y, options)}; },
      [&](const Vs& x) -> Vs { return {nn::cosine_embedding(x[0], x[1], y, options)}; },
      [&](const Row& a, const Row& b, std::size_t n) {
        const Tangent similarity = cosine(a, b);
        return signs.data()[n] > 0 ? 1 - similarity : relu(similarity - options.margin);
      });
}

namespace {

using Labels = std::vector<std::int64_t>;

// −log of the probability of all paths through the steps that spell the labels, path by path.
Tangent ctc_of(const std::vector<Row>& p, const Labels& labels, std::int64_t blank, double impossible) {
  const std::size_t classes = p.empty() ? 0 : p[0].size();
  Tangent sum;
  std::size_t paths = 1;
  for (std::size_t t = 0; t < p.size(); ++t) paths *= classes;
  for (std::size_t path = 0; path < paths; ++path) {
    Labels spelled;
    Tangent probability = 1;
    std::int64_t before = blank;
    for (std::size_t t = 0, rest = path; t < p.size(); ++t, rest /= classes) {
      const auto k = static_cast<std::int64_t>(rest % classes);
      probability *= p[t][rest % classes];
      if (k != blank && k != before) spelled.push_back(k);
      before = k;
    }
    if (spelled == labels) sum += probability;
  }
  return sum.value == 0 ? Tangent(impossible) : -log(sum);
}

}  // namespace

RC_BOOST_PROP(ctc_is_the_sum_over_all_paths, ()) {
  const std::size_t steps = between(0, 4), rows = between(0, 3), classes = between(1, 3);
  const std::size_t longest = classes == 1 ? 0 : between(0, 3);
  nn::CtcOptions options{.blank = static_cast<std::int64_t>(between(0, classes - 1))};
  if (coin()) options.input_lengths = several(rows, 0, steps);
  if (coin()) options.target_lengths = several(rows, 0, longest);
  if (coin()) options.too_short = nn::CtcOptions::TooShort::zero;
  const double impossible = options.too_short == nn::CtcOptions::TooShort::zero ? 0 : HUGE_VAL;
  const auto length = [](const std::vector<std::size_t>& lengths, std::size_t b, std::size_t all) {
    return lengths.empty() ? all : lengths[b];
  };
  Indices targets = any_indices({rows, longest}, 1, std::max<std::int64_t>(static_cast<std::int64_t>(classes) - 1, 1));
  for (std::size_t n = 0; n < targets.size(); ++n) {
    std::int64_t& label = targets.data()[n];
    if (label <= options.blank) --label;
    if (n % longest >= length(options.target_lengths, n / longest, longest)) label = -5;
  }
  agree(
      "ctc", [&](const Vs& x) -> Vs { return {nn::ctc_rows(x[0], targets, options)}; },
      [&](const Arrays& x) -> Arrays {
        return {numbered({rows}, [&](std::size_t b) {
          std::vector<Row> p;
          for (std::size_t t = 0; t < length(options.input_lengths, b, steps); ++t) {
            Row e = row_of(x[0], t * rows + b);
            for (Tangent& v : e) v = exp(v);
            const Tangent z = total(e);
            for (Tangent& v : e) v = v / z;
            p.push_back(e);
          }
          const std::int64_t* first = targets.data() + b * longest;
          return ctc_of(p, {first, first + length(options.target_lengths, b, longest)}, options.blank, impossible);
        })};
      },
      {any_values({steps, rows, classes}, -3, 3)});
}

BOOST_AUTO_TEST_SUITE_END()
