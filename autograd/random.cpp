#include "autograd/random.hpp"

#include <cmath>
#include <locale>
#include <numbers>
#include <sstream>

#include "autograd/check.hpp"

namespace rw {

double Random::normal() {
  const double u = 1 - uniform();  // (0, 1]: its logarithm is finite
  const double v = uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

std::size_t Random::below(std::size_t n) {
  if (n == 0) fail("below", "n of at least 1", n);
  const std::uint64_t range = n;
  const std::uint64_t surplus = (0 - range) % range;  // 2⁶⁴ mod n: so many draws would favour the small numbers
  std::uint64_t x = bits();
  while (x < surplus) x = bits();
  return static_cast<std::size_t>(x % range);
}

std::string Random::state() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << engine_;
  return out.str();
}

Random Random::restored(const std::string& state) {
  std::istringstream in(state);
  in.imbue(std::locale::classic());
  Random random;
  in >> random.engine_;
  if (!in || !(in >> std::ws).eof()) fail("restored", "a state of Random", state.size(), " bytes of other text");
  return random;
}

}  // namespace rw
