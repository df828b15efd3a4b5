#include <algorithm>

#include "autograd/shards.hpp"
#include "examples/app/progress.hpp"
#include "examples/series/predictor.hpp"
#include "nn/safetensors.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/validation.hpp"

namespace series {
namespace {

using rw::Tensor;

/// Rows starts[b], ..., starts[b] + window − 1 of xs [N, 1, I] side by side, [window, B, I].
Tensor<float> windows(const Tensor<float>& xs, const std::size_t* starts, std::size_t batch, std::size_t window) {
  const std::size_t width = xs.shape()[2];
  Tensor<float> all = rw::empty<float>({window, batch, width});
  float* to = all.data();
  for (std::size_t t = 0; t < window; ++t) {
    for (std::size_t b = 0; b < batch; ++b) to = std::copy_n(xs.data() + (starts[b] + t) * width, width, to);
  }
  return all;
}

}  // namespace

void train(Predictor& predictor, const Values& values, const Parts& parts, const Training& training,
           const app::Common& common, app::Log& log) {
  const Settings& s = predictor.settings;
  const Tensor<float> xs = inputs<float>(values, s.scale, s.seasons), ys = targets<float>(values, s.scale, s.horizon);
  const auto validate = [&] {  // one run over all rows before: the state has then seen what it would have
    const auto end = static_cast<std::ptrdiff_t>(parts.valid - s.horizon);
    const auto begin = static_cast<std::ptrdiff_t>(parts.train - 1);
    const auto outputs = predictor(slice(rw::Variable<float>(xs), 0, 0, end));
    return surprise(slice(outputs, 0, begin), slice(rw::Variable<float>(ys), 0, begin, end)).item();
  };
  const rw::nn::Parameters<float> parameters = predictor.parameters();
  const std::size_t rows = parts.train - s.horizon;  // after which targets of the training part come
  const std::size_t window = std::min(training.window, rows), stride = (window + 7) / 8;
  rw::Random random(common.seed + 1);
  rw::Workers workers(common.threads);
  rw::optim::Adam<float> adam({.learning_rate = training.rate});
  rw::optim::FiniteSteps finite;
  rw::optim::Plateau plateau({.rate = training.rate, .factor = 0.5, .patience = 3});
  rw::optim::EarlyStopping stopping({.patience = training.patience});
  rw::nn::Safetensors best = rw::nn::pack(parameters);
  app::Progress progress(training.epochs, "epochs", common.quiet);
  for (std::size_t epoch = 1; epoch <= training.epochs && !stopping.stop(); ++epoch) {
    std::vector<std::size_t> starts;  // an eighth of a window apart, others in every epoch
    for (std::size_t at = random.below(std::min(stride, rows - window + 1)); at + window <= rows; at += stride) {
      starts.push_back(at);
    }
    random.shuffle(starts);
    double sum = 0;
    for (std::size_t i = 0; i < starts.size(); i += training.batch) {
      const std::size_t batch = std::min(training.batch, starts.size() - i);
      auto learned = rw::learn<float>(workers, batch, [&](const rw::Shard& shard) {
        const std::size_t n = shard.end - shard.begin, *first = starts.data() + i + shard.begin;
        const auto share = static_cast<float>(n) / static_cast<float>(batch);
        return surprise(predictor(windows(xs, first, n, window)), windows(ys, first, n, window)) * share;
      });
      if (finite(rw::optim::clip_global_norm(learned.gradients, 1))) adam.step(parameters, learned.gradients);
      sum += learned.loss * static_cast<double>(batch);
      progress.show("epoch " + std::to_string(epoch), learned.loss, epoch - 1);
      if (app::interrupted()) break;
    }
    if (app::interrupted()) {
      progress.clear();
      app::say(common, "stopped in epoch %zu\n", epoch);
      break;
    }
    const double loss = sum / static_cast<double>(starts.size()), valid = validate();
    progress.clear();
    log.write(app::with_skipped({{"epoch", epoch}, {"train", loss}, {"valid", valid}, {"rate", plateau.rate()}},
                                finite.skipped()));
    adam.set_learning_rate(plateau(valid));
    const bool better = stopping.see(valid);
    if (better) best = rw::nn::pack(parameters);
    app::say(common, "epoch %3zu  train %7.3f  valid %7.3f%s%s\n", epoch, loss, valid, better ? "  *" : "",
             app::skipped_text(finite.skipped()).c_str());
  }
  progress.clear();
  rw::nn::unpack(best, parameters, "the best weights");
}

}  // namespace series
