#include "optim/validation.hpp"

#include <algorithm>

#include "optim/optimizer.hpp"

namespace rw::optim {
namespace {

void check_patience(const char* op, std::uint64_t patience) {
  if (patience == 0) fail(op, "patience above 0", patience);
}

}  // namespace

bool Lowest::see(double loss) {
  const bool lower = loss < loss_ - gain_;
  waited_ = lower ? 0 : waited_ + 1;
  if (lower) loss_ = loss;
  return lower;
}

void Lowest::restore(const Numbers& numbers) {
  const double loss = number("lowest", numbers, "lowest");
  waited_ = count("lowest", numbers, "waited");
  loss_ = loss;
}

EarlyStopping::EarlyStopping(const Options& options) : patience_(options.patience), lowest_(options.gain) {
  check_patience("early_stopping", options.patience);
  check_option("early_stopping", "gain", options.gain, 0);
}

Plateau::Plateau(const Options& options) : options_(options), rate_(options.rate), lowest_(options.gain) {
  check_option("plateau", "rate", options.rate, 0);
  check_option("plateau", "factor", options.factor, 0, 1);
  check_patience("plateau", options.patience);
  check_option("plateau", "gain", options.gain, 0);
  check_option("plateau", "smallest", options.smallest, 0);
}

double Plateau::operator()(double loss) {
  lowest_.see(loss);
  if (cooling_ > 0) {
    --cooling_;
    lowest_.wait_anew();
  }
  if (lowest_.waited() >= options_.patience) {
    rate_ = std::min(rate_, std::max(rate_ * options_.factor, options_.smallest));
    cooling_ = options_.cooldown;
    lowest_.wait_anew();
  }
  return rate_;
}

Numbers Plateau::numbers() const {
  Numbers numbers = lowest_.numbers();
  numbers["rate"] = rate_;
  numbers["cooling"] = static_cast<double>(cooling_);
  return numbers;
}

void Plateau::restore(const Numbers& numbers) {
  const double rate = number("plateau", numbers, "rate");
  const std::uint64_t cooling = count("plateau", numbers, "cooling");
  check_option("plateau", "rate", rate, 0);
  lowest_.restore(numbers);
  rate_ = rate;
  cooling_ = cooling;
}

}  // namespace rw::optim
