#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace rw {

/// A seeded source of random numbers: a value that is copied, compared and stored. The engine is std::mt19937_64; the
/// distributions are our own, because the standard leaves theirs to each library: a seed means the same bits
/// everywhere, and the same numbers up to the last bit, which compilers and C libraries may round otherwise.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0) : engine_(seed) {}

  /// 64 random bits.
  std::uint64_t bits() { return engine_(); }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// From the normal distribution of mean 0 and variance 1, √(−2·ln u)·cos(2π·v) (Box & Muller 1958).
  double normal();

  /// Uniform among 0, ..., n − 1, each exactly as likely. Throws std::invalid_argument where n is 0.
  std::size_t below(std::size_t n);

  /// Puts the elements into a random order, each as likely (Fisher & Yates; Durstenfeld 1964).
  template <class V>
  void shuffle(std::vector<V>& values) {
    for (std::size_t n = values.size(); n > 1; --n) std::swap(values[n - 1], values[below(n)]);
  }

  /// A source of its own for another purpose (a thread, a layer): what is drawn there moves nothing here. Takes one
  /// draw, so that two splits differ.
  Random split() { return Random(bits()); }

  /// The state as text; restored() goes on with the same numbers. Readable by the standard library that wrote it.
  std::string state() const;

  /// Throws std::invalid_argument where `state` was not made by state().
  static Random restored(const std::string& state);

  friend bool operator==(const Random& a, const Random& b) { return a.engine_ == b.engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace rw
