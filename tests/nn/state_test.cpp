#include "nn/state.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/tape.hpp"
#include "tests/nn/common.hpp"

namespace {

using common::says;
using rw::nn::map_state;
using V = rw::Variable<double>;

struct Nothing {};
struct Pair {
  V h, c;
};
struct Eight {
  V a, b, c, d, e, f, g, h;
};
struct Nested {
  V first;
  Pair pair;
  std::vector<Pair> layers;
  std::array<V, 3> past;
  std::vector<std::array<std::vector<V>, 2>> deep;
  Nothing nothing;
  V last;
};

V number(double x) { return rw::scalar(x); }

Nested nested(double from) {
  const auto next = [&] { return number(from++); };
  Nested s;
  s.first = next();
  s.pair = {next(), next()};
  s.layers = {{next(), next()}, {next(), next()}};
  s.past = {next(), next(), next()};
  s.deep = {{std::vector<V>{next()}, std::vector<V>{}}};
  s.last = next();
  return s;
}

template <class State>
std::vector<double> list(const State& state) {
  std::vector<double> all;
  map_state([&](const V& v) { return all.push_back(v.item()), v; }, state);
  return all;
}

const std::vector<double> counted = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

}  // namespace

BOOST_AUTO_TEST_SUITE(state)

BOOST_AUTO_TEST_CASE(map_visits_every_variable_in_its_order) {
  BOOST_TEST(list(nested(1)) == counted, boost::test_tools::per_element());
  BOOST_TEST(list(Eight{number(1), number(2), number(3), number(4), number(5), number(6), number(7), number(8)}) ==
                 std::vector<double>(counted.begin(), counted.begin() + 8),
             boost::test_tools::per_element());
  BOOST_TEST(list(number(7)) == std::vector<double>{7}, boost::test_tools::per_element());
  BOOST_TEST(list(Nothing()).empty());
  BOOST_TEST(list(std::vector<Pair>()).empty());
}

BOOST_AUTO_TEST_CASE(map_takes_the_same_variable_of_several_states) {
  const auto f = [](const V& a, const V& b, const V& c) { return number(a.item() + 10 * b.item() - c.item()); };
  const Nested result = map_state(f, nested(1), nested(2), nested(3));
  std::vector<double> expected;
  for (const double x : counted) expected.push_back(x + 10 * (x + 1) - (x + 2));
  BOOST_TEST(list(result) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(map_refuses_lists_of_different_lengths) {
  const auto first = [](const V& a, const V&) { return a; };
  Nested shorter = nested(1), longer = nested(1);
  shorter.layers.pop_back();
  longer.deep[0][1].push_back(number(0));
  const auto layers = says("map_state: expected lists of 2 states; got 1 states");
  BOOST_CHECK_EXCEPTION(map_state(first, nested(1), shorter), std::invalid_argument, layers);
  BOOST_CHECK_EXCEPTION(map_state(first, nested(1), longer), std::invalid_argument,
                        says("map_state: expected lists of 0 states; got 1 states"));
}

BOOST_AUTO_TEST_CASE(detached_keeps_values_and_leaves_the_tape) {
  rw::Tape<double> tape;
  const Nested recorded = map_state([&](const V& v) { return tape.watch(v); }, nested(1));
  const Nested constant = rw::nn::detached(recorded);
  BOOST_TEST(list(constant) == counted, boost::test_tools::per_element());
  std::size_t held = 0, left = 0;
  map_state([&](const V& v) { return held += tape.holds(v), v; }, recorded);
  map_state([&](const V& v) { return left += tape.holds(v), v; }, constant);
  BOOST_TEST(held == counted.size());
  BOOST_TEST(left == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
