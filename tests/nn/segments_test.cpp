#include "nn/segments.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/gradcheck.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "tests/nn/users_cell.hpp"

namespace {

using common::difference;
using common::distance;
using common::made;
using common::numbers;
using common::says;
using common::UsersCell;
using rw::slice;
using rw::Tensor;
using rw::nn::Segments;
using rw::nn::unroll;
using V = rw::Variable<double>;
using Gru = rw::nn::Gru<double>;
using Layer = Segments<UsersCell, Gru>;

constexpr std::size_t S = 3, T = 4, B = 2, I = 2, H = 3, O = 4;
const rw::nn::SegmentLengths lengths{.segments = {2, 3}, .steps = {{4, 1}, {2, 0}, {4, 3}}};

Layer layer() { return {made<UsersCell>(I, H), made<Gru>(H, O, 2)}; }

/// xs[s, :, b, :] up to `steps`, [steps, 1, I].
V segment(const V& xs, std::size_t s, std::size_t b, std::size_t steps) {
  const auto at = [](const V& x, std::ptrdiff_t axis, std::size_t i) { return slice(x, axis, i, i + 1); };
  return slice(reshape(at(at(xs, 0, s), 2, b), {T, 1, I}), 0, 0, steps);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(segments)

BOOST_AUTO_TEST_CASE(equal_plain_loops) {
  const Layer both = layer();
  const V xs = numbers({S, T, B, I});
  for (const rw::nn::SegmentLengths& given : {rw::nn::SegmentLengths{}, lengths}) {
    const auto run = unroll(both, xs, given);
    BOOST_TEST((run.outputs.shape() == rw::Shape{S, B, O}));
    for (std::size_t b = 0; b < B; ++b) {
      auto state = both.outer.initial_state(1);
      for (std::size_t s = 0; s < S; ++s) {
        const V output = slice(slice(run.outputs, 0, s, s + 1), 1, b, b + 1);
        if (!given.segments.empty() && s >= given.segments[b]) {
          BOOST_TEST(distance(output, V(rw::zeros<double>({1, 1, O}))) == 0);
          continue;
        }
        const std::size_t steps = given.steps.empty() ? T : given.steps[s][b];
        V code = rw::zeros<double>({1, H});
        if (steps > 0) code = unroll(both.inner, segment(xs, s, b, steps)).state.y;
        const auto next = rw::nn::step(both.outer, code, state);
        BOOST_TEST(distance(reshape(output, {1, O}), next.output) < 1e-14);
        state = next.state;
      }
      BOOST_TEST(distance(slice(run.state.h, 0, b, b + 1), state.h) < 1e-14);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_behind_an_end_does_not_matter) {
  const Layer both = layer();
  Tensor<double> xs = numbers({S, T, B, I});
  const auto clean = unroll(both, V(xs), lengths);
  for (std::size_t n = 0; n < xs.size(); ++n) {
    const std::size_t s = n / (T * B * I), t = n / (B * I) % T, b = n / I % B;
    if (t >= lengths.steps[s][b] || s >= lengths.segments[b]) xs.data()[n] = NAN;
  }
  const auto run = unroll(both, V(xs), lengths);
  BOOST_TEST(distance(run.outputs, clean.outputs) < 1e-15);
  BOOST_TEST(difference(run.state, clean.state) < 1e-15);

  // A segment that a row does not have needs no steps either.
  for (std::size_t n = 0; n < xs.size(); ++n) {
    xs.data()[n] = n / (T * B * I) == 2 && n / I % B == 0 ? NAN : 1;
  }
  BOOST_CHECK_NO_THROW(unroll(both, V(xs), {.segments = {2, 3}}));
  BOOST_CHECK_EXCEPTION(unroll(both, V(xs)), std::invalid_argument,
                        says("unroll: expected finite inputs; got nan at step 0, row 4, feature 0"));
}

BOOST_AUTO_TEST_CASE(gradients_are_right) {
  Layer both = layer();
  const auto f = [&](const std::vector<V>& x) {
    const auto run = unroll(both, x[0], lengths);
    return std::vector<V>{run.outputs, run.state.h};
  };
  const auto report = rw::check_gradients("segments", f, {numbers({S, T, B, I})}, {.parameters = both.parameters()});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(take_any_layers) {
  Segments<rw::nn::Bidirectional<Gru>, UsersCell> both{{made<Gru>(I, H), made<Gru>(I, H, 2)},
                                                       made<UsersCell>(2 * H, O)};
  const V xs = numbers({S, T, B, I});
  const auto run = unroll(both, xs, lengths);
  BOOST_TEST((run.outputs.shape() == rw::Shape{S, B, O}));
  const V inner = unroll(both.inner, segment(xs, 0, 0, 4)).outputs;
  const auto first = rw::nn::step(both.outer, reshape(slice(inner, 0, 3, 4), {1, 2 * H}), both.outer.initial_state(1));
  BOOST_TEST(distance(reshape(slice(slice(run.outputs, 0, 0, 1), 1, 0, 1), {1, O}), first.output) < 1e-14);
  BOOST_TEST(both.parameters().find("inner.backward.bias") == &*both.inner.backward.bias);
  BOOST_TEST(both.parameters().find("outer.u") == &both.outer.u);
}

BOOST_AUTO_TEST_CASE(refuse_lengths_that_do_not_fit) {
  const Layer both = layer();
  const auto refused = [&](const rw::nn::SegmentLengths& given, const std::string& text) {
    BOOST_CHECK_EXCEPTION(unroll(both, V(numbers({S, T, B, I})), given), std::invalid_argument, says(text));
  };
  refused({.segments = {1}}, "segments: expected a length for each of the 2 rows; got 1 lengths");
  refused({.segments = {1, 4}}, "segments: expected lengths of 0 to 3 steps; got 4");
  refused({.steps = {{1, 1}}}, "segments: expected steps of each of the 3 segments; got 1");
  refused({.steps = {{1, 1}, {1}, {1, 1}}}, "segments: expected steps of each of the 2 rows; got 1 in segment 1");
  refused({.steps = {{1, 1}, {1, 5}, {1, 1}}}, "unroll: expected lengths of 0 to 4 steps; got 5");
  BOOST_CHECK_EXCEPTION(unroll(both, V(numbers({T, B, I}))), std::invalid_argument,
                        says("segments: expected 4 axes; got x [4, 2, 2]"));
}

BOOST_AUTO_TEST_SUITE_END()
