#pragma once

#include "examples/translate/run.hpp"

namespace translate {

/// Trains on `train`, in numbers of type T; after each epoch prints a line with the BLEU on `valid`, writes the best
/// model so far, in float, and the state of the run, which is removed at the end. Stops early when `stop` becomes
/// non-zero in one of the processes; then returns false, with that state and a model written. To resume from it gives
/// bit by bit the model of a run that was never stopped. Only the first process prints and writes.
/// Throws std::runtime_error where a file cannot be written, or where there is no state to resume from or only that of
/// a run with other settings or texts.
template <class T>
bool train(const std::vector<Pair>& train, const std::vector<Pair>& valid, const ModelSettings& model,
           const TrainSettings& settings, const TrainFiles& files, rw::optim::Ranks& ranks,
           const volatile std::sig_atomic_t& stop);

}  // namespace translate
