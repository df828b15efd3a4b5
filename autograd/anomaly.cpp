#include "autograd/anomaly.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>

#include "autograd/kernels/finite.hpp"

namespace rw {
namespace {

// Ops whose results are elements of what they are given, and whose gradients are those or sums of them.
bool moves(std::string_view op) {
  constexpr std::array<std::string_view, 15> movers = {"broadcast_to", "checkpoint", "concatenate", "flip",    "gather",
                                                       "gather_rows",  "pad",        "reshape",     "slice",   "slices",
                                                       "split",        "stack",      "transpose",   "unstack", "where"};
  return std::find(movers.begin(), movers.end(), op) != movers.end();
}

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

std::string place_of(const Operation& op) {
  const bool known = op.calls != nullptr && *op.calls != nullptr;
  return known ? (*op.calls)->place() : "where nobody looked on";
}

}  // namespace

void DetectAnomalies::check(const Operation& op, const Values& values, const char* pass) {
  const auto blame = [&](const auto& x) {
    const std::string found = fault(x, options_.infinities);
    if (found.empty() || moves(op.name)) return;
    throw std::runtime_error(std::string(op.name) + ": made " + found + " (" + pass + ", " + to_string(x.shape()) +
                             "), recorded " + place_of(op));
  };
  const auto check_all = [&](const auto& xs) {
    for (const auto& x : xs) {
      if (!kernels::all_finite(x.view().data(), x.size())) blame(x);
    }
  };
  std::visit(check_all, values);
}

void DetectAnomalies::recorded(const Operation& op, const Values& results) {
  *op.calls = CallStack::here();
  check(op, results, "forward");
}

void DetectAnomalies::derived(const Operation& op, const Values& gradient) { check(op, gradient, "backward"); }

}  // namespace rw
