#include "autograd/anomaly.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace rw {
namespace {

// What is wrong with an x that is not finite, empty where it is not wrong after all.
template <class T>
std::string fault(const Variable<T>& x, bool infinities) {
  std::string found;
  for (const T* element = x.view().data(); element < x.view().data() + x.size(); ++element) {
    if (std::isnan(*element)) return "nan";  // tells more than an infinity before it
    if (infinities && found.empty() && std::isinf(*element)) found = *element < 0 ? "-inf" : "inf";
  }
  return found;
}

std::string place_of(const Operation& op) { return op.calls != nullptr ? op.calls->place() : "where nobody looked on"; }

}  // namespace

void DetectAnomalies::not_finite(const Operation& op, const Values& values, const char* pass) {
  const auto blame = [&](const auto& x) {
    const std::string found = fault(x, options_.infinities);
    if (found.empty()) return;
    throw std::runtime_error(std::string(op.name) + ": made " + found + " (" + pass + ", " + to_string(x.shape()) +
                             "), recorded " + place_of(op));
  };
  const auto blame_first = [&](const auto& xs) {
    for (const auto& x : xs) blame(x);
  };
  std::visit(blame_first, values);
}

}  // namespace rw
