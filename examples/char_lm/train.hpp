#pragma once

#include "examples/app/program.hpp"
#include "examples/char_lm/model.hpp"
#include "examples/char_lm/text.hpp"

namespace char_lm {

struct TrainSettings {
  std::size_t epochs = 8, batch = 16, window = 64;  // `batch` stretches of the text are read side by side
  double learning_rate = 5e-3;                      // Adam's, at first
  double clip = 1;                                  // of the norm of all gradients
  std::string path;                                 // where the best model goes, and the run beside it
  bool resume = false;
};

struct Trained {
  bool finished = true;                        // not by Ctrl-C
  std::vector<double> train_bits, valid_bits;  // a character: of each tenth of an epoch, of each epoch
};

/// What the run that makes the model of this path remembers.
std::string run_path(const std::string& model);

/// Truncated backpropagation through time (Williams & Peng 1990): the text is cut into stretches that are read side by
/// side, a window a step, and the state is carried from window to window as a constant. Keeps the model that needs
/// fewest bits for `parts.valid`. After Ctrl-C, or an end of any kind, a run goes on where it was kept last, bit by bit
/// as if it had not stopped.
/// Throws std::runtime_error where the text is shorter than the batch, a file cannot be written, the run cannot be
/// resumed, or no step is finite any more.
template <class C>
Trained train(const Parts& parts, const Settings& settings, const TrainSettings& training, const app::Common& common);

}  // namespace char_lm
