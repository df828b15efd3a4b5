#include "autograd/gradients.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/matmul.hpp"
#include "op_table.hpp"

BOOST_AUTO_TEST_SUITE(gradients)

using namespace rw;
using test::random_tensor;
using V = Variable<double>;

namespace {

void check_close(const Tensor<double>& got, const Tensor<double>& want, double tolerance = 1e-12) {
  BOOST_REQUIRE(got.shape() == want.shape());
  for (std::size_t i = 0; i < want.size(); ++i) {
    BOOST_TEST(std::abs(got.data()[i] - want.data()[i]) <= tolerance * std::max(1.0, std::abs(want.data()[i])));
  }
}

// The op of a table whose gradient is dense: each row read by a product with a row of a one-hot matrix.
V dense_gather(const V& table, const Indices& ids) {
  Tensor<double> one_hot = zeros<double>({ids.size(), table.shape()[0]});
  for (std::size_t i = 0; i < ids.size(); ++i) one_hot(i, static_cast<std::size_t>(ids.data()[i])) = 1;
  return matmul(V(one_hot), table);
}

const Indices ids = tensor<std::int64_t>({5}, {3, 1, 3, 0, 3});

}  // namespace

BOOST_AUTO_TEST_CASE(zeros_where_nothing_flows) {
  Parameter<double> used("used", scalar(2.0)), unused("unused", full<double>({2, 3}, 1));
  Tape<double> tape;
  const V x = tape.watch(full<double>({4}, 1)), side = x * x, y = used * used;
  const auto g = tape.backward(y);
  BOOST_TEST(g.has(used));
  BOOST_TEST(!g.has(unused));
  BOOST_TEST(!g.has(x));
  check_close(g[x].value(), zeros<double>({4}));
  check_close(g[unused].value(), zeros<double>({2, 3}));
  BOOST_TEST(g.rows(used) == nullptr);
}

BOOST_AUTO_TEST_CASE(sums_of_shards) {
  Parameter<double> w("w", random_tensor({3, 4})), b("b", random_tensor({4})), table("table", random_tensor({6, 3}));
  Parameter<double> first_only("first_only", scalar(0.5));
  const auto loss = [&](const Indices& rows, bool first) {
    const V h = tanh(matmul(gather_rows(table, rows), w) + b);
    return sum_to(first ? h * first_only : h, {});
  };
  const auto shard = [&](const Indices& rows, bool first) {
    Tape<double> tape;
    return tape.backward(loss(rows, first));
  };
  const Indices left = tensor<std::int64_t>({3}, {0, 5, 0}), right = tensor<std::int64_t>({2}, {5, 2});
  auto g = shard(left, true);
  const double norm_left = g.norm();
  g += shard(right, false);
  Tape<double> tape;
  auto whole = tape.backward(loss(left, true) + loss(right, false));
  for (const V* p : {static_cast<const V*>(&w), static_cast<const V*>(&b), static_cast<const V*>(&table),
                     static_cast<const V*>(&first_only)}) {
    check_close(g[*p].value(), whole[*p].value());
  }
  BOOST_REQUIRE(g.rows(table) != nullptr);
  BOOST_TEST((g.rows(table)->ids == tensor<std::int64_t>({3}, {0, 2, 5})));
  BOOST_TEST(norm_left > 0);

  Gradients<double> from_nothing;
  from_nothing += std::move(whole);
  check_close(from_nothing[table].value(), g[table].value());
}

BOOST_AUTO_TEST_CASE(scale_and_norm) {
  Parameter<double> w("w", random_tensor({2, 3})), table("table", random_tensor({4, 3})), unused("unused", scalar(1.0));
  Tape<double> tape;
  auto g = tape.backward(sum_to(w * w, {}) + sum_to(square(gather_rows(table, ids)), {}));
  const Tensor<double> dw = g[w].value(), dt = g[table].value();
  double squares = 0;
  for (const double x : dw) squares += x * x;
  for (const double x : dt) squares += x * x;
  BOOST_TEST(std::abs(g.norm() - std::sqrt(squares)) < 1e-12);
  const V before = g[w];
  g.scale(-0.5);
  check_close(before.value(), dw);  // what was read before stays
  BOOST_TEST(std::abs(g.norm() - 0.5 * std::sqrt(squares)) < 1e-12);
  for (std::size_t i = 0; i < dw.size(); ++i) BOOST_TEST(g[w].value().data()[i] == -0.5 * dw.data()[i]);
  for (std::size_t i = 0; i < dt.size(); ++i) BOOST_TEST(g[table].value().data()[i] == -0.5 * dt.data()[i]);
  BOOST_TEST(Gradients<double>().norm() == 0);
}

BOOST_AUTO_TEST_CASE(repeated_rows_add_up_as_dense_ones_do) {
  Parameter<double> table("table", random_tensor({4, 3}));
  const Tensor<double> weight = random_tensor({5, 3}, {-1, 1}, 7);
  const auto loss = [&](const auto& gather) { return sum_to(V(weight) * square(gather(table, ids)), {}); };
  Tape<double> tape;
  const auto g = tape.backward(loss([](const V& t, const Indices& i) { return gather_rows(t, i); }));
  const auto dense = tape.backward(loss(dense_gather));
  check_close(g[table].value(), dense[table].value());
  const RowSparse<double>* rows = g.rows(table);
  BOOST_REQUIRE(rows != nullptr);
  BOOST_TEST(dense.rows(table) == nullptr);
  BOOST_TEST(rows->rows == 4u);
  BOOST_TEST((rows->ids == tensor<std::int64_t>({3}, {0, 1, 3})));  // sorted, distinct, row 2 left out
  BOOST_TEST((rows->values.shape() == Shape{3, 3}));
}

BOOST_AUTO_TEST_CASE(a_table_read_by_rows_and_as_a_whole) {
  Parameter<double> table("table", random_tensor({4, 3}));
  const V x = random_tensor({2, 4}, {-1, 1}, 5);
  const auto loss = [&](const auto& gather) {
    return sum_to(square(gather(table, ids)), {}) + sum_to(tanh(matmul(x, table)), {}) + sum_to(gather(table, ids), {});
  };
  Tape<double> tape;
  const auto g = tape.backward(loss([](const V& t, const Indices& i) { return gather_rows(t, i); }));
  check_close(g[table].value(), tape.backward(loss(dense_gather))[table].value());
  BOOST_TEST(g.rows(table) == nullptr);
}

BOOST_AUTO_TEST_CASE(products_over_time_equal_the_sum_step_by_step) {
  const std::size_t steps = 50, batch = 3, hidden = 4;
  Parameter<double> w("w", random_tensor({hidden, hidden}, {-0.5, 0.5}));
  Tape<double> tape;
  std::vector<V> h = {V(random_tensor({batch, hidden}, {-1, 1}, 3))};
  for (std::size_t t = 0; t < steps; ++t) h.push_back(tanh(matmul(h.back(), w)));
  const V loss = sum_to(square(h.back()) + h[20] * h[31], {});
  const Tensor<double> lazy = tape.backward(loss)[w].value();

  // Σₜ hₜᵀ·daₜ with plain loops, where daₜ = dhₜ₊₁ ⊙ (1 − hₜ₊₁²).
  const auto g = tape.backward(loss, {.keep = {h.begin() + 1, h.end()}});
  Tensor<double> sum = zeros<double>({hidden, hidden});
  for (std::size_t t = 0; t < steps; ++t) {
    const V dh = g[h[t + 1]];
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t i = 0; i < hidden; ++i) {
        for (std::size_t j = 0; j < hidden; ++j) {
          const double y = h[t + 1].value()(b, j);
          sum(i, j) += h[t].value()(b, i) * dh.value()(b, j) * (1 - y * y);
        }
      }
    }
  }
  check_close(lazy, sum);
  const V recorded = tape.backward(loss, {.record = true})[w];  // op by op
  check_close(lazy, recorded.value());
}

BOOST_AUTO_TEST_CASE(products_beyond_the_limit_of_stacked_rows) {
  Parameter<double> w("w", random_tensor({2, 2}));
  const V x = random_tensor({1500, 2}, {-1, 1}, 3);
  Tape<double> tape;
  V loss = scalar(0.0);
  for (int t = 0; t < 7; ++t) loss = loss + sum_to(square(matmul(x * (0.1 * t), w)), {});
  const Tensor<double> lazy = tape.backward(loss)[w].value();
  check_close(lazy, tape.backward(loss, {.record = true})[w].value());
}

BOOST_AUTO_TEST_CASE(a_gradient_that_was_read_is_not_changed) {
  Parameter<double> w("w", tensor<double>({2}, {1, 2}));
  Tape<double> tape;
  const V y = sum_to(w * w, {});
  auto g = tape.backward(y);
  const V read = g[w];
  g += tape.backward(y);
  BOOST_TEST(read.value()(1) == 4);
  BOOST_TEST(g[w].value()(1) == 8);
}

BOOST_AUTO_TEST_CASE(copies_are_values_of_their_own) {
  Parameter<double> w("w", tensor<double>({2}, {1, 2})), table("table", tensor<double>({2, 1}, {3, 4}));
  Indices ids = full<std::int64_t>({1}, 1);
  Tape<double> tape;
  const auto g = tape.backward(sum_to(w * w, {}) + sum_to(gather_rows(table, ids), {}));
  auto copy = g;
  copy.scale(10);
  BOOST_TEST(g[w].value()(1) == 4);
  BOOST_TEST(copy[w].value()(1) == 40);
  BOOST_TEST(g[table].value()(1, 0) == 1);
  BOOST_TEST(copy[table].value()(1, 0) == 10);
}

BOOST_AUTO_TEST_CASE(seeds_and_values_are_not_changed) {
  // y = x + x hands its gradient on unchanged: the sum must not be formed in the seed's memory.
  Tape<double> tape;
  const V x = tape.watch(full<double>({3}, 1)), seed = full<double>({3}, 1), y = x + x + x;
  BOOST_TEST(tape.backward(y, {.seed = seed})[x].value()(0) == 3);
  BOOST_TEST(seed.value()(0) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
