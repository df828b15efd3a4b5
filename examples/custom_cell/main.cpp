// A recurrent cell that the library does not have, from its paper to a trained network: checks its gradients, trains it
// and an LSTM of as many weights on the adding problem (Hochreiter & Schmidhuber 1997), and draws both curves.
//
//     custom_cell                                    60 numbers: 2 to 5 s, a picture in custom_cell.svg
//     custom_cell --length 300 --updates 3000        longer: a minute
//
// Of a long row of numbers in [0, 1) two are marked: what is their sum? Who always says 1 has a squared error of 0.167.
// To expect: both cells below 0.005.

#include <cstdio>

#include "autograd/blas.hpp"
#include "autograd/gradcheck.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/shards.hpp"
#include "examples/app/log.hpp"
#include "examples/app/picture.hpp"
#include "examples/app/program.hpp"
#include "examples/app/progress.hpp"
#include "examples/custom_cell/fast_grnn.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"

namespace {

using namespace rw;

struct Flags {
  app::Common common;
  std::size_t length = 60, hidden = 32, updates = 1000, batch = 64;
  double rate = 0.01;
  std::string picture = "custom_cell.svg";
};

struct Problem {
  Tensor<float> xs, sums;  // [T, B, 2] numbers and marks, one in each half; [B, 1]
};

Problem problem(std::size_t length, std::size_t rows, Random& random) {
  Problem made{zeros<float>({length, rows, 2}), zeros<float>({rows, 1})};
  for (std::size_t b = 0; b < rows; ++b) {
    for (std::size_t t = 0; t < length; ++t) made.xs(t, b, 0) = static_cast<float>(random.uniform());
    const std::size_t half = length / 2;
    for (const std::size_t t : {random.below(half), half + random.below(length - half)}) {
      made.xs(t, b, 1) = 1;
      made.sums(b, 0) += made.xs(t, b, 0);
    }
  }
  return made;
}

template <class C>
struct Model {
  C cell;
  nn::Linear<float> readout;

  nn::Parameters<float> parameters() {
    nn::Parameters<float> all;
    all.add("cell", cell.parameters());
    all.add("readout", readout.parameters());
    return all;
  }

  /// The sum of the squared errors of rows [begin, end).
  Variable<float> errors(const Problem& p, std::size_t begin, std::size_t end) const {
    const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
    const auto xs = slice(Variable<float>(p.xs), 1, from, to), sums = slice(Variable<float>(p.sums), 0, from, to);
    return sum(square(readout(nn::unroll(cell, xs, {.outputs = false}).state.h) - sums));
  }
};

/// The test that every cell must pass, through time and over rows of different lengths.
GradcheckReport check(std::uint64_t seed) {
  Random random(seed);
  FastGrnn<double> cell({.input = 2, .hidden = 3}, random);
  const auto outputs = [&](auto& x) { return nn::unroll(cell, x[0], {.lengths = {5, 3}}).outputs; };
  return check_gradients("fast_grnn", outputs, {nn::normal<double>({5, 2, 2}, 1, random)},
                         {.parameters = cell.parameters()});
}

struct Result {
  plot::Curve curve;
  double error;  // on rows that were not learnt from
};

template <class C>
Result train(const Flags& flags, const char* name, C cell, app::Log& log) {
  Random random(flags.common.seed + 1), unseen(flags.common.seed + 2);  // the same rows for every cell
  Random weights(flags.common.seed + 3);
  const std::size_t units = cell.initial_state(1).h.size();
  Model<C> model{std::move(cell), {{.input = units, .output = 1}, weights}};
  const Problem test = problem(flags.length, 500, unseen);
  const auto parameters = model.parameters();
  Workers workers(flags.common.threads);
  optim::Adam<float> adam({.learning_rate = flags.rate});
  optim::FiniteSteps finite;
  app::Progress progress(flags.updates, "updates", flags.common.quiet);
  const auto error = [&] { return static_cast<double>(model.errors(test, 0, 500).item()) / 500; };

  Result result{{name, {0}, {error()}}, 0};
  const std::size_t often = std::max<std::size_t>(1, flags.updates / 20);
  for (std::size_t update = 1; update <= flags.updates && !app::interrupted(); ++update) {
    if (update == (3 * flags.updates + 3) / 4) adam.set_learning_rate(flags.rate / 5);
    const Problem rows = problem(flags.length, flags.batch, random);
    auto learned = learn<float>(workers, flags.batch, [&](const Shard& shard) {
      return model.errors(rows, shard.begin, shard.end) * (1 / static_cast<float>(flags.batch));
    });
    if (finite(optim::clip_global_norm(learned.gradients, 1))) adam.step(parameters, learned.gradients);
    progress.show(name, learned.loss, update);
    if (update % often != 0) continue;
    result.curve.x.push_back(static_cast<double>(update)), result.curve.y.push_back(error());
    log.write({{"cell", name}, {"update", update}, {"train", learned.loss}, {"test", result.curve.y.back()}});
  }
  progress.clear();
  result.error = error();
  app::say(flags.common, "%-8s %8zu %8zu %9.4f %7.1f s\n", name, units, parameters.elements(), result.error,
           progress.seconds());
  return result;
}

int body(const CLI::App& app, Flags& flags) {
  set_gemm_threads(1);
  if (flags.common.smoke) {
    app::smaller(app, "--length", flags.length, 20);
    app::smaller(app, "--hidden", flags.hidden, 16);
    app::smaller(app, "--updates", flags.updates, 500);
  }
  app::Log log(flags.common.log);
  const GradcheckReport report = check(flags.common.seed);
  if (!report.ok) throw std::runtime_error(report.message);
  app::say(flags.common, "gradients of FastGRNN: first right to %.0e, second to %.0e\n\n", report.first_error,
           report.second_error);

  Random random(flags.common.seed);
  FastGrnn<float> own({.input = 2, .hidden = flags.hidden}, random);
  std::size_t units = 1;  // as many as fit into the weights of the other
  const std::size_t weights = own.parameters().elements() + flags.hidden;
  while (4 * (units + 1) * (units + 4) + units + 1 <= weights) ++units;
  nn::Lstm<float> lstm({.input = 2, .hidden = units}, random);

  app::say(flags.common, "%-8s %8s %8s %9s\n", "", "units", "weights", "error");
  const Result ours = train(flags, "FastGRNN", std::move(own), log);
  if (app::interrupted()) return app::say(flags.common, "stopped\n"), app::stopped;
  const Result theirs = train(flags, "LSTM", std::move(lstm), log);
  if (app::interrupted()) return app::say(flags.common, "stopped\n"), app::stopped;
  const plot::Axes axes{"The adding problem, " + std::to_string(flags.length) + " numbers", "updates",
                        "squared error on unseen rows", true};
  app::draw(flags.common, flags.picture, {{axes, {ours.curve, theirs.curve}}});
  std::printf("squared error: FastGRNN %.4f, LSTM %.4f, always 1: %.4f\n", ours.error, theirs.error, 1.0 / 6);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Trains a recurrent cell of one's own on the adding problem, beside an LSTM: a table and a picture.\n"
      "  custom_cell\n"
      "  custom_cell --length 300 --updates 3000 --picture long.png"};
  app.name("custom_cell");
  Flags flags;
  app::add_count(app, "--length", flags.length, "numbers in a row", 100000, 2);
  app::add_count(app, "--hidden", flags.hidden, "units of the cell", 4096, 4);
  app::add_count(app, "--updates", flags.updates, "batches to learn from", 1000000);
  app::add_count(app, "--batch", flags.batch, "rows of a batch", 100000);
  app::add_number(app, "--learning-rate", flags.rate, "of Adam; a fifth of it for the last quarter", 1e-9, 1);
  app::add_picture(app, flags.picture, "both curves");
  app::add_common(app, flags.common, "20 numbers, 16 units, 500 updates, to see that it runs");
  return app::run(app, argc, argv, [&] { return body(app, flags); });
}
