// An op that the library does not have, with derivatives of its own: checks them, trains a network that is built on it,
// and the same network on ops that are there, which computes the same numbers.
//
//     custom_op                   2 s
//     custom_op --length 400      longer rows
//
// The network is a minimal GRU (Feng et al. 2024, arXiv 2410.01201), whose gates do not look at the state: a linear
// recurrence h[t] = (1 − z[t]) ⊙ h[t − 1] + z[t] ⊙ n[t] is all that is left in time. The task: symbols come by, some
// with a mark; which was the last marked one? To expect: 100 % right, where a guess has 12.5 %. Time gains little by
// the op where a step is work enough, as in a batch, and much where it is not: one long row by itself is several times
// as fast.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "autograd/blas.hpp"
#include "autograd/gradcheck.hpp"
#include "autograd/ops/activation.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/shards.hpp"
#include "examples/app/log.hpp"
#include "examples/app/program.hpp"
#include "examples/app/progress.hpp"
#include "examples/custom_op/linear_recurrence.hpp"
#include "examples/forms/form.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"

namespace {

using namespace rw;
using Recurrence = Variable<double> (*)(const Variable<double>&, const Variable<double>&);

constexpr std::size_t symbols = 8;

struct Flags {
  app::Common common;
  std::size_t length = 100, hidden = 32, updates = 150, batch = 32;
  double rate = 0.03;
};

struct Task {
  Tensor<double> xs;  // [T, B, 9]: a symbol, 1 of 8, and whether it is marked: the first always, others 1 in 10
  Indices last;       // [T, B]: the last marked symbol so far
};

Task task(std::size_t length, std::size_t rows, Random& random) {
  Task made{zeros<double>({length, rows, symbols + 1}), zeros<std::int64_t>({length, rows})};
  for (std::size_t b = 0; b < rows; ++b) {
    for (std::size_t t = 0; t < length; ++t) {
      const std::size_t symbol = random.below(symbols);
      const bool marked = t == 0 || random.below(10) == 0;
      made.xs(t, b, symbol) = 1;
      made.xs(t, b, symbols) = marked ? 1 : 0;
      made.last(t, b) = marked ? static_cast<std::int64_t>(symbol) : made.last(t - 1, b);
    }
  }
  return made;
}

struct Model {
  Recurrence recurrence;
  nn::Linear<double> gate, fresh, readout;

  Model(Recurrence r, std::size_t hidden, Random& random)
      : recurrence(r),
        gate({.input = symbols + 1, .output = hidden}, random),
        fresh({.input = symbols + 1, .output = hidden}, random),
        readout({.input = hidden, .output = symbols}, random) {}

  nn::Parameters<double> parameters() {
    nn::Parameters<double> all;
    all.add("gate", gate.parameters());
    all.add("fresh", fresh.parameters());
    all.add("readout", readout.parameters());
    return all;
  }

  /// xs [T, B, 9] -> logits [T, B, 8].
  Variable<double> operator()(const Variable<double>& xs) const {
    const auto z = sigmoid(gate(xs));
    return readout(recurrence(1 - z, z * fresh(xs)));
  }
};

struct Result {
  std::vector<double> losses;
  double right = 0, step = 0,
         alone = 0;  // a share of unseen answers; milliseconds of a step of training and of alone()
};

/// The shortest of some times in milliseconds, forward and backward, of the recurrence by itself: one row of 1000
/// steps, 16 units.
double alone(Recurrence recurrence, std::uint64_t seed) {
  Random random(seed);
  const Tensor<double> a = nn::uniform<double>({1000, 1, 16}, 0.9, random);
  double shortest = 1e9;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    Tape<double> tape;
    tape.backward(sum(recurrence(tape.watch(a), tape.watch(a))));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    shortest = std::min(shortest, took.count());
  }
  return shortest;
}

Result train(const Flags& flags, const char* name, Recurrence recurrence, app::Log& log) {
  Random random(flags.common.seed), unseen(flags.common.seed + 1);
  Model model(recurrence, flags.hidden, random);
  const auto parameters = model.parameters();
  Workers workers(flags.common.threads);
  optim::Adam<double> adam({.learning_rate = flags.rate});
  optim::FiniteSteps finite;
  app::Progress progress(flags.updates, "updates", flags.common.quiet);
  Result result{};
  while (result.losses.size() < flags.updates && !app::interrupted()) {
    const Task rows = task(flags.length, flags.batch, random);
    auto learned = learn<double>(workers, flags.batch, [&](const Shard& shard) {
      const auto begin = static_cast<std::ptrdiff_t>(shard.begin), end = static_cast<std::ptrdiff_t>(shard.end);
      Indices answers = Indices::from_shape({flags.length, shard.end - shard.begin});
      for (std::size_t t = 0; t < flags.length; ++t) {
        std::copy_n(&rows.last(t, shard.begin), answers.shape(1), &answers(t, 0));
      }
      const auto share = static_cast<double>(end - begin) / static_cast<double>(flags.batch);
      return nn::cross_entropy(model(slice(Variable<double>(rows.xs), 1, begin, end)), answers) * share;
    });
    if (finite(optim::clip_global_norm(learned.gradients, 1))) adam.step(parameters, learned.gradients);
    result.losses.push_back(learned.loss);
    progress.show(name, learned.loss, result.losses.size());
    log.write({{"recurrence", name}, {"update", result.losses.size()}, {"loss", learned.loss}});
  }
  progress.clear();
  result.step = 1000 * progress.seconds() / static_cast<double>(std::max<std::size_t>(1, result.losses.size()));
  result.alone = alone(recurrence, flags.common.seed);
  const Task test = task(flags.length, 100, unseen);
  result.right = forms::accuracy(model(test.xs), test.last);
  app::say(flags.common, "%-10s %8.4f %7.1f %% %8.2f ms %11.3f ms\n", name,
           result.losses.empty() ? 0 : result.losses.back(), 100 * result.right, result.step, result.alone);
  return result;
}

int body(const CLI::App& app, Flags& flags) {
  set_gemm_threads(1);
  if (flags.common.smoke) {
    app::smaller(app, "--length", flags.length, 30);
    app::smaller(app, "--updates", flags.updates, 80);
  }
  app::Log log(flags.common.log);
  Random random(flags.common.seed);
  const Shape shape{4, 2, 3};
  const auto report =
      check_gradients("linear_recurrence", [](auto& x) { return custom::linear_recurrence(x[0], x[1]); },
                      {nn::normal<double>(shape, 1, random), nn::normal<double>(shape, 1, random)});
  if (!report.ok) throw std::runtime_error(report.message);
  app::say(flags.common, "gradients of linear_recurrence: first right to %.0e, second to %.0e\n\n", report.first_error,
           report.second_error);

  app::say(flags.common, "%-10s %8s %9s %11s %14s\n", "", "loss", "right", "a step", "one long row");
  const Result own = train(flags, "own op", custom::linear_recurrence<double>, log);
  if (app::interrupted()) return app::say(flags.common, "stopped\n"), app::stopped;
  const Result composed = train(flags, "composed", custom::composed_recurrence<double>, log);
  if (app::interrupted()) return app::say(flags.common, "stopped\n"), app::stopped;
  double apart = 0;
  for (std::size_t i = 0; i < flags.updates; ++i) {
    apart = std::max(apart, std::abs(own.losses[i] - composed.losses[i]));
  }
  app::say(flags.common, "one long row is %.1f times as fast with the op; the losses differ by at most %.0e\n",
           composed.alone / own.alone, apart);
  std::printf("right: %.1f %%, a guess %.1f %%; %s\n", 100 * own.right, 100.0 / symbols,
              apart < 1e-9 ? "the same with composed ops" : "another with composed ops");
  return apart < 1e-9 ? 0 : app::failure;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Trains a network on an op of one's own, and the same on composed ops: equal losses.\n"
      "  custom_op\n"
      "  custom_op --length 400 --threads 1"};
  app.name("custom_op");
  Flags flags;
  app::add_count(app, "--length", flags.length, "symbols in a row", 100000);
  app::add_count(app, "--hidden", flags.hidden, "units", 4096);
  app::add_count(app, "--updates", flags.updates, "batches to learn from", 1000000);
  app::add_count(app, "--batch", flags.batch, "rows of a batch", 100000);
  app::add_number(app, "--learning-rate", flags.rate, "of Adam", 1e-9, 1);
  app::add_common(app, flags.common, "30 symbols, 80 updates, to see that it runs");
  return app::run(app, argc, argv, [&] { return body(app, flags); });
}
