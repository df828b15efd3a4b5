#include "optim/numbers.hpp"

#include <cmath>

#include "autograd/check.hpp"

namespace rw::optim {

double number(const char* op, const Numbers& numbers, const std::string& name) {
  const auto it = numbers.find(name);
  if (it == numbers.end()) fail(op, "a number " + name, "none");
  return it->second;
}

std::uint64_t count(const char* op, const Numbers& numbers, const std::string& name) {
  const double value = number(op, numbers, name);
  if (!(value >= 0 && value <= 0x1p53 && value == std::floor(value))) fail(op, "a count " + name, value);
  return static_cast<std::uint64_t>(value);
}

}  // namespace rw::optim
