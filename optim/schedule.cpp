#include "optim/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "optim/optimizer.hpp"

namespace rw::optim {
namespace {

void check_steps(const char* op, const char* name, std::uint64_t steps) {
  if (steps == 0) fail(op, std::string(name) + " above 0", steps);
}

void check_decay(const char* op, const DecayOptions& options) {
  check_option(op, "rate", options.rate, 0);
  check_option(op, "factor", options.factor, 0);
  check_steps(op, "every", options.every);
}

// From `from` at part 0 to `to` at part 1 along half a cosine.
double glide(double from, double to, double part) {
  return to + (from - to) * (1 + std::cos(std::acos(-1.0) * part)) / 2;
}

}  // namespace

double step_decay(std::uint64_t t, const DecayOptions& options) {
  check_decay("step_decay", options);
  const std::uint64_t steps = t / options.every;
  return options.rate * std::pow(options.factor, static_cast<double>(steps));
}

double exponential_decay(std::uint64_t t, const DecayOptions& options) {
  check_decay("exponential_decay", options);
  return options.rate * std::pow(options.factor, static_cast<double>(t) / static_cast<double>(options.every));
}

double cosine(std::uint64_t t, const CosineOptions& options) {
  check_option("cosine", "rate", options.rate, 0);
  check_option("cosine", "last", options.last, 0);
  check_steps("cosine", "steps", options.steps);
  const auto end = static_cast<double>(options.steps);
  return glide(options.rate, options.last, std::min(static_cast<double>(t) / end, 1.0));
}

double one_cycle(std::uint64_t t, const OneCycleOptions& options) {
  check_option("one_cycle", "rate", options.rate, 0);
  check_option("one_cycle", "rising", options.rising, 0, 1);
  check_option("one_cycle", "first", options.first, 0);
  check_option("one_cycle", "last", options.last, 0);
  check_steps("one_cycle", "steps", options.steps);
  const auto end = static_cast<double>(options.steps), top = options.rising * end;
  const double now = std::min(static_cast<double>(t), end);
  if (now < top) return glide(options.first * options.rate, options.rate, now / top);
  return glide(options.rate, options.last * options.rate, (now - top) / (end - top));
}

double inverse_square_root(std::uint64_t t, const WarmUpOptions& options) {
  check_option("inverse_square_root", "rate", options.rate, 0);
  check_steps("inverse_square_root", "warm_up", options.warm_up);
  const double part = (static_cast<double>(t) + 1) / static_cast<double>(options.warm_up);
  return options.rate * std::min(part, 1 / std::sqrt(part));
}

}  // namespace rw::optim
