#include "autograd/kernels/finite.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <tuple>
#include <vector>

BOOST_AUTO_TEST_SUITE(finiteness)

using namespace rw;
using Types = std::tuple<float, double>;

BOOST_AUTO_TEST_CASE_TEMPLATE(one_element_is_found_wherever_it_stands, T, Types) {
  using Limits = std::numeric_limits<T>;
  for (std::size_t n = 0; n < 150; ++n) {
    std::vector<T> x(n + 1, Limits::max());  // one more, which is not looked at
    for (std::size_t i = 0; i < n; i += 3) x[i] = i % 2 == 0 ? Limits::denorm_min() : Limits::lowest();
    x[n] = Limits::quiet_NaN();
    bool right = kernels::all_finite(x.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      const T own = x[i];
      for (const T wrong : {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        x[i] = wrong;
        right = right && !kernels::all_finite(x.data(), n);
      }
      x[i] = own;
    }
    BOOST_TEST(right, n << " elements");
  }
}

BOOST_AUTO_TEST_SUITE_END()
