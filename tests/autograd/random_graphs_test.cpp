#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "autograd/autograd.hpp"
#include "op_table.hpp"
#include "tests/distance.hpp"

// Gradients are written into memory used before, and parts of them in the memory of others. None of it may be seen:
// thousands of small graphs are differentiated in a plain pass and in a recorded one, which takes no such shortcut.

BOOST_AUTO_TEST_SUITE(random_graphs)

using namespace rw;
using test::distance;
using test::random_tensor;
using V = Variable<double>;

namespace {

std::vector<double> elements(const V& x) { return {x.value().begin(), x.value().end()}; }

// Σ w ⊙ x with weights that differ.
V weighed(const V& x) { return sum(x * V(random_tensor(x.shape(), {-1, 1}, 77))); }

/// A small graph of operations drawn at random.
class RandomGraph {
 public:
  RandomGraph(Tape<double>& tape, Parameter<double>& parameter, unsigned seed) : tape_(tape), random_(seed) {
    for (const Shape& shape : {Shape{2, 3}, Shape{3}, Shape{3, 3}, Shape{6}, Shape{1, 3}}) {
      add(tape.watch(random_tensor(shape, {-1, 1}, seed + all_.size())));
    }
    add(parameter);
    for (std::size_t n = 4 + below(14); n > 0; --n) grow();
  }

  const std::vector<V>& all() const { return all_; }
  std::size_t below(std::size_t n) { return random_() % n; }

  /// A result that most of the graph flows into.
  V result() {
    if (below(3) == 0 && tape_.uses(all_.back()) == 0) return all_.back();
    V total = weighed(all_.back());
    for (const V& x : std::vector<V>(all_)) {
      if (tape_.uses(x) == 0 && below(4) > 0) total = total + (below(2) == 0 ? weighed(x) : sum(sin(x)));
    }
    return total;
  }

 private:
  void add(const V& x) { all_.push_back(x); }
  template <class Range>
  void add_all(const Range& xs) {
    for (const V& x : xs) add(x);
  }

  // A variable of that shape, a late one as a rule.
  V some(const Shape& shape) {
    std::vector<V> fitting;
    for (const V& x : all_) {
      if (x.shape() == shape) fitting.push_back(x);
    }
    const std::size_t late = std::min<std::size_t>(fitting.size(), 3);
    return below(4) > 0 ? fitting[fitting.size() - 1 - below(late)] : fitting[below(fitting.size())];
  }
  V some() { return all_[all_.size() - 1 - below(below(4) > 0 ? std::min<std::size_t>(all_.size(), 4) : all_.size())]; }

  void grow() {
    const V a = some(), b = some(a.shape());
    const Shape row{3}, matrix{2, 3}, flat{6}, line{1, 3};
    switch (below(23)) {
      case 0:
        return add(a + b);
      case 1:
        return add(a - b);
      case 2:
        return add(a * tanh(b));
      case 3:
        return add(tanh(a));  // its derivative reads y
      case 4:
        return add(sin(a));  // ... x
      case 5:
        return add(-a);  // ... neither
      case 6:
        return add(where(greater(V(random_tensor(a.shape(), {-1, 1}, below(9))), 0), a, b));
      case 7:
        return add(fuse([](auto x, auto y) { return x * sigmoid(y) + y; }, a, b));
      case 8:
        return add_all(fuse([](auto x, auto y) { return std::tuple{x * sigmoid(y), x - 2 * y}; }, a, b));
      case 9:
        return a.rank() > 1 ? add_all(unstack(a)) : add(a + a);
      case 10:
        return add_all(split(a, a.shape() == row ? 1 : a.shape() == flat ? 2 : a.shape()[0], 0));
      case 11:
        return add(stack({some(row), some(row)}));
      case 12:
        return add(concatenate({some(row), some(row)}, 0));
      case 13:
        return add(concatenate({some(line), some(line)}, 0));
      case 14:
        return add(reshape(some(matrix), flat));
      case 15:
        return add(reshape(some(flat), matrix));
      case 16:
        return add(below(2) == 0 ? reshape(some(row), line) : reshape(some(line), row));
      case 17:
        return add(matmul(some(matrix), some({3, 3})));
      case 18:
        return add(affine(some(line), some({3, 3}), some(below(2) == 0 ? row : line)));
      case 19:
        return add(some(matrix) + some(row));
      case 20:
        return add(fuse([](auto x, auto y, auto z) { return tanh(x) * z - y; }, blocks<2>(some(flat)), some(row)));
      case 21: {
        const Slices<double> slices(some(matrix));
        for (std::size_t i = 0; i < slices.size(); ++i) add(slices[i]);
        return;
      }
      default:
        return add_all(unstack(some({3, 3})));
    }
  }

  Tape<double>& tape_;
  std::mt19937 random_;
  std::vector<V> all_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(have_the_gradients_of_a_recorded_pass) {
  Tape<double> tape;
  Parameter<double> parameter("p", random_tensor({3}, {-1, 1}, 5));
  for (unsigned seed = 0; seed < 3000; ++seed) {
    BOOST_TEST_INFO("graph " << seed);
    tape.clear();
    RandomGraph graph(tape, parameter, seed);
    const V y = graph.result(), user_seed = random_tensor(y.shape(), {-1, 1}, seed);
    const std::vector<V> all = graph.all();
    std::vector<V> keep, leaves(all.begin(), all.begin() + 6);
    for (const V& x : all) {
      if (graph.below(4) == 0) keep.push_back(x);
    }
    std::vector<std::vector<double>> values;
    for (const V& x : all) values.push_back(elements(x));
    const auto seed_before = elements(user_seed);

    auto plain = tape.backward(y, {.seed = user_seed, .keep = keep});
    const auto recorded = tape.backward(y, {.seed = user_seed, .record = true, .keep = keep});
    std::vector<V> wanted = keep, held;
    wanted.insert(wanted.end(), leaves.begin(), leaves.end());
    double error = 0;
    for (const V& x : wanted) {
      held.push_back(plain[x]);
      error = std::max(error, distance(held.back().value(), recorded[x].value()));
    }
    plain.scale(-2);
    plain += tape.backward(y, {.seed = user_seed, .keep = keep});
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      error = std::max(error, distance(held[i].value(), recorded[wanted[i]].value()));
      error = std::max(error, distance((-plain[wanted[i]]).value(), recorded[wanted[i]].value()));
    }

    V slope = scalar(0.0);  // second gradients flow through far larger graphs
    for (const V& x : leaves) slope = slope + sum(sin(recorded[x]));
    if (tape.holds(slope)) {
      const auto second = tape.backward(slope), recorded_second = tape.backward(slope, {.record = true});
      for (const V& x : leaves) error = std::max(error, distance(second[x].value(), recorded_second[x].value()));
    }

    bool unchanged = elements(user_seed) == seed_before;
    for (std::size_t i = 0; i < all.size(); ++i) unchanged = unchanged && elements(all[i]) == values[i];
    BOOST_TEST((unchanged && error <= 1e-12), "unchanged " << unchanged << ", error " << error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
