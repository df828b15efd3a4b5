#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>

#include "autograd/fuse.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/normalize.hpp"
#include "autograd/ops/softmax.hpp"
#include "tests/property.hpp"

// Broadcasting and reductions against plain loops over indices, on shapes of up to rank 4 and extents from 0 on.

BOOST_AUTO_TEST_SUITE(properties)

using namespace rw;
using namespace rw::property;

namespace {

// NumPy's rule. A shape as it counts among others of `rank` axes: with ones before it.
std::size_t extent(const Shape& shape, std::size_t axis, std::size_t rank) {
  const std::size_t missing = rank - shape.size();
  return axis < missing ? 1 : shape[axis - missing];
}

bool broadcast(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t m = extent(a, i, rank), n = extent(b, i, rank);
    if (m != n && m != 1 && n != 1) return false;
  }
  return true;
}

Shape broadcast_of(const std::vector<Shape>& shapes) {
  std::size_t rank = 0;
  for (const Shape& shape : shapes) rank = std::max(rank, shape.size());
  Shape all(rank, 1);
  for (std::size_t a = 0; a < rank; ++a) {
    for (const Shape& shape : shapes) {
      if (extent(shape, a, rank) != 1) all[a] = extent(shape, a, rank);
    }
  }
  return all;
}

Reference elementwise(const std::function<Tangent(const std::vector<Tangent>&)>& f) {
  return [f](const Arrays& x) -> Arrays {
    std::vector<Shape> shapes;
    for (const Array& array : x) shapes.push_back(array.shape);
    return {tabulate(broadcast_of(shapes), [&](const Index& index) {
      std::vector<Tangent> elements;
      for (const Array& array : x) elements.push_back(shown(array, index));
      return f(elements);
    })};
  };
}

struct Binary {
  const char* name;
  std::function<V(const V&, const V&)> f;
  std::function<Tangent(Tangent, Tangent)> plain;
  double low_a = -2, low_b = -2;
};

const std::vector<Binary>& binary_ops() {
  static const std::vector<Binary> ops = {
      {"add", [](const V& a, const V& b) { return a + b; }, [](Tangent a, Tangent b) { return a + b; }},
      {"subtract", [](const V& a, const V& b) { return a - b; }, [](Tangent a, Tangent b) { return a - b; }},
      {"multiply", [](const V& a, const V& b) { return a * b; }, [](Tangent a, Tangent b) { return a * b; }},
      {"divide", [](const V& a, const V& b) { return a / b; }, [](Tangent a, Tangent b) { return a / b; }, -2, 0.5},
      {"maximum", [](const V& a, const V& b) { return maximum(a, b); }, larger},
      {"minimum", [](const V& a, const V& b) { return minimum(a, b); }, smaller},
      {"pow", [](const V& a, const V& b) { return pow(a, b); }, [](Tangent a, Tangent b) { return exp(b * log(a)); },
       0.5},
      {"greater", [](const V& a, const V& b) { return greater(a, b); },
       [](Tangent a, Tangent b) { return Tangent(a.value > b.value); }},
      {"greater_equal", [](const V& a, const V& b) { return greater_equal(a, b); },
       [](Tangent a, Tangent b) { return Tangent(a.value >= b.value); }},
      {"less", [](const V& a, const V& b) { return less(a, b); },
       [](Tangent a, Tangent b) { return Tangent(a.value < b.value); }},
      {"less_equal", [](const V& a, const V& b) { return less_equal(a, b); },
       [](Tangent a, Tangent b) { return Tangent(a.value <= b.value); }},
      {"equal", [](const V& a, const V& b) { return equal(a, b); },
       [](Tangent a, Tangent b) { return Tangent(a.value == b.value); }},
      {"fuse", [](const V& a, const V& b) { return fuse([](auto a, auto b) { return a * exp(b) - b; }, a, b); },
       [](Tangent a, Tangent b) { return a * exp(b) - b; }},
  };
  return ops;
}

// Values of which many are equal, or none.
Tensor<double> whole_or_not(const Shape& shape, double low) {
  Tensor<double> x = any_values(shape, low, 2);
  if (coin()) {
    for (double& element : x) element = low < 0 ? std::round(element) : std::ceil(element);
  }
  return x;
}

}  // namespace

RC_BOOST_PROP(binary_ops_broadcast, ()) {
  const Shape whole = any_shape(), a = any_part(whole), b = any_part(whole);
  for (const Binary& op : binary_ops()) {
    const auto f = [&](const std::vector<V>& x) -> std::vector<V> { return {op.f(x[0], x[1])}; };
    agree(op.name, f, elementwise([&](const std::vector<Tangent>& x) { return op.plain(x[0], x[1]); }),
          {whole_or_not(a, op.low_a), whole_or_not(b, op.low_b)});
  }
}

RC_BOOST_PROP(ops_of_three_broadcast, ()) {
  const Shape whole = any_shape();
  Tensor<double> condition = any_values(any_part(whole));
  for (double& element : condition) element = element < 0 ? 0 : element;
  const Values x = {condition, any_values(any_part(whole)), any_values(any_part(whole))};
  const auto chosen = [](const std::vector<Tangent>& x) { return x[0].value != 0 ? x[1] : x[2]; };
  const auto f = [](const std::vector<V>& x) -> std::vector<V> { return {where(x[0], x[1], x[2])}; };
  agree("where", f, elementwise(chosen), x);
  const auto fused = [](const std::vector<V>& x) -> std::vector<V> {
    return {fuse([](auto c, auto a, auto b) { return where(c, a * b, b) + c; }, x[0], x[1], x[2])};
  };
  agree("fuse", fused,
        elementwise([](const std::vector<Tangent>& x) { return (x[0].value != 0 ? x[1] * x[2] : x[2]) + x[0]; }), x);
}

RC_BOOST_PROP(shapes_that_do_not_broadcast_are_refused, ()) {
  const Shape a = any_shape(), b = any_shape();
  const V x = any_values(a), y = any_values(b, 0.5);
  const std::string text = ": expected shapes that broadcast; got a " + to_string(a) + ", b " + to_string(b);
  for (const Binary& op : binary_ops()) {
    std::string said;
    try {
      RC_ASSERT(to_string(op.f(x, y).shape()) == to_string(broadcast_of({a, b})));
    } catch (const std::invalid_argument& error) {
      said = error.what();
    }
    RC_ASSERT(said.empty() == broadcast(a, b));
    const bool swapped = std::string(op.name).rfind("less", 0) == 0;  // b > a
    if (!said.empty() && !swapped) RC_ASSERT(said == op.name + text);
  }
}

RC_BOOST_PROP(broadcast_to_and_sum_to, ()) {
  const Shape whole = any_shape(), part = any_part(whole);
  agree(
      "broadcast_to", [&](const std::vector<V>& x) -> std::vector<V> { return {broadcast_to(x[0], whole)}; },
      [&](const Arrays& x) -> Arrays { return {tabulate(whole, [&](const Index& i) { return shown(x[0], i); })}; },
      {any_values(part)});
  agree(
      "sum_to", [&](const std::vector<V>& x) -> std::vector<V> { return {sum_to(x[0], part)}; },
      [&](const Arrays& x) -> Arrays {
        Array y(part);
        each(whole, [&](const Index& index) {
          Index own(index.end() - static_cast<std::ptrdiff_t>(part.size()), index.end());
          for (std::size_t a = 0; a < own.size(); ++a) own[a] = part[a] == 1 ? 0 : own[a];
          y[own] += x[0][index];
        });
        return {y};
      },
      {any_values(whole)});
}

namespace {

using Group = std::vector<Tangent>;

// Axes to reduce over, as a user may write them.
Reduce any_reduction(std::size_t rank) {
  Reduce over;
  const Index order = any_order(rank);
  for (std::size_t n = between(0, rank), i = 0; i < n; ++i) over.axes.push_back(Axis(rank, order[i]).given);
  over.keep = coin();
  return over;
}

bool reduces(const Reduce& over, std::size_t axis, std::size_t rank) {
  return over.axes.empty() || std::any_of(over.axes.begin(), over.axes.end(), [&](std::ptrdiff_t a) {
           return static_cast<std::size_t>(a < 0 ? a + static_cast<std::ptrdiff_t>(rank) : a) == axis;
         });
}

// f of the elements that make one, for each element of the result.
Reference reduction(const Reduce& over, const std::function<Tangent(const Group&)>& f) {
  return [&over, f](const Arrays& x) -> Arrays {
    const Shape& whole = x[0].shape;
    Shape kept = whole, result;
    for (std::size_t a = 0; a < whole.size(); ++a) {
      if (reduces(over, a, whole.size())) kept[a] = 1;
      if (over.keep || !reduces(over, a, whole.size())) result.push_back(kept[a]);
    }
    std::vector<Group> groups(size_of(kept));
    each(whole, [&](Index index) {
      const Tangent element = x[0][index];
      for (std::size_t a = 0; a < index.size(); ++a) index[a] = kept[a] == 1 ? 0 : index[a];
      groups[number_of(kept, index)].push_back(element);
    });
    Array y(result);
    std::transform(groups.begin(), groups.end(), y.elements.begin(), f);
    return {y};
  };
}

std::size_t group_size(const Shape& shape, const Reduce& over) {
  std::size_t n = 1;
  for (std::size_t a = 0; a < shape.size(); ++a) n *= reduces(over, a, shape.size()) ? shape[a] : 1;
  return n;
}

Tangent total(const Group& x) { return std::accumulate(x.begin(), x.end(), Tangent()); }

Tangent largest(const Group& x) {
  const double top =
      std::max_element(x.begin(), x.end(), [](Tangent a, Tangent b) { return a.value < b.value; })->value;
  Group equal;
  std::copy_if(x.begin(), x.end(), std::back_inserter(equal), [&](Tangent v) { return v.value == top; });
  return total(equal) / static_cast<double>(equal.size());
}

Tangent spread(const Group& x, std::size_t correction) {
  const Tangent mean = total(x) / static_cast<double>(x.size());
  Tangent squares;
  for (const Tangent v : x) squares += (v - mean) * (v - mean);
  return squares / static_cast<double>(x.size() - correction);
}

}  // namespace

RC_BOOST_PROP(reductions_over_any_axes, ()) {
  const Shape shape = any_shape();
  const Reduce over = any_reduction(shape.size());
  const Values x = {whole_or_not(shape, -2)};
  const std::size_t n = group_size(shape, over);
  const auto check = [&](const std::string& name, const auto& f, const std::function<Tangent(const Group&)>& plain,
                         std::size_t least = 0) {
    if (n >= least) {
      return agree(
          name, [&](const std::vector<V>& x) -> std::vector<V> { return {f(x[0])}; }, reduction(over, plain), x);
    }
    std::string said;
    try {
      f(V(x[0]));
    } catch (const std::invalid_argument& error) {
      said = error.what();
    }
    RC_ASSERT(said == name + ": expected at least " + std::to_string(least) + (least == 1 ? " element" : " elements") +
                          " to reduce; got x " + to_string(shape) + " with " + std::to_string(n));
  };
  check(
      "sum", [&](const V& x) { return sum(x, over); }, total);
  check(
      "mean", [&](const V& x) { return mean(x, over); },
      [](const Group& x) { return total(x) / static_cast<double>(x.size()); }, 1);
  check(
      "max", [&](const V& x) { return max(x, over); }, largest, 1);
  check(
      "min", [&](const V& x) { return min(x, over); },
      [](Group x) {
        for (Tangent& v : x) v = -v;
        return -largest(x);
      },
      1);
  check(
      "logsumexp", [&](const V& x) { return logsumexp(x, over); },
      [](Group x) {
        for (Tangent& v : x) v = exp(v);
        return x.empty() ? Tangent(-HUGE_VAL) : log(total(x));
      });
  check(
      "norm", [&](const V& x) { return norm(x, over); },
      [](Group x) {
        for (Tangent& v : x) v *= v;
        return total(x).value == 0 ? Tangent() : sqrt(total(x));
      });
  const std::size_t correction = between(0, 2);
  check(
      "variance", [&](const V& x) { return variance(x, over, correction); },
      [&](const Group& x) { return spread(x, correction); }, correction + 1);
}

RC_BOOST_PROP(axes_that_are_not_there_are_refused, ()) {
  const Shape shape = any_shape();
  const auto rank = static_cast<std::ptrdiff_t>(shape.size());
  const std::ptrdiff_t far = coin() ? rank + static_cast<std::ptrdiff_t>(between(0, 3))
                                    : -rank - 1 - static_cast<std::ptrdiff_t>(between(0, 3));
  const V x = any_values(shape);
  const Reduce over{.axes = {far}};
  RC_ASSERT_THROWS_AS(sum(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(mean(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(max(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(min(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(logsumexp(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(variance(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(norm(x, over), std::invalid_argument);
  RC_ASSERT_THROWS_AS(softmax(x, far), std::invalid_argument);
  RC_ASSERT_THROWS_AS(log_softmax(x, far), std::invalid_argument);
  RC_ASSERT_THROWS_AS(squeeze(x, far), std::invalid_argument);
  RC_ASSERT_THROWS_AS(slice(x, far, 0, 0), std::invalid_argument);
  RC_ASSERT_THROWS_AS(flip(x, {far}), std::invalid_argument);
  RC_ASSERT_THROWS_AS(concatenate({x, x}, far), std::invalid_argument);
  RC_ASSERT_THROWS_AS(split(x, {1, 1}, far), std::invalid_argument);
  RC_ASSERT_THROWS_AS(unstack(x, far), std::invalid_argument);
  RC_ASSERT_THROWS_AS(expand_dims(x, far < 0 ? far - 1 : far + 1), std::invalid_argument);
  RC_ASSERT_THROWS_AS(stack({x, x}, far < 0 ? far - 1 : far + 1), std::invalid_argument);
}

namespace {

// exp(x) / Σ exp(x) along an axis, over the elements where the mask is not 0; 0 elsewhere.
Array softmax_of(const Array& x, std::size_t axis, const Array& mask) {
  Shape kept = x.shape;
  kept[axis] = 1;
  Array totals(kept), y(x.shape);
  const auto total = [&](Index index) -> Tangent& {
    index[axis] = 0;
    return totals[index];
  };
  each(x.shape, [&](const Index& index) {
    if (shown(mask, index).value != 0) total(index) += exp(x[index]);
  });
  each(x.shape, [&](const Index& index) {
    if (shown(mask, index).value != 0) y[index] = exp(x[index]) / total(index);
  });
  return y;
}

Array constant(const Tensor<double>& x) {
  Array y(x.shape());
  std::copy(x.begin(), x.end(), y.elements.begin());
  return y;
}

}  // namespace

RC_BOOST_PROP(softmax_along_any_axis, ()) {
  const Shape shape = any_shape(1);
  const Axis axis(shape.size());
  const Values x = {any_values(shape)};
  const Tensor<double> ones = full<double>({}, 1), coins = any_values(any_part(shape), 0, 1);
  Tensor<double> mask = coins;
  for (double& element : mask) element = std::round(element);
  const auto plain = [&](const Tensor<double>& mask) {
    return [&](const Arrays& x) -> Arrays { return {softmax_of(x[0], axis.index, constant(mask))}; };
  };
  const auto logarithm = [&](const Tensor<double>& mask) {
    return [&](const Arrays& x) -> Arrays {
      Array y = softmax_of(x[0], axis.index, constant(mask));
      for (Tangent& v : y.elements) v = v.value == 0 ? Tangent(std::numeric_limits<double>::lowest()) : log(v);
      return {y};
    };
  };
  const V m = mask;
  agree(
      "softmax", [&](const std::vector<V>& x) -> std::vector<V> { return {softmax(x[0], axis.given)}; }, plain(ones),
      x);
  agree(
      "masked softmax", [&](const std::vector<V>& x) -> std::vector<V> { return {softmax(x[0], m, axis.given)}; },
      plain(mask), x);
  agree(
      "log_softmax", [&](const std::vector<V>& x) -> std::vector<V> { return {log_softmax(x[0], axis.given)}; },
      logarithm(ones), x);
  agree(
      "masked log_softmax",
      [&](const std::vector<V>& x) -> std::vector<V> {
        const V y = log_softmax(x[0], m, axis.given);
        return {y * broadcast_to(m, y.shape())};  // what the mask leaves out is finite
      },
      [&](const Arrays& x) -> Arrays {
        Array y = logarithm(mask)(x)[0];
        each(y.shape, [&](const Index& index) { y[index] *= shown(constant(mask), index); });
        return {y};
      },
      x);
}

RC_BOOST_PROP(layer_norm_of_any_rows, ()) {
  const Shape shape = any_shape(1);
  const std::size_t n = shape.back();
  const double epsilon = coin() ? 1e-5 : 1;
  const Values x = {any_values(shape), any_values({n}), any_values({n})};
  if (n == 0) RC_ASSERT_THROWS_AS(layer_norm(V(x[0]), V(x[1]), V(x[2])), std::invalid_argument);
  if (n < 2) return;
  agree(
      "layer_norm", [&](const std::vector<V>& x) -> std::vector<V> { return {layer_norm(x[0], x[1], x[2], epsilon)}; },
      [&](const Arrays& x) -> Arrays {
        return {tabulate(shape, [&](Index index) {
          const Tangent element = x[0][index];
          const std::size_t column = index.back();
          Group row;
          for (index.back() = 0; index.back() < n; ++index.back()) row.push_back(x[0][index]);
          return (element - total(row) / double(n)) / sqrt(spread(row, 0) + epsilon) * x[1][{column}] + x[2][{column}];
        })};
      },
      x);
}

BOOST_AUTO_TEST_SUITE_END()
