#include "autograd/anomaly.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
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
  const CallStack* stack = CallStack::here();
  {
    const std::lock_guard lock(mutex_);
    auto& stacks = stacks_[op.tape];
    stacks.resize(op.node + 1);
    stacks[op.node] = stack;
  }
  check(op, results, "forward");
}

void DetectAnomalies::derived(const Operation& op, const Values& gradient) { check(op, gradient, "backward"); }

void DetectAnomalies::cleared(std::uint64_t tape) {
  const std::lock_guard lock(mutex_);
  stacks_.erase(tape);
}

std::string DetectAnomalies::place_of(const Operation& op) {
  const CallStack* stack = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto tape = stacks_.find(op.tape);
    if (tape != stacks_.end() && op.node < tape->second.size()) stack = tape->second[op.node];
  }
  return stack != nullptr ? stack->place() : "where nobody looked on";
}

}  // namespace rw
