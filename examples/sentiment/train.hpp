#pragma once

#include "examples/app/log.hpp"
#include "examples/app/program.hpp"
#include "examples/sentiment/model.hpp"

namespace sentiment {

struct TrainSettings {
  std::size_t epochs = 12, batch = 32;
  double learning_rate = 3e-3;  // Adam's
  double clip = 1;              // of the norm of all gradients
  std::size_t patience = 4;     // epochs without a lower validation loss before it ends
};

struct Scores {
  double loss = 0;  // mean cross-entropy, nats
  std::size_t right = 0, all = 0;
  double accuracy() const { return double(right) / double(all); }
};

/// Bounds of a share of which k of n were seen, at 95 % (Wilson 1927).
struct Interval {
  double low, high;
};
Interval wilson(std::size_t k, std::size_t n);

/// The probabilities of the classes, a row an item [items, classes].
rw::Tensor<float> probabilities(const Classifier& model, const std::vector<Item>& items);

Scores score(const Classifier& model, const std::vector<Item>& items);

struct Sets {
  std::vector<Item> train, valid, test;
};

struct Curve {
  std::vector<double> accuracy;  // on the validation set, of each epoch
  bool finished = true;          // not by Ctrl-C
};

/// Trains and leaves the weights of the lowest validation loss. `name` is for what is told of each epoch. Throws
/// std::runtime_error where no step is finite any more.
Curve fit(Classifier& model, const Sets& sets, const TrainSettings& settings, const char* name,
          const app::Common& common, app::Log& log);

}  // namespace sentiment
