#pragma once

#include "autograd/workers.hpp"
#include "examples/translate/batches.hpp"
#include "nn/snapshot.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/ranks.hpp"

namespace translate {

struct TrainSettings {
  std::size_t vocabulary = 4000;  // pieces of each language
  std::size_t epochs = 10;
  std::size_t batch = 32;
  std::size_t threads = 2;  // of each process
  std::uint64_t seed = 1;
  double learning_rate = 2e-3;
  double smoothing = 0.1;
  double clip = 1;
};

/// One optimiser's steps over a model, each batch shared out among the threads of all processes. Same seed and number
/// of threads, same bits; as many threads in another number of processes, the same up to rounding.
template <class T>
class Trainer {
 public:
  Trainer(Model<T>& model, const TrainSettings& settings, rw::optim::Ranks& ranks);

  /// Learns from the chosen pairs, which are the same in all processes; returns the loss summed over their target
  /// tokens, smoothing included. Changes no weight where the gradients are not finite. Throws std::invalid_argument
  /// where none is chosen, std::runtime_error where too many steps in a row were not finite.
  double step(const std::vector<Encoded>& pairs, std::span<const std::size_t> chosen, double learning_rate);

  /// The steps so far that changed no weight.
  std::uint64_t skipped() const { return finite_.skipped(); }

  /// Lists the weights and all else that the next step depends on.
  void add_to(rw::nn::Snapshot& snapshot);

 private:
  Model<T>& model_;
  TrainSettings settings_;
  rw::optim::Ranks& ranks_;
  rw::Random random_;
  rw::Workers workers_;
  rw::optim::Adam<T> adam_;
  rw::optim::FiniteSteps finite_;
};

extern template class Trainer<float>;
extern template class Trainer<double>;

}  // namespace translate
