#include "examples/app/fit.hpp"

#include <limits>
#include <numeric>
#include <stdexcept>

#include "autograd/check.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/shards.hpp"
#include "examples/app/files.hpp"
#include "examples/app/log.hpp"
#include "examples/app/progress.hpp"
#include "nn/safetensors.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/schedule.hpp"

namespace app {

std::vector<Epoch> fit(const Common& common, const FitOptions& options, const rw::nn::Parameters<float>& parameters,
                       const Task& task) {
  if (task.rows == 0) rw::fail("fit", "at least one row to learn from", "none");
  if (!options.model.empty()) check_writable(options.model, "the model");
  rw::Random random(common.seed);
  rw::Workers workers(common.threads);
  rw::optim::Adam<float> adam;
  rw::optim::FiniteSteps finite;
  Log log(common.log);
  Progress progress(task.rows * options.epochs, "rows", common.quiet);
  rw::nn::Safetensors best;
  double lowest = std::numeric_limits<double>::infinity();
  std::vector<Epoch> curve;
  std::vector<std::size_t> order(task.rows);
  std::iota(order.begin(), order.end(), 0);
  const std::size_t steps = options.epochs * ((task.rows + options.batch - 1) / options.batch);

  for (std::size_t epoch = 1; epoch <= options.epochs && !interrupted(); ++epoch) {
    double loss = 0;
    random.shuffle(order);
    for (std::size_t begin = 0; begin < task.rows && !interrupted(); begin += options.batch) {
      const auto rows =
          std::span<const std::size_t>(order).subspan(begin).first(std::min(options.batch, task.rows - begin));
      std::vector<rw::Random> randoms;
      for (std::size_t s = 0; s < workers.count(); ++s) randoms.push_back(random.split());
      const double share = 1 / static_cast<double>(rows.size());
      auto learned = rw::learn<float>(workers, rows.size(), [&](const rw::Shard& s) {
        return task.loss(rows.subspan(s.begin, s.end - s.begin), randoms[s.index]) * share;
      });
      adam.set_learning_rate(
          rw::optim::one_cycle(adam.steps(), {.rate = options.learning_rate, .steps = steps, .rising = 0.1}));
      if (finite(rw::optim::clip_global_norm(learned.gradients, options.clip))) {
        adam.step(parameters, learned.gradients, &workers);
        task.after_step();
      }
      loss += learned.loss * static_cast<double>(rows.size());
      const auto done = begin + rows.size();
      progress.show("epoch " + std::to_string(epoch) + "/" + std::to_string(options.epochs),
                    loss / static_cast<double>(done), (epoch - 1) * task.rows + done);
    }
    if (interrupted()) break;
    curve.push_back({loss / static_cast<double>(task.rows), task.error()});
    const bool better = curve.back().error <= lowest;
    if (better) {
      lowest = curve.back().error;
      best = rw::nn::pack(parameters);
      best.metadata = options.metadata;
      if (!options.model.empty()) rw::nn::write_safetensors(options.model, best);
    }
    progress.clear();
    log.write(with_skipped(
        {{"epoch", epoch}, {"loss", curve.back().loss}, {"error", curve.back().error}, {"seconds", progress.seconds()}},
        finite.skipped()));
    say(common, "epoch %3zu  loss %7.3f  error %5.1f %%  %s%s%s\n", epoch, curve.back().loss, 100 * curve.back().error,
        clock_text(progress.seconds()).c_str(), better ? "  *" : "", skipped_text(finite.skipped()).c_str());
  }
  progress.clear();
  if (interrupted()) say(common, "stopped after %zu epochs\n", curve.size());
  if (!best.tensors.empty()) rw::nn::unpack(best, parameters, "the best epoch");
  return curve;
}

}  // namespace app
