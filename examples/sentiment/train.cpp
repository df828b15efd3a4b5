#include "examples/sentiment/train.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/ops/softmax.hpp"
#include "autograd/shards.hpp"
#include "examples/app/progress.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/validation.hpp"

namespace sentiment {
namespace {

class Trainer {
 public:
  Trainer(Classifier& model, const TrainSettings& settings, const app::Common& common)
      : model_(model), settings_(settings), random_(common.seed + 1), workers_(common.threads) {
    adam_.set_learning_rate(settings.learning_rate);
  }

  std::vector<std::vector<std::size_t>> batches(const std::vector<Item>& items) {
    return shuffled(items, settings_.batch, random_);
  }

  /// Returns the mean loss.
  double step(const std::vector<Item>& items, std::span<const std::size_t> chosen) {
    std::vector<rw::Random> randoms;
    for (std::size_t s = 0; s < rw::shards_of(chosen.size(), workers_.count()); ++s) {
      randoms.push_back(random_.split());
    }
    rw::Learned<float> learned = rw::learn<float>(workers_, chosen.size(), [&](const rw::Shard& s) {
      const Batch batch = make_batch(items, chosen.subspan(s.begin, s.end - s.begin));
      return rw::nn::cross_entropy_sum(model_.logits(batch, &randoms[s.index]), batch.labels) / double(chosen.size());
    });
    if (finite_(rw::optim::clip_global_norm(learned.gradients, settings_.clip))) {
      adam_.step(model_.parameters(), learned.gradients, &workers_);
    }
    return learned.loss;
  }

  std::uint64_t skipped() const { return finite_.skipped(); }

 private:
  Classifier& model_;
  TrainSettings settings_;
  rw::Random random_;
  rw::Workers workers_;
  rw::optim::Adam<float> adam_;
  rw::optim::FiniteSteps finite_;
};

}  // namespace

Interval wilson(std::size_t k, std::size_t n) {
  constexpr double z = 1.959964;
  const double all = double(n), p = double(k) / all;
  const double centre = p + z * z / (2 * all), spread = z * std::sqrt(p * (1 - p) / all + z * z / (4 * all * all));
  return {(centre - spread) / (1 + z * z / all), (centre + spread) / (1 + z * z / all)};
}

rw::Tensor<float> probabilities(const Classifier& model, const std::vector<Item>& items) {
  constexpr std::size_t together = 64;
  std::vector<rw::Variable<float>> parts;
  for (std::size_t begin = 0; begin < items.size(); begin += together) {
    std::vector<std::size_t> chosen;
    for (std::size_t i = begin; i < std::min(begin + together, items.size()); ++i) chosen.push_back(i);
    parts.push_back(rw::softmax(model.logits(make_batch(items, chosen))));
  }
  return rw::concatenate(parts, 0).value();
}

Scores score(const Classifier& model, const std::vector<Item>& items) {
  const rw::Tensor<float> p = probabilities(model, items);
  const std::size_t classes = p.shape()[1];
  Scores scores{.all = items.size()};
  for (std::size_t i = 0; i < items.size(); ++i) {
    const float* row = p.data() + i * classes;
    scores.loss -= std::log(std::max(row[items[i].label], 1e-12f)) / double(items.size());
    scores.right += std::max_element(row, row + classes) - row == items[i].label;
  }
  return scores;
}

Curve fit(Classifier& model, const Sets& sets, const TrainSettings& settings, const char* name,
          const app::Common& common, app::Log& log) {
  Trainer trainer(model, settings, common);
  rw::optim::EarlyStopping stopping({.patience = settings.patience});
  rw::nn::Safetensors best = rw::nn::pack(model.parameters());
  app::Progress progress(settings.epochs * sets.train.size(), "texts", common.quiet);
  Curve curve;
  std::size_t done = 0;
  for (std::size_t epoch = 1; epoch <= settings.epochs && !stopping.stop() && curve.finished; ++epoch) {
    double sum = 0, seen = 0, loss = 0;
    for (const auto& chosen : trainer.batches(sets.train)) {
      sum += trainer.step(sets.train, chosen) * double(chosen.size());
      seen += double(chosen.size());
      loss = sum / seen;
      done += chosen.size();
      progress.show(std::string(name) + " " + std::to_string(epoch), loss, done);
      if (app::interrupted()) curve.finished = false;
      if (!curve.finished) break;
    }
    const Scores valid = score(model, sets.valid);
    const bool better = stopping.see(valid.loss);
    if (better) best = rw::nn::pack(model.parameters());
    curve.accuracy.push_back(valid.accuracy());
    progress.clear();
    app::say(common, "%-12s epoch %2zu  loss %.3f  valid %.3f  accuracy %5.1f %%  %s%s%s\n", name, epoch, loss,
             valid.loss, 100 * valid.accuracy(), app::clock_text(progress.seconds()).c_str(),
             better ? "" : "  (not the best)", app::skipped_text(trainer.skipped()).c_str());
    log.write(app::with_skipped({{"model", name},
                                 {"epoch", epoch},
                                 {"loss", loss},
                                 {"valid_loss", valid.loss},
                                 {"valid_accuracy", valid.accuracy()},
                                 {"seconds", progress.seconds()}},
                                trainer.skipped()));
  }
  rw::nn::unpack(best, model.parameters(), name);
  return curve;
}

}  // namespace sentiment
