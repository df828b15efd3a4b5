#pragma once

#include <cstdint>
#include <limits>

#include "optim/numbers.hpp"

// What follows a validation loss, or another figure that should fall; give −accuracy for one that should rise. A loss
// that is not a number is no better than any other.

namespace rw::optim {

/// The lowest loss so far, and how long ago that was.
class Lowest {
 public:
  /// A loss counts as lower where it is below the lowest by more than `gain`.
  explicit Lowest(double gain = 0) : gain_(gain) {}

  /// Whether `loss` is the lowest so far.
  bool see(double loss);

  double loss() const { return loss_; }
  std::uint64_t waited() const { return waited_; }  // losses since
  void wait_anew() { waited_ = 0; }

  Numbers numbers() const { return {{"lowest", loss_}, {"waited", static_cast<double>(waited_)}}; }
  void restore(const Numbers& numbers);

 private:
  double gain_;
  double loss_ = std::numeric_limits<double>::infinity();
  std::uint64_t waited_ = 0;
};

/// Stops a training that no longer gets better:
///     if (stopping.see(validate())) nn::save(path, model);
///     if (stopping.stop()) break;
class EarlyStopping {
 public:
  struct Options {
    std::uint64_t patience = 5;  // losses in a row that are no lower
    double gain = 0;             // by which a loss must be lower to count
  };

  EarlyStopping() : EarlyStopping(Options()) {}

  /// Throws std::invalid_argument where the patience is 0, or the gain negative or not finite.
  explicit EarlyStopping(const Options& options);

  /// Whether `loss` is the lowest so far.
  bool see(double loss) { return lowest_.see(loss); }

  bool stop() const { return lowest_.waited() >= patience_; }
  double lowest() const { return lowest_.loss(); }

  /// For snapshots. restore() throws std::invalid_argument where a number is missing or can be none of these.
  Numbers numbers() const { return lowest_.numbers(); }
  void restore(const Numbers& numbers) { lowest_.restore(numbers); }

 private:
  std::uint64_t patience_;
  Lowest lowest_;
};

/// A learning rate that falls whenever the loss no longer does:
///     adam.set_learning_rate(plateau(validate()));
class Plateau {
 public:
  struct Options {
    double rate = 1e-3;
    double factor = 0.1;
    std::uint64_t patience = 10;  // losses in a row that are no lower, after which rate ← rate·factor
    std::uint64_t cooldown = 0;   // losses after such a fall that do not count for the patience
    double gain = 1e-4;           // by which a loss must be lower to count
    double smallest = 0;          // the rate falls no further
  };

  Plateau() : Plateau(Options()) {}

  /// Throws std::invalid_argument where the patience is 0, the factor not in [0, 1), or another option negative or not
  /// finite.
  explicit Plateau(const Options& options);

  /// The rate after this loss.
  double operator()(double loss);

  /// The rate that holds.
  double rate() const { return rate_; }

  /// For snapshots. restore() throws std::invalid_argument where a number is missing or can be none of these.
  Numbers numbers() const;
  void restore(const Numbers& numbers);

 private:
  Options options_;
  double rate_;
  std::uint64_t cooling_ = 0;
  Lowest lowest_;
};

}  // namespace rw::optim
