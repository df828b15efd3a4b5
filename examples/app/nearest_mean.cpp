#include "examples/app/nearest_mean.hpp"

#include <limits>

#include "autograd/check.hpp"

namespace app {

NearestMean::NearestMean(const std::vector<std::vector<float>>& examples, const std::vector<std::int64_t>& labels) {
  if (examples.empty() || examples.size() != labels.size()) {
    rw::fail("nearest_mean", "examples and a label for each", examples.size(), " and ", labels.size());
  }
  std::vector<double> counts;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (labels[i] < 0) rw::fail("nearest_mean", "labels from 0 on", labels[i]);
    const auto label = static_cast<std::size_t>(labels[i]);
    if (label >= means_.size()) means_.resize(label + 1), counts.resize(label + 1);
    if (examples[i].size() != examples[0].size()) {
      rw::fail("nearest_mean", "examples of one size", examples[0].size(), " and ", examples[i].size());
    }
    means_[label].resize(examples[i].size());
    for (std::size_t k = 0; k < examples[i].size(); ++k) means_[label][k] += examples[i][k];
    counts[label] += 1;
  }
  for (std::size_t c = 0; c < means_.size(); ++c) {
    for (double& x : means_[c]) x /= counts[c];
  }
}

std::int64_t NearestMean::operator()(const std::vector<float>& example) const {
  std::int64_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < means_.size(); ++c) {
    if (means_[c].empty()) continue;
    if (means_[c].size() != example.size()) {
      rw::fail("nearest_mean", "an example of " + std::to_string(means_[c].size()) + " numbers", example.size());
    }
    double distance = 0;
    for (std::size_t k = 0; k < example.size(); ++k) {
      distance += (example[k] - means_[c][k]) * (example[k] - means_[c][k]);
    }
    if (distance < least) least = distance, best = static_cast<std::int64_t>(c);
  }
  return best;
}

}  // namespace app
