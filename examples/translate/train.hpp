#pragma once

#include <csignal>
#include <filesystem>
#include <optional>

#include "autograd/workers.hpp"
#include "examples/translate/batches.hpp"
#include "examples/translate/translator.hpp"
#include "optim/adam.hpp"

namespace translate {

struct TrainSettings {
  std::size_t vocabulary = 4000;  // pieces of each language
  std::size_t epochs = 10;
  std::size_t batch = 32;
  std::size_t threads = 2;
  std::uint64_t seed = 1;
  double learning_rate = 2e-3;
  double smoothing = 0.1;
  double clip = 1;
};

/// One optimiser's steps over a model, each batch shared out among threads. Same seed and thread count, same bits.
class Trainer {
 public:
  Trainer(Model<float>& model, const TrainSettings& settings);

  /// Learns from the chosen pairs; returns the loss summed over their target tokens, smoothing included.
  /// Throws std::invalid_argument where none is chosen.
  double step(const std::vector<Encoded>& pairs, std::span<const std::size_t> chosen, double learning_rate);

 private:
  Model<float>& model_;
  TrainSettings settings_;
  rw::Random random_;
  rw::Workers workers_;
  rw::optim::Adam<float> adam_;
};

/// Trains on `train`; after each epoch prints a line with the BLEU on `valid` and writes the best model so far to
/// `path`. Stops early, with the model saved, when `stop` becomes non-zero; then returns false.
/// Throws std::runtime_error where the model cannot be written.
bool train(const std::vector<Pair>& train, const std::vector<Pair>& valid, const ModelSettings& model,
           const TrainSettings& settings, const std::filesystem::path& path, const volatile std::sig_atomic_t& stop);

}  // namespace translate
