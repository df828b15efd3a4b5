#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "autograd/random.hpp"
#include "autograd/variable.hpp"
#include "examples/app/program.hpp"
#include "nn/parameters.hpp"

// The training loop of the examples whose data is a list of rows.

namespace app {

/// What is trained and judged.
struct Task {
  std::size_t rows = 0;
  /// The summed loss of these rows, of one shard of a batch; called from several threads.
  std::function<rw::Variable<float>(std::span<const std::size_t> rows, rw::Random& random)> loss;
  /// The share of answers that are wrong on data held out: after each epoch, and the lowest wins.
  std::function<double()> error;
  std::function<void()> after_step = [] {};  // puts weights back within bounds
};

struct FitOptions {
  std::size_t epochs = 10, batch = 32;
  double learning_rate = 1e-3;                       // the highest: up over the first tenth of the steps, then down
  double clip = 1;                                   // of the norm of all gradients
  std::string model = {};                            // where the best weights go; empty: nowhere
  std::map<std::string, std::string> metadata = {};  // and what is told of them there
};

struct Epoch {
  double loss, error;  // a row's mean loss
};

/// Trains with Adam, batches in shards over the threads, and leaves the weights of the best epoch in place and in the
/// file. Prints and logs a line an epoch. Ctrl-C ends it after the step at hand, with the best weights so far.
/// Throws std::invalid_argument where there are no rows, std::runtime_error where a file cannot be written or no step
/// is finite any more.
std::vector<Epoch> fit(const Common& common, const FitOptions& options, const rw::nn::Parameters<float>& parameters,
                       const Task& task);

}  // namespace app
