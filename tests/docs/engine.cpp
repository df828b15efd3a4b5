// The code of docs/engine.md: two small engines, built up from nothing.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "autograd/autograd.hpp"

using namespace rw;

BOOST_AUTO_TEST_SUITE(engine_page)

namespace scalars {

// [scalar]
struct Number {
  double value;
  std::size_t slot;  // its place on the tape
};

struct Tape {
  struct Node {  // y = f(a, b): where a and b stand, ∂y/∂a and ∂y/∂b
    std::size_t a, b;
    double da, db;
  };
  std::vector<Node> nodes;
  Number record(double value, const Node& node) {
    nodes.push_back(node);
    return {value, nodes.size() - 1};
  }
  Number leaf(double value) { return record(value, {0, 0, 0, 0}); }
  std::vector<double> backward(const Number& y) const {
    std::vector<double> gradient(nodes.size(), 0);  // ∂y/∂ of every number on the tape
    gradient[y.slot] = 1;
    for (std::size_t n = nodes.size(); n-- > 0;) {
      gradient[nodes[n].a] += gradient[n] * nodes[n].da;
      gradient[nodes[n].b] += gradient[n] * nodes[n].db;
    }
    return gradient;
  }
};

Tape tape;
Number operator+(Number a, Number b) { return tape.record(a.value + b.value, {a.slot, b.slot, 1, 1}); }
Number operator*(Number a, Number b) { return tape.record(a.value * b.value, {a.slot, b.slot, b.value, a.value}); }
Number tanh(Number x) {
  const double y = std::tanh(x.value);
  return tape.record(y, {x.slot, 0, 1 - y * y, 0});
}
// [end]

double plain(double w, double x, int steps) {
  double h = 0;
  for (int t = 0; t < steps; ++t) h = std::tanh(w * h + x);
  return h * h;
}

BOOST_AUTO_TEST_CASE(one_loop_goes_back) {
  tape.nodes.clear();
  // [use]
  const Number x = tape.leaf(3), w = tape.leaf(2);  // slots 0 and 1
  const Number y = x * w + w;                       // slot 2 is x·w, slot 3 is y
  const std::vector<double> g = tape.backward(y);   // g[0] = 2 = w, g[1] = 4 = x + 1
  // [end]
  BOOST_TEST(g[0] == 2);
  BOOST_TEST(g[1] == 4);
  BOOST_TEST((g[2] == 1 && g[3] == 1));
  BOOST_TEST(y.slot == 3u);
  BOOST_TEST((tape.nodes[2].a == 0 && tape.nodes[2].b == 1 && tape.nodes[2].da == 2 && tape.nodes[2].db == 3));
  BOOST_TEST((tape.nodes[3].a == 2 && tape.nodes[3].b == 1 && tape.nodes[3].da == 1 && tape.nodes[3].db == 1));
}

BOOST_AUTO_TEST_CASE(through_time) {
  tape.nodes.clear();
  // [through_time]
  const Number w = tape.leaf(0.5), x = tape.leaf(0.3);
  Number h = tape.leaf(0);
  for (int t = 0; t < 10; ++t) h = tanh(w * h + x);  // 10 steps with the same w
  const double slope = tape.backward(h * h)[w.slot];
  // [end]
  constexpr double e = 1e-6;
  const double numeric = (plain(0.5 + e, 0.3, 10) - plain(0.5 - e, 0.3, 10)) / (2 * e);
  BOOST_TEST(slope == numeric, boost::test_tools::tolerance(1e-8));
  BOOST_TEST(slope > 0.1);
}

}  // namespace scalars

namespace tensors {

// [variable]
using Array = rw::Tensor<double>;  // numbers and a shape
constexpr std::size_t constant = static_cast<std::size_t>(-1);
struct Variable {
  std::shared_ptr<const Array> value;  // shared by all copies, never changed
  std::size_t slot = constant;         // its place on the tape
  const Shape& shape() const { return value->shape(); }
};
Variable fixed(Array value) { return {std::make_shared<const Array>(std::move(value))}; }
// [end]

// [tape]
struct Product {
  Variable a, b;  // stands for aᵀ·b
};
using Term = std::variant<Variable, Product>;
using Derivative = std::function<Term(const Variable& dy)>;

struct Edge {
  std::size_t input;
  Derivative derivative;
};
struct Node {
  std::size_t output;
  std::vector<Edge> edges;
};

struct Tape {
  Tape() { current = this; }
  ~Tape() { current = nullptr; }
  Variable watch(Array value) { return {fixed(std::move(value)).value, slots++}; }
  std::vector<Variable> backward(const Variable& y, bool recorded = false);
  static inline thread_local Tape* current = nullptr;  // the one that records
  std::size_t slots = 0;
  std::vector<Node> nodes;
};
// [end]

// [record]
Variable record(Array value, std::vector<Edge> derivatives) {
  Variable y = fixed(std::move(value));
  std::erase_if(derivatives, [](const Edge& e) { return e.input == constant; });
  if (Tape::current == nullptr || derivatives.empty()) return y;
  y.slot = Tape::current->slots++;
  Tape::current->nodes.push_back({y.slot, std::move(derivatives)});
  return y;
}
// [end]

// [ops]
Variable broadcast_to(const Variable& x, const Shape& shape);

/// x summed over the axes that broadcasting to its shape repeats.
Variable sum_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record(kernels::sum_to<double>("sum_to", *x.value, shape),
                {{x.slot, [from = x.shape()](const Variable& dy) { return broadcast_to(dy, from); }}});
}
Variable broadcast_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record(kernels::broadcast_to<double>("broadcast_to", *x.value, shape),
                {{x.slot, [from = x.shape()](const Variable& dy) { return sum_to(dy, from); }}});
}

/// a ⊙ b.
Variable operator*(const Variable& a, const Variable& b) {
  return record(*a.value * *b.value, {{a.slot, [=](const Variable& dy) { return sum_to(dy * b, a.shape()); }},
                                      {b.slot, [=](const Variable& dy) { return sum_to(dy * a, b.shape()); }}});
}
/// a + b.
Variable operator+(const Variable& a, const Variable& b) {
  return record(*a.value + *b.value, {{a.slot, [s = a.shape()](const Variable& dy) { return sum_to(dy, s); }},
                                      {b.slot, [s = b.shape()](const Variable& dy) { return sum_to(dy, s); }}});
}
/// a − b.
Variable operator-(const Variable& a, const Variable& b) { return a + fixed(scalar(-1.0)) * b; }

/// tanh(x), whose slope is 1 − y².
Variable tanh(const Variable& x) {
  Array y = *x.value;
  for (double& element : y) element = std::tanh(element);
  const auto derivative = [x](const Variable& dy) {
    const Variable y = tanh(x);  // anew, as a variable: its slope may be wanted as well
    return dy - dy * y * y;
  };
  return record(y, {{x.slot, derivative}});
}
// [end]

// [matmul]
/// xᵀ.   x [m, n] -> [n, m].
Variable transpose(const Variable& x) {
  Array y = rw::empty<double>({x.shape()[1], x.shape()[0]});
  for (std::size_t i = 0; i < x.shape()[0]; ++i) {
    for (std::size_t j = 0; j < x.shape()[1]; ++j) y(j, i) = (*x.value)(i, j);
  }
  return record(y, {{x.slot, [](const Variable& dy) { return transpose(dy); }}});
}
/// C = A·B.   A [m, k], B [k, n] -> C [m, n].
Variable matmul(const Variable& a, const Variable& b) {
  const auto da = [b](const Variable& dc) { return matmul(dc, transpose(b)); };
  const auto db = [a](const Variable& dc) { return Product{a, dc}; };
  return record(kernels::matmul<double>("matmul", *a.value, *b.value, Transpose::none), {{a.slot, da}, {b.slot, db}});
}
// [end]

// [sum]
/// One factor of all products, their rows one under another.
Array stacked(const std::vector<Product>& products, Variable Product::*factor) {
  std::size_t rows = 0;
  for (const Product& p : products) rows += (p.*factor).shape()[0];
  Array all = rw::empty<double>({rows, (products[0].*factor).shape()[1]});
  double* to = all.data();
  for (const Product& p : products) to = std::copy_n((p.*factor).value->data(), (p.*factor).value->size(), to);
  return all;
}

struct Sum {
  Variable dense;  // without a value: nothing yet
  std::vector<Product> products;
  void add(const Term& term) {
    const auto* product = std::get_if<Product>(&term);
    if (product && Tape::current == nullptr) return products.push_back(*product);  // for later
    const Variable x = product ? matmul(transpose(product->a), product->b) : std::get<Variable>(term);
    dense = dense.value ? dense + x : x;
  }

  Variable read() {
    if (!products.empty()) {  // Σ aₜᵀ·bₜ = [a₁; a₂; ...]ᵀ·[b₁; b₂; ...]
      const Array a = stacked(products, &Product::a), b = stacked(products, &Product::b);
      products.clear();
      add(fixed(kernels::matmul<double>("gradient", a, b, Transpose::a)));
    }
    return dense;
  }
};
// [end]

// [backward]
std::vector<Variable> Tape::backward(const Variable& y, bool recorded) {
  Tape* const before = std::exchange(current, recorded ? this : nullptr);
  std::vector<Sum> sums(slots);
  sums[y.slot].add(fixed(full<double>(y.shape(), 1)));
  for (std::size_t n = nodes.size(); n-- > 0;) {
    const Node node = nodes[n];  // a copy: the pass may itself add nodes
    const Variable dy = std::exchange(sums[node.output], {}).read();
    if (!dy.value) continue;  // y does not depend on this result
    for (const Edge& edge : node.edges) sums[edge.input].add(edge.derivative(dy));
  }
  std::vector<Variable> gradients;  // only leaves have any left
  for (Sum& sum : sums) gradients.push_back(sum.read());
  current = before;
  return gradients;
}
// [end]

using std::tanh;

// [fuse]
template <class B>
struct Dual {
  B value, slope;  // slope: by one input
};
template <class B>
Dual<B> operator+(const Dual<B>& a, const Dual<B>& b) {
  return {a.value + b.value, a.slope + b.slope};
}
template <class B>
Dual<B> operator*(const Dual<B>& a, const Dual<B>& b) {
  return {a.value * b.value, a.slope * b.value + a.value * b.slope};
}
template <class B>
Dual<B> tanh(const Dual<B>& x) {
  const B y = tanh(x.value);
  return {y, x.slope - x.slope * y * y};
}

/// f(xs...) element by element, in one pass, and backward in one an input. All have one shape.
template <std::size_t N, class F>
Variable fuse(const F& f, const std::array<Variable, N>& xs) {
  const auto at = [xs](std::size_t i, std::size_t k) {  // element i, with the slope by input k
    std::array<Dual<double>, N> duals;
    for (std::size_t j = 0; j < N; ++j) duals[j] = {xs[j].value->data()[i], j == k ? 1.0 : 0.0};
    return duals;
  };
  Array y = *xs[0].value;
  for (std::size_t i = 0; i < y.size(); ++i) y.data()[i] = std::apply(f, at(i, 0)).value;
  std::vector<Edge> derivatives;
  for (std::size_t k = 0; k < N; ++k) {
    const auto derivative = [=](const Variable& dy) -> Variable {
      if (Tape::current != nullptr) {  // the same code on variables, which are recorded
        std::array<Dual<Variable>, N> duals;
        for (std::size_t j = 0; j < N; ++j) duals[j] = {xs[j], fixed(scalar(j == k ? 1.0 : 0.0))};
        return dy * std::apply(f, duals).slope;
      }
      Array dx = *dy.value;
      for (std::size_t i = 0; i < dx.size(); ++i) dx.data()[i] *= std::apply(f, at(i, k)).slope;
      return fixed(dx);
    };
    derivatives.push_back({xs[k].slot, derivative});
  }
  return record(y, derivatives);
}
// [end]

// The elements sin(from), sin(from + 1), ...
Array wave(const Shape& shape, double from) {
  Array x(shape);
  for (double& element : x) element = std::sin(from++);
  return x;
}

// The largest difference, relative to the largest element.
double difference(const Array& a, const Array& b) {
  BOOST_TEST_REQUIRE((a.shape() == b.shape()));
  double largest = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
    size = std::max(size, std::abs(b.data()[i]));
  }
  BOOST_TEST(size > 0.01);
  return largest / size;
}

// A recurrent network of 6 steps with a fused gate, for either engine; `gate` fuses.
template <class V, class Gate>
V network(const V& x, const V& w, const V& u, const V& b, V h, const Gate& gate) {
  for (int t = 0; t < 6; ++t) {
    const V c = tanh(matmul(x, w) + matmul(h, u) + b);
    h = gate(c * h, c, h);
  }
  return sum_to(h * h, Shape{});
}

const auto mix = [](auto g, auto c, auto h) { return tanh(g) * h + tanh(c); };

BOOST_AUTO_TEST_CASE(the_small_engine_agrees_with_the_library) {
  const std::vector<Array> inputs{wave({4, 2}, 1), wave({2, 3}, 2), wave({3, 3}, 3), wave({3}, 4), wave({4, 3}, 5)};
  Tape tape;
  rw::Tape<double> library;
  std::vector<Variable> x;
  std::vector<rw::Variable<double>> lx;
  for (const Array& input : inputs) {
    x.push_back(tape.watch(input));
    lx.push_back(library.watch(input));
  }
  const Variable y = network(x[0], x[1], x[2], x[3], x[4], [](const auto& g, const auto& c, const auto& h) {
    return fuse<3>(mix, {g, c, h});
  });
  const auto ly = network(lx[0], lx[1], lx[2], lx[3], lx[4],
                          [](const auto& g, const auto& c, const auto& h) { return rw::fuse(mix, g, c, h); });
  BOOST_TEST((*y.value)() == ly.item(), boost::test_tools::tolerance(1e-13));

  const auto first = tape.backward(y);
  // [second]
  const std::vector<Variable> g = tape.backward(y, true);  // recorded: g[0], g[1], ... stand on the tape
  const Variable steepness = sum_to(g[0] * g[0], {}) + sum_to(g[2] * g[2], {});
  const std::vector<Variable> gg = tape.backward(steepness);  // the gradient of a function of gradients
  // [end]
  const auto lg = library.backward(ly, {.record = true});
  const auto lgg = library.backward(sum(square(lg[lx[0]])) + sum(square(lg[lx[2]])));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    BOOST_TEST(difference(*first[i].value, lg[lx[i]].value()) < 1e-12, "gradient " << i);
    BOOST_TEST(difference(*g[i].value, lg[lx[i]].value()) < 1e-12, "recorded gradient " << i);
    BOOST_TEST(difference(*gg[i].value, lgg[lx[i]].value()) < 1e-12, "second gradient " << i);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_gone_back_through_is_constant) {
  const Variable a = fixed(scalar(2.0)), outside = a * a;
  BOOST_TEST(outside.slot == constant);  // no tape
  Tape tape;
  BOOST_TEST((a * a).slot == constant);  // nothing on the tape takes part
  BOOST_TEST(tape.nodes.empty());
  const Variable x = tape.watch(scalar(3.0)), y = a * x;
  BOOST_TEST_REQUIRE(tape.nodes.size() == 1u);
  BOOST_TEST(tape.nodes[0].edges.size() == 1u);  // none for a
  BOOST_TEST((*tape.backward(y)[x.slot].value)() == 2);
}

}  // namespace tensors

BOOST_AUTO_TEST_SUITE_END()
