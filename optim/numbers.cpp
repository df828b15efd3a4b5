#include "optim/numbers.hpp"

#include "autograd/check.hpp"

namespace rw::optim {

double number(const char* op, const Numbers& numbers, const std::string& name) {
  const auto it = numbers.find(name);
  if (it == numbers.end()) fail(op, "a number " + name, "none");
  return it->second;
}

}  // namespace rw::optim
