#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/ops/normalize.hpp"
#include "autograd/ops/softmax.hpp"
#include "op_table.hpp"

namespace rw::test {
namespace {

using Elements = std::vector<double>;
using Index = std::vector<std::size_t>;

Variable<double> ones(const Shape& shape) { return full<double>(shape, 1); }

bool reduces(const Reduce& over, std::size_t axis, std::size_t rank) {
  const auto is = [&](std::ptrdiff_t a) {
    return a < 0 ? a + std::ptrdiff_t(rank) == std::ptrdiff_t(axis) : a == std::ptrdiff_t(axis);
  };
  return over.axes.empty() || std::any_of(over.axes.begin(), over.axes.end(), is);
}

// f of the elements that make one, for each element of the result.
Reference reduced(const Reduce& over, const std::function<double(const Elements&)>& f) {
  return [=](const Values& x) -> Values {
    const std::size_t rank = x[0].dimension();
    const auto result_of = [&](const auto& full, std::size_t reduced_to) {
      std::decay_t<decltype(full)> out;
      for (std::size_t a = 0; a < rank; ++a) {
        if (!reduces(over, a, rank)) {
          out.push_back(full[a]);
        } else if (over.keep) {
          out.push_back(reduced_to);
        }
      }
      return out;
    };
    std::map<Index, Elements> parts;
    for_each_index(x[0].shape(),
                   [&](const Index& i, std::size_t n) { parts[result_of(i, 0)].push_back(x[0].data()[n]); });
    return {tabulate(result_of(x[0].shape(), 1), [&](const Index& i) { return f(parts[i]); })};
  };
}

// Rows of one reduction over several choices of axes.
template <class F>
OpRows reductions(const std::string& name, const F& f, const std::function<double(const Elements&)>& scalar) {
  const std::vector<Values> cases = {random_values({{2, 3, 4}}), random_values({{3, 17}}),
                                     random_values({{2, 1, 2, 2}})};
  const std::vector<std::pair<std::string, Reduce>> choices = {{"(all)", {}},
                                                               {"(all, kept)", {{}, true}},
                                                               {"(first)", {{0}}},
                                                               {"(last, kept)", {{-1}, true}},
                                                               {"(first and last)", {{-1, 0}}},
                                                               {"(second)", {{1}}}};
  OpRows rows;
  for (const auto& choice : choices) {
    const Reduce over = choice.second;
    rows.push_back(op(
        name + choice.first, [f, over](const auto& x) { return f(x[0], over); }, reduced(over, scalar), cases));
  }
  OpRow& all = rows.front();
  all.cases.push_back(random_values({{}}));
  all.cases.push_back(random_values({{37}}));
  all = stable(std::move(all));
  all.extremes.push_back({full<double>({3}, 1e4)});
  all.wrong = {
      {[f] {
         f(ones({2, 3}), {{2}});
       },
       "expected an axis in [-2, 2); got axis 2 of x [2, 3]"},
      {[f] {
         f(ones({2, 3}), {{0, -2}});
       },
       "expected distinct axes; got axis -2 of x [2, 3] twice"},
  };
  return rows;
}

double sum_of(const Elements& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum;
}

double largest(const Elements& x) { return *std::max_element(x.begin(), x.end()); }
double smallest(const Elements& x) { return *std::min_element(x.begin(), x.end()); }

double log_sum_exp(const Elements& x) {
  double sum = 0;
  for (const double v : x) sum += std::exp(v);
  return std::log(sum);
}

double spread_of(const Elements& x, double n) {
  const double mean = sum_of(x) / static_cast<double>(x.size());
  double sum = 0;
  for (const double v : x) sum += (v - mean) * (v - mean);
  return sum / n;
}

double length(const Elements& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

template <class V>
Variable<typename V::value_type> mask_like(const V&, const Tensor<double>& mask) {
  using T = typename V::value_type;
  Tensor<T> m = rw::empty<T>(mask.shape());
  std::copy(mask.begin(), mask.end(), m.begin());
  return Variable<T>(std::move(m));
}

// exp(x) / Σ exp along an axis over the elements with a mask of 1; f turns that and the mask into the result.
Reference softmax_reference(std::size_t axis, const Tensor<double>& mask,
                            const std::function<double(double y, double mask)>& f) {
  return [=](const Values& x) -> Values {
    const Tensor<double> m = map_scalars([](const Elements& v) { return v[1]; }, {x[0], mask});
    return {tabulate(x[0].shape(), [&](const Index& i) {
      double sum = 0;
      Index j = i;
      for (j[axis] = 0; j[axis] < x[0].shape(axis); ++j[axis]) sum += at(m, j) * std::exp(at(x[0], j));
      return f(sum == 0 ? 0 : std::exp(at(x[0], i)) / sum, at(m, i));
    })};
  };
}

// Each row of x less its mean, by √(variance + ε), times a gain and plus a shift for each column.
Values layer_norm_reference(const Values& x, double epsilon) {
  const std::size_t n = x[1].size();
  std::vector<Elements> rows;
  for (auto at = x[0].begin(); at != x[0].end(); at += n) rows.emplace_back(at, at + n);
  std::size_t i = 0;
  return {tabulate(x[0].shape(), [&](const Index&) {
    const Elements& row = rows[i / n];
    const std::size_t column = i++ % n;
    const double count = static_cast<double>(n), mean = sum_of(row) / count;
    const double unit = (row[column] - mean) / std::sqrt(spread_of(row, count) + epsilon);
    return unit * x[1].data()[column] + x[2].data()[x[2].size() == n ? column : i - 1];
  })};
}

OpRows layer_norm_rows() {
  Values far = random_values({{3, 20}, {20}, {20}});  // a mean of 1000 with a spread of 1, without rounding in float
  for (double& v : far[0]) v = 1e3 + std::round(8 * v) / 8;
  Values alone = random_values({{2, 40}, {40}, {40}});  // the first elements are far from all others
  for (const std::size_t first : {0, 40}) alone[0].data()[first] = 500;
  OpRow row = op(
      "layer_norm", [](const auto& x) { return layer_norm(x[0], x[1], x[2]); },
      [](const Values& x) { return layer_norm_reference(x, 1e-5); },
      {random_values({{3, 17}, {17}, {17}}), random_values({{2, 2, 4}, {4}, {4}}), random_values({{5}, {5}, {5}}),
       random_values({{2, 85}, {85}, {85}}), random_values({{4, 1}, {1}, {1}}), random_values({{0, 3}, {3}, {3}}),
       random_values({{3, 17}, {17}, {3, 17}}), random_values({{2, 2, 4}, {4}, {2, 2, 4}}),
       random_values({{0, 3}, {3}, {0, 3}}), far, alone},
      {{[] { layer_norm(ones({}), ones({1}), ones({1})); }, "expected rows of at least one element; got x []"},
       {[] {
          layer_norm(ones({2, 0}), ones({0}), ones({0}));
        },
        "expected rows of at least one element; got x [2, 0]"},
       {[] {
          layer_norm(ones({2, 3}), ones({2}), ones({3}));
        },
        "expected gain and shift [3] or shift [2, 3]; got gain [2], shift [3]"},
       {[] {
          layer_norm(ones({2, 3}), ones({3}), ones({1, 3}));
        },
        "expected gain and shift [3] or shift [2, 3]; got gain [3], shift [1, 3]"},
       {[] { layer_norm(ones({3}), ones({3}), ones({3}), -1e-5); }, "expected epsilon of at least 0; got -1e-05"},
       {[] { layer_norm(ones({3}), ones({3}), ones({3}), std::nan("")); }, "expected epsilon of at least 0; got nan"}});
  row.extremes = {{full<double>({2, 5}, 1e4), full<double>({5}, 1), full<double>({5}, 1)},
                  {tensor<double>({2, 2}, {-1e4, 1e4, 1e-4, -1e-4}), full<double>({2}, 1e4), full<double>({2}, 1e4)}};
  return {std::move(row),
          op(
              "layer_norm(twice, of another epsilon)",
              [](const auto& x) { return layer_norm(layer_norm(x[0], x[1], x[2], 0.5), x[1], x[2], 0); },
              [](const Values& x) {
                return layer_norm_reference({layer_norm_reference(x, 0.5)[0], x[1], x[2]}, 0);
              },
              {random_values({{3, 6}, {6}, {6}}), random_values({{7}, {7}, {7}})})};
}

}  // namespace

OpRows reduce_rows() {
  OpRows rows;
  const auto add = [&](OpRows more, std::vector<WrongCall> wrong = {}) {
    for (auto& w : wrong) more.front().wrong.push_back(std::move(w));
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  };
  const std::string none = "expected at least 1 element";
  add(reductions(
      "sum", [](const auto& x, const Reduce& over) { return sum(x, over); }, sum_of));
  rows.front().cases.push_back(random_values({{0, 3}}));
  add(reductions(
          "mean", [](const auto& x, const Reduce& over) { return mean(x, over); },
          [](const Elements& x) { return sum_of(x) / static_cast<double>(x.size()); }),
      {{[] {
          mean(ones({0, 3}), {{0}});
        },
        none}});
  add(reductions(
          "max", [](const auto& x, const Reduce& over) { return max(x, over); }, largest),
      {{[] { max(ones({0})); }, none}});
  add(reductions(
          "min", [](const auto& x, const Reduce& over) { return min(x, over); }, smallest),
      {{[] { min(ones({0})); }, none}});
  add(reductions(
      "logsumexp", [](const auto& x, const Reduce& over) { return logsumexp(x, over); }, log_sum_exp));
  add(reductions(
          "variance", [](const auto& x, const Reduce& over) { return variance(x, over); },
          [](const Elements& x) { return spread_of(x, static_cast<double>(x.size())); }),
      {{[] { variance(ones({1}), {}, 1); }, "expected at least 2 elements"}});
  rows.push_back(op("variance(of a sample)", [](const auto& x) { return variance(x[0], {{0}}, 1); },
                    reduced({{0}}, [](const Elements& x) { return spread_of(x, static_cast<double>(x.size()) - 1); }),
                    {random_values({{4, 3}}), random_values({{2}})}));
  add(reductions(
      "norm", [](const auto& x, const Reduce& over) { return norm(x, over); }, length));
  add(layer_norm_rows());
  return rows;
}

OpRows softmax_rows() {
  const Tensor<double> whole = full<double>({}, 1);
  const Tensor<double> mask = tensor<double>({3, 4}, {1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1});  // a row without any
  const auto probability = [](double y, double) { return y; };
  const std::vector<Values> cases = {random_values({{3, 4}}), random_values({{2, 3, 4}})};
  const Values extreme = {tensor<double>({3, 4}, {1e4, 1e4, -1e4, 0, 0, 1e4, 1e4, 2, -1e4, -1e4, -1e4, -1e4})};
  std::vector<WrongCall> wrong = {{[] {
                                     softmax(ones({2, 3}), 2);
                                   },
                                   "expected an axis in [-2, 2); got axis 2"},
                                  {[] {
                                     softmax(ones({2, 3}), ones({2}), -1);
                                   },
                                   "got a [2, 3], b [2]"},
                                  {[] {
                                     softmax(ones({3}), ones({2, 3}), -1);
                                   },
                                   "expected a mask that broadcasts to x"}};
  std::vector<WrongCall> wrong_log = {{[] {
                                         log_softmax(ones({2, 3}), -3);
                                       },
                                       "expected an axis in [-2, 2); got axis -3"},
                                      {[] {
                                         log_softmax(ones({3}), ones({2, 3}), -1);
                                       },
                                       "expected a mask that broadcasts to x"}};
  OpRows rows = {
      op(
          "softmax", [](const auto& x) { return softmax(x[0], 1); }, softmax_reference(1, whole, probability), cases,
          std::move(wrong)),
      op(
          "softmax(first axis)", [](const auto& x) { return softmax(x[0], 0); },
          softmax_reference(0, whole, probability), cases),
      op("softmax(masked)", [mask](const auto& x) { return softmax(x[0], mask_like(x[0], mask), -1); },
         softmax_reference(1, mask, [](double y, double m) { return m * y; }), {cases[0]}),
      op(
          "log_softmax", [](const auto& x) { return log_softmax(x[0], 1); },
          softmax_reference(1, whole, [](double y, double) { return std::log(y); }), cases, std::move(wrong_log)),
      op(
          "log_softmax(first axis)", [](const auto& x) { return log_softmax(x[0], 0); },
          softmax_reference(0, whole, [](double y, double) { return std::log(y); }), cases),
      // What is masked holds the lowest number there is, which a test of differences cannot take: it is cut off here.
      op("log_softmax(masked)",
         [mask](const auto& x) {
           const auto m = mask_like(x[0], mask);
           return where(m, log_softmax(x[0], m, -1), 0);
         },
         softmax_reference(1, mask, [](double y, double m) { return m == 0 ? 0 : std::log(y); }), {cases[0]}),
  };
  for (OpRow& row : rows) row.extremes.push_back(extreme);
  return rows;
}

}  // namespace rw::test
