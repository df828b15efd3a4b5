#pragma once

#include <cstdint>
#include <vector>

namespace app {

/// The plainest classifier, for others to be better than: the class whose mean example is nearest.
class NearestMean {
 public:
  /// Examples of one size each, labels from 0 on. Throws std::invalid_argument where there is none, or sizes or
  /// numbers differ.
  NearestMean(const std::vector<std::vector<float>>& examples, const std::vector<std::int64_t>& labels);

  /// Throws std::invalid_argument where `example` has another size.
  std::int64_t operator()(const std::vector<float>& example) const;

 private:
  std::vector<std::vector<double>> means_;  // of each class; empty where it has no example
};

}  // namespace app
