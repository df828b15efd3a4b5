#pragma once

#include <csignal>
#include <filesystem>

#include "examples/app/log.hpp"
#include "examples/app/progress.hpp"
#include "examples/translate/material.hpp"
#include "examples/translate/trainer.hpp"
#include "examples/translate/translator.hpp"

namespace translate {

struct TrainFiles {
  std::filesystem::path model;
  std::filesystem::path log = {};  // the curve: an object of JSON a step, and one an epoch
  bool resume = false;
  bool quiet = false;  // prints where the model is, and no more

  /// Where the state of the run is kept while it is not at its end.
  std::filesystem::path snapshot() const { return model.string() + ".snapshot"; }
};

/// Where a run is.
struct Position {
  std::size_t epoch = 1, batch = 0;  // the next batch of that epoch
  std::size_t step = 0;
  std::size_t done = 0, tokens = 0;  // learnt from in the epochs before, and in this one
  double loss = 0;                   // summed over `tokens`
  double best = -1;                  // BLEU
  rw::Random order{0};               // as it was when the epoch began
  std::size_t logged = 0;            // bytes

  void add_to(rw::nn::Snapshot& snapshot) {
    snapshot.add("epoch", epoch);
    snapshot.add("batch", batch);
    snapshot.add("step", step);
    snapshot.add("done", done);
    snapshot.add("tokens", tokens);
    snapshot.add("loss", loss);
    snapshot.add("best", best);
    snapshot.add("order", order);
    snapshot.add("logged", logged);
  }
};

/// A run of training, from its beginning or from where it was stopped, to its end.
template <class T>
class Run {
 public:
  /// Goes on where files.resume says so. What is given must live as long as the run.
  Run(const Material& material, const ModelSettings& model, const TrainSettings& settings, const TrainFiles& files,
      rw::optim::Ranks& ranks);
  Run(const Run&) = delete;

  /// The number of trained numbers.
  std::size_t parameters() { return model_.parameters().elements(); }

  /// To the end; false where it stopped before.
  bool go(const volatile std::sig_atomic_t& stop);

 private:
  void resume();
  void learn(std::span<const std::size_t> chosen);
  void score();
  void save_state();
  void stopped();
  Translator& translator();  // with the weights of now
  std::size_t learnt() const { return at_.done + at_.tokens; }

  const Material& material_;
  const TrainSettings& settings_;
  const TrainFiles& files_;
  rw::optim::Ranks& ranks_;
  Position at_;
  Model<T> model_;
  Trainer<T> trainer_;
  Translator translator_;  // in float, what is scored and saved
  std::string facts_;
  rw::nn::Snapshot state_;
  app::Log log_{""};
  app::Progress progress_{0, "tokens"};
  std::size_t before_ = 0;  // learnt before this program began
};

extern template class Run<float>;
extern template class Run<double>;

}  // namespace translate
