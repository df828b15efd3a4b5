#pragma once

#include <rapidcheck/boost_test.h>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autograd/ops/reduce.hpp"
#include "autograd/random.hpp"
#include "tests/distance.hpp"

// Properties: what must hold for any input, tried on many that rapidcheck draws. Where one fails it looks for a smaller
// input that fails too and prints that. RC_PARAMS sets seed and number of cases: RC_PARAMS="seed=7 max_success=5000".

namespace rw::property {

using V = Variable<double>;
using Values = std::vector<Tensor<double>>;
using Index = std::vector<std::size_t>;

/// a + a'ε with ε² = 0: a plain loop over these computes its derivative in one direction beside its value.
struct Tangent {
  double value = 0, slope = 0;

  Tangent(double value = 0, double slope = 0) : value(value), slope(slope) {}

  friend Tangent operator+(Tangent a, Tangent b) { return {a.value + b.value, a.slope + b.slope}; }
  friend Tangent operator-(Tangent a, Tangent b) { return {a.value - b.value, a.slope - b.slope}; }
  friend Tangent operator*(Tangent a, Tangent b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
  friend Tangent operator/(Tangent a, Tangent b) {
    return {a.value / b.value, (a.slope - a.value / b.value * b.slope) / b.value};
  }
  friend Tangent operator-(Tangent a) { return {-a.value, -a.slope}; }
  Tangent& operator+=(Tangent b) { return *this = *this + b; }
  Tangent& operator*=(Tangent b) { return *this = *this * b; }
};

inline Tangent exp(Tangent x) { return {std::exp(x.value), std::exp(x.value) * x.slope}; }
inline Tangent log(Tangent x) { return {std::log(x.value), x.slope / x.value}; }
inline Tangent sqrt(Tangent x) { return {std::sqrt(x.value), x.slope / (2 * std::sqrt(x.value))}; }
inline Tangent abs(Tangent x) { return {std::abs(x.value), x.value > 0 ? x.slope : x.value < 0 ? -x.slope : 0}; }
inline Tangent larger(Tangent a, Tangent b) {
  return (a + b + abs(a - b)) / 2;
}  // halfway between the slopes where equal
inline Tangent smaller(Tangent a, Tangent b) { return (a + b - abs(a - b)) / 2; }

/// Calls visit(index) for every element of a tensor of this shape, in row-major order.
inline void each(const Shape& shape, const std::function<void(const Index&)>& visit) {
  Index index(shape.size(), 0);
  for (std::size_t n = size_of(shape); n > 0; --n) {
    visit(index);
    for (std::size_t a = shape.size(); a-- > 0 && ++index[a] == shape[a];) index[a] = 0;
  }
}

/// The row-major number of the element at `index`.
inline std::size_t number_of(const Shape& shape, const Index& index) {
  std::size_t number = 0;
  for (std::size_t a = 0; a < shape.size(); ++a) number = number * shape[a] + index[a];
  return number;
}

struct Array {
  Shape shape;
  std::vector<Tangent> elements;

  explicit Array(const Shape& shape) : shape(shape), elements(size_of(shape)) {}
  Tangent& operator[](const Index& index) { return elements[number_of(shape, index)]; }
  Tangent operator[](const Index& index) const { return elements[number_of(shape, index)]; }
};
using Arrays = std::vector<Array>;

/// The array of `shape` with the elements f(index).
inline Array tabulate(const Shape& shape, const std::function<Tangent(const Index&)>& f) {
  Array y(shape);
  each(shape, [&](const Index& index) { y[index] = f(index); });
  return y;
}

/// The element of x that a broadcast shows at `index`.
inline Tangent shown(const Array& x, const Index& index) {
  Index own(index.end() - static_cast<std::ptrdiff_t>(x.shape.size()), index.end());
  for (std::size_t a = 0; a < own.size(); ++a) own[a] = x.shape[a] == 1 ? 0 : own[a];
  return x[own];
}

// What rapidcheck draws; a smaller input has smaller numbers.

inline std::size_t between(std::size_t low, std::size_t high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high + 1));
}
inline bool coin() { return between(0, 1) == 1; }

inline std::vector<std::size_t> several(std::size_t n, std::size_t low, std::size_t high) {
  std::vector<std::size_t> numbers(n);
  for (std::size_t& number : numbers) number = between(low, high);
  return numbers;
}

/// Extents of up to 4; one shape in four may have zeros among them.
inline Shape any_shape(std::size_t least_rank = 0, std::size_t most_rank = 4) {
  const std::size_t least = between(0, 3) == 3 ? 0 : 1;
  const auto extents = several(between(least_rank, most_rank), least, 4);
  return {extents.begin(), extents.end()};
}

/// A shape that broadcasts to `whole`.
inline Shape any_part(const Shape& whole) {
  Shape part(whole.begin() + between(0, whole.size()), whole.end());
  for (std::size_t& extent : part) extent = between(0, 2) == 0 ? 1 : extent;
  return part;
}

/// An axis below `rank`, and the same as a user may write it.
struct Axis {
  std::size_t index;
  std::ptrdiff_t given;

  explicit Axis(std::size_t rank, std::size_t index) : index(index), given(static_cast<std::ptrdiff_t>(index)) {
    if (coin()) given -= static_cast<std::ptrdiff_t>(rank);
  }
  explicit Axis(std::size_t rank) : Axis(rank, between(0, rank - 1)) {}
};

/// A random order of 0..n-1.
inline Index any_order(std::size_t n) {
  Index order;
  for (std::size_t i = 0; i < n; ++i) order.insert(order.begin() + static_cast<std::ptrdiff_t>(between(0, i)), i);
  return order;
}

inline Tensor<double> any_values(const Shape& shape, double low = -2, double high = 2) {
  Random random(between(0, 9999));
  Tensor<double> x = rw::empty<double>(shape);
  for (double& element : x) element = random.uniform(low, high);
  return x;
}

/// Whole numbers in [low, high].
inline Indices any_indices(const Shape& shape, std::int64_t low, std::int64_t high) {
  Random random(between(0, 9999));
  Indices x = rw::empty<std::int64_t>(shape);
  const auto choices = static_cast<std::size_t>(high - low + 1);
  for (std::int64_t& element : x) element = low + static_cast<std::int64_t>(random.below(choices));
  return x;
}

using Function = std::function<std::vector<V>(const std::vector<V>&)>;
using Reference = std::function<Arrays(const Arrays&)>;

inline bool close(double a, double b) { return a == b || std::abs(a - b) <= 1e-11 * (1 + std::abs(b)); }

/// f has the values of the reference, and its gradients, from weights on its results that differ, have the slope of
/// the reference in a random direction: in a plain backward pass and in a recorded one, whose gradients agree in turn.
inline void agree(const std::string& name, const Function& f, const Reference& reference, const Values& inputs) {
  std::string text = name;
  for (const auto& input : inputs) text += " " + to_string(input.shape());
  RC_LOG(text);
  Random random(1);
  const auto numbers = [&](const Shape& shape) {
    Tensor<double> x = rw::empty<double>(shape);
    for (double& element : x) element = random.uniform(0.5, 2);
    return V(std::move(x));
  };
  Tape<double> tape;
  std::vector<V> x, directions;
  Arrays plain;
  for (const auto& input : inputs) {
    x.push_back(tape.watch(input));
    directions.push_back(numbers(input.shape()));
    Array& array = plain.emplace_back(input.shape());
    for (std::size_t i = 0; i < input.size(); ++i) {
      array.elements[i] = {input.data()[i], directions.back().value().data()[i]};
    }
  }
  const std::vector<V> y = f(x);
  const Arrays expected = reference(plain);

  RC_ASSERT(y.size() == expected.size());
  V loss = scalar(0.0);
  double slope = 0;
  for (std::size_t k = 0; k < y.size(); ++k) {
    RC_ASSERT(to_string(y[k].shape()) == to_string(expected[k].shape));
    const V weights = numbers(y[k].shape());
    for (std::size_t i = 0; i < y[k].size(); ++i) {
      RC_ASSERT(close(y[k].value().data()[i], expected[k].elements[i].value));
      slope += weights.value().data()[i] * expected[k].elements[i].slope;
    }
    loss = loss + sum(y[k] * weights);
  }
  if (!tape.holds(loss)) return RC_ASSERT(slope == 0);
  const auto gradients = tape.backward(loss), recorded = tape.backward(loss, {.record = true});
  double along = 0;
  V second = scalar(0.0);
  for (std::size_t k = 0; k < x.size(); ++k) {
    const V g = gradients[x[k]];
    RC_ASSERT(to_string(g.shape()) == to_string(x[k].shape()));
    RC_ASSERT(test::distance(g, recorded[x[k]]) < 1e-11);
    for (std::size_t i = 0; i < g.size(); ++i) along += g.value().data()[i] * directions[k].value().data()[i];
    second = second + sum(sin(recorded[x[k]]));
  }
  RC_ASSERT(close(along, slope));
  if (!tape.holds(second)) return;
  const auto once = tape.backward(second), again = tape.backward(second, {.record = true});
  for (const V& v : x) RC_ASSERT(test::distance(once[v], again[v]) < 1e-9);
}

}  // namespace rw::property
