#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "autograd/autograd.hpp"
#include "autograd/gradcheck.hpp"
#include "op_table.hpp"
#include "tests/distance.hpp"

// Variables that lie in the memory of others, and gradients that are written into memory used before: none of it may
// ever be seen in a value.

BOOST_AUTO_TEST_SUITE(parts)

using namespace rw;
using test::distance;
using test::random_tensor;
using V = Variable<double>;

namespace {

bool lies_in(const V& part, const V& whole, std::size_t offset) {
  return part.value().data() == whole.value().data() + offset;
}

std::vector<double> elements(const V& x) { return {x.value().begin(), x.value().end()}; }

// Σ w ⊙ x with weights that differ.
V weighed(const V& x) { return sum(x * V(random_tensor(x.shape(), {-1, 1}, 77))); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_part_shows_the_elements_of_the_whole) {
  const V x = random_tensor({4, 3}), part = x.part(3, {2, 3}), inner = part.part(1, {2});
  BOOST_TEST(lies_in(part, x, 3));
  BOOST_TEST(lies_in(inner, x, 4));
  BOOST_TEST((part.shape() == Shape{2, 3}));
  BOOST_TEST(part.value()(1, 2) == x.value()(2, 2));
  BOOST_TEST(!part.same_value(x));
  const V single = V(random_tensor({1, 3})).part(0, {3});  // the whole lives on in its part
  BOOST_TEST(distance(single.value(), random_tensor({3})) == 0);
  const Tensor<double> sums = part.value() + part.value();  // with the strides that xtensor asks for
  BOOST_TEST(sums(1, 0) == 2 * x.value()(2, 0));
}

BOOST_AUTO_TEST_CASE(only_rooms_of_the_whole_may_be_written) {
  V x = random_tensor({2, 3});
  BOOST_TEST(x.sole_owner() == x.value().data());
  {
    V part = x.part(0, {3});
    BOOST_TEST(part.sole());
    BOOST_TEST(part.sole_owner() == nullptr);
    BOOST_TEST(x.sole_owner() == nullptr);  // the part would change with it
  }
  BOOST_TEST(x.sole_owner() == x.value().data());
  V room = x.room(3, {3});
  BOOST_TEST(room.sole_owner() == room.value().data());
  room.sole_owner()[0] = 7;
  BOOST_TEST(x.value()(1, 0) == 7);
  const V copy = room;
  BOOST_TEST(room.sole_owner() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_value_taken_out_of_a_part_is_a_copy) {
  const V x = random_tensor({2, 3});
  const double* inside = x.value().data();
  BOOST_TEST((x.part(0, {3}).value().data() != inside));
  BOOST_TEST((x.room(0, {3}).value().data() != inside));
  V y = x;
  BOOST_TEST((std::move(y).value().data() != inside));  // x shares it
  V z = random_tensor({2, 3});
  const double* own = z.value().data();
  BOOST_TEST((std::move(z).value().data() == own));
}

BOOST_AUTO_TEST_CASE(twins) {
  V x = random_tensor({2});
  {
    V twin = x.twin();
    BOOST_TEST(x.same_value(twin));
    BOOST_TEST(x.sole_owner() == nullptr);
    x.leave_twin();  // the twin alone keeps the value
    BOOST_TEST(!x.defined());
    BOOST_TEST(twin.sole_owner() == twin.value().data());
  }
  x = random_tensor({2});
  { const V gone = x.twin(); }
  x.leave_twin();
  BOOST_TEST(x.sole_owner() == x.value().data());
  const Parameter<double> p("p", random_tensor({2}));
  BOOST_TEST((p.twin().place() == p.place()));
}

BOOST_AUTO_TEST_CASE(parts_make_up_a_whole) {
  const V x = random_tensor({3, 2}), other = random_tensor({2});
  const auto whole = [](const std::vector<V>& parts) { return V::whole_of(parts); };
  const V a = x.part(0, {2}), b = x.part(2, {2}), c = x.part(4, {2});
  BOOST_TEST(whole({a, b, c}).same_value(x));
  BOOST_TEST(whole({x.part(0, {4}), c}).same_value(x));
  BOOST_TEST(!whole({a, b}).defined());
  BOOST_TEST(!whole({b, c}).defined());
  BOOST_TEST(!whole({a, c, b}).defined());
  BOOST_TEST(!whole({a, b, other}).defined());
  BOOST_TEST(!whole({other, other}).defined());
  BOOST_TEST(!whole({a, V(), c}).defined());
  BOOST_TEST(!whole({}).defined());
}

BOOST_AUTO_TEST_CASE(rows_are_not_copied) {
  const V x = random_tensor({4, 2, 3});
  const auto slices = unstack(x);
  const auto pieces = split(x, {1, 3}, 0);
  BOOST_TEST(lies_in(slices[3], x, 18));
  BOOST_TEST(lies_in(pieces[1], x, 6));
  BOOST_TEST((pieces[1].shape() == Shape{3, 2, 3}));
  BOOST_TEST(stack(slices).same_value(x));
  BOOST_TEST(concatenate(pieces, 0).same_value(x));
  BOOST_TEST(!stack(slices, 1).same_value(x));  // the same elements in another order
  BOOST_TEST(lies_in(reshape(x, {8, 3}), x, 0));
  const auto columns = split(x, 3, -1);
  BOOST_TEST(!lies_in(columns[0], x, 0));
  BOOST_TEST(distance(concatenate(columns, -1).value(), x.value()) == 0);
}

BOOST_AUTO_TEST_CASE(a_parameter_that_is_updated_leaves_its_parts_alone) {
  Parameter<double> w("w", tensor<double>({2, 2}, {1, 2, 3, 4}));
  const auto rows = unstack(w);
  w.update([](Tensor<double>& value) { value.fill(0); });
  BOOST_TEST(rows[1].value()(0) == 3);
  BOOST_TEST(w.value()(1, 0) == 0);
}

namespace {

// The gradients of f(parts of x), for parts from unstack() and for copies from slice(), both with differences.
template <class F>
void compare_with_slices(const std::string& name, const F& f, const Shape& shape) {
  const auto in_place = [&](const auto& x) { return f(unstack(x[0])); };
  const auto copied = [&](const auto& x) {
    List<V> slices;
    const Shape part(shape.begin() + 1, shape.end());
    for (std::size_t i = 0; i < shape[0]; ++i) {
      const auto begin = static_cast<std::ptrdiff_t>(i);
      slices.push_back(reshape(slice(x[0], 0, begin, begin + 1), part));
    }
    return f(slices);
  };
  const Tensor<double> at = random_tensor(shape, {-1, 1}, 3);
  const auto gradient = [&](const auto& g, bool record) {
    Tape<double> tape;
    const V x = tape.watch(at), y = weighed(g(std::vector<V>{x}));
    return Tensor<double>(tape.backward(y, {.record = record})[x].value());
  };
  const Tensor<double> want = gradient(copied, true);
  for (const bool record : {false, true}) {
    BOOST_TEST(distance(gradient(in_place, record), want) <= 1e-14, name);
    BOOST_TEST(distance(gradient(copied, record), want) <= 1e-14, name);
  }
  const auto report = check_gradients(name, in_place, {at});
  BOOST_TEST(report.ok, report.message);
}

using Parts = List<V>;
const V weight = random_tensor({2, 2}, {-1, 1}, 9);

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_of_parts) {
  const Shape steps{4, 3, 2};
  compare_with_slices(
      "each once", [](const Parts& x) { return tanh(x[0]) * x[1] + sigmoid(x[2]) - exp(x[3]); }, steps);
  compare_with_slices(
      "one alone", [](const Parts& x) { return sin(x[2]); }, steps);
  compare_with_slices(
      "one twice, one never", [](const Parts& x) { return x[0] * tanh(x[0]) + x[1] - x[3]; }, steps);
  compare_with_slices(
      "as it is", [](const Parts& x) { return x[1]; }, steps);
  compare_with_slices(
      "by an elementwise op and by a matmul",
      [](const Parts& x) { return matmul(x[0], weight) * tanh(x[0]) + matmul(x[1], weight) * x[2]; }, steps);
  compare_with_slices(
      "a recurrence and the sum of its inputs",
      [](const Parts& x) {
        V h = x[0], all = x[0];
        for (const V& input : x) {
          h = tanh(affine(h, weight, input));
          all = all + input;
        }
        return h * all;
      },
      steps);
  compare_with_slices(
      "parts of parts",
      [](const Parts& x) {
        const auto first = unstack(x[0]), second = split(x[1], {1, 2}, 0);
        return tanh(first[2]) * first[0] + sum(sin(second[1]), {.axes = {0}}) * exp(first[1]);
      },
      steps);
  compare_with_slices(
      "reshaped parts",
      [](const Parts& x) { return tanh(reshape(x[0], {6})) * reshape(x[1], {6}) + reshape(x[0], {6}); }, steps);
  compare_with_slices(
      "put together again", [](const Parts& x) { return tanh(stack(x)); }, steps);
  compare_with_slices("one part", [](const Parts& x) { return tanh(x[0]) * x[0]; }, {1, 3});
  compare_with_slices(
      "where and fuse",
      [](const Parts& x) {
        const auto f = [](auto a, auto b) { return std::tuple{a * tanh(b), a - b}; };
        const auto y = fuse(f, x[0], x[1]);
        return where(greater(x[2], 0), y[0], y[1]) + x[3];
      },
      steps);
}

BOOST_AUTO_TEST_CASE(gradients_of_one_section) {
  Tape<double> tape;
  const V x = tape.watch(random_tensor({3})), y = split(x, 1, 0)[0], z = sum(tanh(y + x));
  BOOST_TEST(distance(tape.backward(z)[x].value(), tape.backward(z, {.record = true})[x].value()) <= 1e-15);
}

BOOST_AUTO_TEST_CASE(kept_gradients_of_parts) {
  Tape<double> tape;
  const V x = tape.watch(random_tensor({3, 2}));
  const auto part = unstack(x);
  const V sums = part[0] + part[1], y = weighed(tanh(sums) * part[2]);
  const std::vector<V> keep{part[0], part[1], part[2], sums, x};
  const auto plain = tape.backward(y, {.keep = keep}), recorded = tape.backward(y, {.record = true, .keep = keep});
  for (const V& v : keep) BOOST_TEST(distance(plain[v].value(), recorded[v].value()) <= 1e-15);
}

BOOST_AUTO_TEST_CASE(scaling_gradients_leaves_alone_what_was_taken_out) {
  Tape<double> tape;
  const V x = tape.watch(random_tensor({2, 3}));
  const auto part = unstack(x);
  const V y = weighed(tanh(part[0]) * sin(part[1]));
  auto g = tape.backward(y, {.keep = {part[0], part[1]}});
  const V held = g[x];
  const auto before = elements(held);
  g.scale(2);
  BOOST_TEST(elements(held) == before);
  for (std::size_t i = 0; i < 6; ++i) {
    BOOST_TEST(g[x].value().data()[i] == 2 * before[i]);
    BOOST_TEST(g[part[i / 3]].value().data()[i % 3] == 2 * before[i]);
  }
  const auto again = tape.backward(y, {.keep = {part[0], part[1]}});
  g += again;
  BOOST_TEST(elements(held) == before);
  BOOST_TEST(elements(again[x]) == before);
  BOOST_TEST(g[part[0]].value()(0) == 3 * before[0]);
}

namespace {

// The gradients of f(leaves) in a plain pass and in a recorded one.
template <class F>
void compare_with_recorded(const F& f, const std::vector<Shape>& shapes) {
  Tape<double> tape;
  std::vector<V> x;
  for (const Shape& shape : shapes) x.push_back(tape.watch(random_tensor(shape, {-1, 1}, 1 + x.size())));
  const V y = weighed(f(x));
  const auto plain = tape.backward(y), recorded = tape.backward(y, {.record = true});
  for (const V& leaf : x) BOOST_TEST(distance(plain[leaf].value(), recorded[leaf].value()) <= 1e-15);
}

}  // namespace

// In the following dy lies where it belongs in the gradient of x[0], and goes on to others, who could write over it.

BOOST_AUTO_TEST_CASE(the_gradient_of_a_sum_goes_to_both_terms) {
  const auto sum_of_both = [](const std::vector<V>& x) {
    const V earlier = tanh(x[1]);
    return tanh(unstack(x[0])[0] + earlier);
  };
  compare_with_recorded(sum_of_both, {{1, 2}, {2}});
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_reshaped_while_another_term_is_added) {
  const auto sum_with_reshaped = [](const std::vector<V>& x) {
    const auto part = unstack(x[0]);
    const V other = tanh(x[1]), early = sin(part[0]), late = tanh(part[0] + reshape(other, {2}));
    return early * late;
  };
  compare_with_recorded(sum_with_reshaped, {{1, 2}, {1, 2}});
}

BOOST_AUTO_TEST_CASE(taken_apart_twice) {
  const auto twice = [](const std::vector<V>& x) {
    const auto first = unstack(x[0]), second = unstack(x[0]);
    const auto third = split(x[0], {1, 2}, 0);
    return tanh(first[0]) * sin(second[0]) + tanh(third[0]) * exp(first[1]) * sin(first[2]) * tanh(second[1]);
  };
  compare_with_recorded(twice, {{3, 2}});
}

BOOST_AUTO_TEST_CASE(seeds_stay_as_they_are) {
  Tape<double> tape;
  const V x = tape.watch(random_tensor({3})), seed = random_tensor({3}, {-1, 1}, 2);
  const auto before = elements(seed);
  const V y = tanh(sin(x)), sums = tanh(x) + sin(x);
  for (int i = 0; i < 2; ++i) {
    tape.backward(y, {.seed = seed, .keep = {y}});
    tape.backward(sums, {.seed = seed});
    BOOST_TEST(elements(seed) == before);
  }
  const V own = tape.watch(random_tensor({3}));  // a seed that stands on the tape
  const V expected = tape.backward(y, {.seed = own.detached()})[x];
  BOOST_TEST(elements(tape.backward(y, {.seed = own})[x]) == elements(expected));
}

BOOST_AUTO_TEST_CASE(factors_of_a_weight_lie_side_by_side) {
  const V w = random_tensor({3, 3}, {-1, 1}, 4);
  Tape<double> tape;
  const V weight = tape.watch(w);
  List<V> products;
  V h = tape.watch(random_tensor({2, 3}));
  for (int step = 0; step < 3; ++step) {
    products.push_back(matmul(h, weight));
    h = tanh(products.back());
  }
  const auto gradients = tape.backward(weighed(h), {.keep = {products.begin(), products.end()}});
  for (std::size_t i = 1; i < products.size(); ++i) {
    const V now = gradients[products[i]], before = gradients[products[i - 1]];
    BOOST_TEST(now.view().data() == before.view().data() + 6);
  }
}

BOOST_AUTO_TEST_CASE(factors_of_many_rows) {
  // More rows than are multiplied at once; the gradient is the same as that of one product.
  const auto compare = [](const std::vector<std::size_t>& extents, bool transposed) {
    const V w = random_tensor({3, 3}, {-1, 1}, 4);
    const std::size_t rows = std::accumulate(extents.begin(), extents.end(), std::size_t{0});
    const V x = random_tensor({rows, 3});
    const Transpose how = transposed ? Transpose::b : Transpose::none;
    Tape<double> tape;
    const V weight = tape.watch(w);
    const auto parts = split(x, extents, 0);
    std::vector<V> ys;
    for (const V& part : parts) ys.push_back(tanh(matmul(part, weight, how)));
    const V often = tape.backward(weighed(concatenate(ys, 0)))[weight];
    const V once = tape.backward(weighed(tanh(matmul(x, weight, how))))[weight];
    for (std::size_t i = 0; i < 9; ++i) {
      BOOST_TEST(often.value().data()[i] == once.value().data()[i], boost::test_tools::tolerance(1e-11));
    }
  };
  for (const bool transposed : {false, true}) {
    compare(std::vector<std::size_t>(50, 100), transposed);
    compare({1000, 1000, 1000, 1000, 1000}, transposed);
    compare({5000, 10, 3000, 1, 0, 2000}, transposed);
    compare({2048, 2048}, transposed);
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_a_weight_used_often) {
  const auto compare = [](const std::string& name, const auto& f) {
    const auto report = check_gradients(name, f, {random_tensor({2, 3}), random_tensor({3, 3}, {-1, 1}, 8)});
    BOOST_TEST(report.ok, report.message);
  };
  compare("read both ways, in products of different widths", [](const auto& x) {
    const V a = tanh(matmul(x[0], x[1])), b = tanh(matmul(a, x[1], Transpose::b));
    const V narrow = sum(x[1], {.axes = {1}, .keep = true});
    return weighed(tanh(matmul(b, x[1]) + tanh(matmul(tanh(matmul(a, narrow)), narrow, Transpose::b))));
  });
  compare("its products used twice", [](const auto& x) {
    const V a = matmul(x[0], x[1]), b = matmul(tanh(a) * a, x[1]);
    return weighed(tanh(b) * sigmoid(b) + a);
  });
  compare("by an op of the user", [](const auto& x) {
    const auto times = [](const V& a, const V& b) {
      return record("times", matmul(a.detached(), b.detached()),
                    wrt(a, [b = b](const V& dc) { return matmul(dc, b, Transpose::b); }), wrt(b, [a = a](const V& dc) {
                      return Product<double>{a, dc};
                    }));
    };
    return weighed(times(tanh(times(x[0], x[1])), x[1]));
  });
  compare("itself computed", [](const auto& x) {
    const V w = matmul(x[1], x[1]), a = tanh(matmul(x[0], w));
    return weighed(affine(a, w, sum(w, {.axes = {0}})) * matmul(a, w));
  });
}

BOOST_AUTO_TEST_SUITE_END()
