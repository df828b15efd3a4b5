// The code of docs/engine.md about memory.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "autograd/autograd.hpp"

using namespace rw;

namespace {

std::vector<const double*> written;  // where each derivative of halved() wrote

Variable<double> seen(const Variable<double>& dx) {
  written.push_back(dx.value().data());
  return dx;
}

// [into]
/// x/2.
Variable<double> halved(const Variable<double>& x) {
  return record("halved", Tensor<double>(0.5 * x.value()),
                wrt(x, [](const Variable<double>& dy, const Into<double>& into) {
                  const auto half = [](const auto& d) { return 0.5 * d; };
                  return seen(pointwise(into, "halved", half, dy));  // `seen` is for the test
                }));
}
// [end]

}  // namespace

BOOST_AUTO_TEST_SUITE(engine_memory)

BOOST_AUTO_TEST_CASE(a_gradient_nobody_reads_again_is_overwritten) {
  written.clear();
  Tape<double> tape;
  const auto x = tape.watch(full<double>({1000}, 1));
  const auto y = sum(halved(halved(halved(x))));
  const auto g = tape.backward(y);
  BOOST_TEST_REQUIRE(written.size() == 3u);
  BOOST_TEST((written[0] == written[1] && written[1] == written[2]));
  BOOST_TEST(g[x].value()(7) == 0.125);
}

BOOST_AUTO_TEST_CASE(gradients_of_parts_are_written_side_by_side) {
  written.clear();
  // [parts]
  Tape<double> tape;
  const auto xs = tape.watch(full<double>({3, 4}, 1));  // three steps of four numbers
  const Slices<double> x(xs);
  const auto y = sum(halved(x[0]) + halved(x[1]) * halved(x[2]));
  const auto g = tape.backward(y);
  // [end]
  BOOST_TEST_REQUIRE(written.size() == 3u);
  std::sort(written.begin(), written.end());
  BOOST_TEST(written[1] - written[0] == 4);
  BOOST_TEST(written[2] - written[0] == 8);
  const auto dxs = g[xs];
  BOOST_TEST(dxs.value().data() == written[0]);  // nothing was copied
  BOOST_TEST(dxs.value()(0, 0) == 0.5);
  BOOST_TEST(dxs.value()(1, 0) == 0.25);
}

BOOST_AUTO_TEST_SUITE_END()
