#include "nn/cells/gru.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using rw::Random;
using rw::nn::Keep;
using rw::nn::Reset;
using Gru = rw::nn::Gru<double>;
using V = rw::Variable<double>;

template <Reset reset, Keep keep, bool bias = true>
struct GruRow {
  using Cell = Gru;
  static Cell make(std::size_t input, std::size_t hidden, Random& random) {
    return Cell({.input = input, .hidden = hidden, .bias = bias, .reset = reset, .keep = keep}, random);
  }

  static std::vector<std::string> names() {
    std::vector<std::string> all{"weight_ih", "weight_hh"};
    if (reset == Reset::before) all.push_back("weight_hn");
    if (bias) all.push_back("bias");
    if (bias && reset == Reset::after) all.push_back("bias_hn");
    return all;
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    using cell_rows::sigmoid;
    const std::size_t n = cell.hidden();
    const auto from_x = [&](std::size_t k) { return column(x, 0, cell.weight_ih, k) + at(cell.bias, k); };
    Numbers r(n), z(n), kept(n), next(n);
    for (std::size_t j = 0; j < n; ++j) {
      r[j] = sigmoid(from_x(j) + column(h, 0, cell.weight_hh, j));
      z[j] = sigmoid(from_x(n + j) + column(h, 0, cell.weight_hh, n + j));
      kept[j] = r[j] * h[j];
    }
    for (std::size_t j = 0; j < n; ++j) {
      const double from_h = reset == Reset::before
                                ? column(kept, 0, *cell.weight_hn, j)
                                : r[j] * (column(h, 0, cell.weight_hh, 2 * n + j) + at(cell.bias_hn, j));
      const double fresh = std::tanh(from_x(2 * n + j) + from_h);
      next[j] = keep == Keep::old ? (1 - z[j]) * fresh + z[j] * h[j] : (1 - z[j]) * h[j] + z[j] * fresh;
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const V& x, const Cell::State& s) {
    V from_x = matmul(x, cell.weight_ih);
    if (bias) from_x = from_x + *cell.bias;
    const auto xs = rw::split(from_x, 3, -1);
    const auto hs = rw::split(matmul(s.h, cell.weight_hh), reset == Reset::before ? 2 : 3, -1);
    const V r = sigmoid(xs[0] + hs[0]), z = sigmoid(xs[1] + hs[1]);
    V from_h;
    if (reset == Reset::before) {
      from_h = matmul(r * s.h, *cell.weight_hn);
    } else {
      from_h = r * (cell.bias_hn ? hs[2] + *cell.bias_hn : hs[2]);
    }
    const V n = tanh(xs[2] + from_h);
    const V h = keep == Keep::old ? (1 - z) * n + z * s.h : (1 - z) * s.h + z * n;
    return rw::nn::Step<double, Cell::State>{h, {h}};
  }
};

using Rows = std::tuple<GruRow<Reset::after, Keep::old>, GruRow<Reset::after, Keep::old, false>,
                        GruRow<Reset::after, Keep::fresh>, GruRow<Reset::before, Keep::old>,
                        GruRow<Reset::before, Keep::fresh>, GruRow<Reset::before, Keep::fresh, false>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"

BOOST_AUTO_TEST_SUITE(gru)

using common::distance;
using common::numbers;
using rw::concatenate;

namespace {

Gru gru(Reset reset, Keep keep) {
  Random random(1);
  Gru cell({.input = 3, .hidden = 4, .reset = reset, .keep = keep}, random);
  common::scatter(cell.parameters(), 7);
  return cell;
}

double difference(const Gru& a, const Gru& b) {
  const V xs = numbers({6, 2, 3});
  return distance(unroll(a, xs).outputs, unroll(b, xs).outputs);
}

/// The two ways to reset, with the same weights and no b_hn. U_n is diagonal or full.
std::pair<Gru, Gru> after_and_before(Keep keep, bool diagonal) {
  std::pair<Gru, Gru> cells{gru(Reset::after, keep), gru(Reset::before, keep)};
  auto& [after, before] = cells;
  V u_n = before.weight_hn->detached();
  if (diagonal) {
    rw::Tensor<double> identity = rw::zeros<double>({4, 4});
    for (std::size_t j = 0; j < 4; ++j) identity(j, j) = 1;
    u_n = u_n * V(identity);
  }
  before.weight_hn->assign(u_n.value());
  after.weight_hh.assign(concatenate({before.weight_hh.detached(), u_n}, 1).value());
  after.weight_ih.assign(before.weight_ih.value());
  after.bias->assign(before.bias->value());
  after.bias_hn->assign(rw::zeros<double>({4}));
  return cells;
}

}  // namespace

// To keep what is fresh is to keep the old by the opposite gate.
BOOST_AUTO_TEST_CASE(the_two_ways_to_keep_differ_by_the_sign_of_a_gate) {
  for (const Reset reset : {Reset::after, Reset::before}) {
    Gru old = gru(reset, Keep::old);
    const Gru fresh = gru(reset, Keep::fresh);
    BOOST_TEST(difference(old, fresh) > 1e-3);
    for (rw::Parameter<double>* p : {&old.weight_ih, &old.weight_hh, &*old.bias}) {
      auto blocks = split(p->detached(), p->shape().back() / 4, -1);
      blocks[1] = -blocks[1];
      p->assign(concatenate(blocks, -1).value());
    }
    BOOST_TEST(difference(old, fresh) < 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(the_two_ways_to_reset_agree_where_the_recurrent_weight_is_diagonal) {
  for (const Keep keep : {Keep::old, Keep::fresh}) {
    const auto diagonal = after_and_before(keep, true), full = after_and_before(keep, false);
    BOOST_TEST(difference(diagonal.first, diagonal.second) < 1e-14);
    BOOST_TEST(difference(full.first, full.second) > 1e-3);
    auto shifted = after_and_before(keep, true);
    shifted.first.bias_hn->assign(rw::full<double>({4}, 0.5));
    BOOST_TEST(difference(shifted.first, shifted.second) > 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(float_follows_double) {
  const auto outputs = []<class T>(T, Reset reset, Keep keep) {
    Random random(1);
    const rw::nn::Gru<T> cell({.input = 3, .hidden = 4, .reset = reset, .keep = keep}, random);
    const auto y = rw::nn::unroll(cell, rw::Variable<T>(rw::nn::uniform<T>({6, 2, 3}, 1, random))).outputs;
    return Numbers(y.value().begin(), y.value().end());
  };
  for (const Reset reset : {Reset::after, Reset::before}) {
    for (const Keep keep : {Keep::old, Keep::fresh}) {
      const Numbers exact = outputs(0.0, reset, keep), rounded = outputs(0.0f, reset, keep);
      for (std::size_t i = 0; i < exact.size(); ++i) BOOST_TEST(std::abs(exact[i] - rounded[i]) < 1e-6);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
