// Shows gradients die and live: how large the gradient of a loss at the last step still is at earlier steps, for
// recurrent cells as they begin, side by side.
//
//     gradient_flow                              a table, and a picture in gradient_flow.svg
//     gradient_flow --steps 1000 --output g.png

#include "nn/gradient_flow.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "autograd/blas.hpp"
#include "examples/app/plot.hpp"
#include "examples/app/program.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/ind_rnn.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"

namespace {

using namespace rw;

struct Flags {
  std::uint64_t seed = 1;
  std::size_t steps = 200, hidden = 64;
  std::string output = "gradient_flow.svg";
  bool quiet = false, smoke = false;
};

struct Line {
  std::string name;
  std::vector<double> norms;  // over T − t
};

/// Cells as they are drawn, on the same inputs: 8 sequences of 4 standard normal numbers a step. The units of the
/// IndRNN remember long, and those of the second LSTM up to all steps.
std::vector<Line> lines(const Flags& flags) {
  constexpr std::size_t batch = 8, input = 4;
  Random random(flags.seed);
  const Variable<double> xs = nn::normal<double>({flags.steps, batch, input}, 1, random);
  const auto longest = static_cast<double>(flags.steps);
  const nn::Rnn<double> rnn({.input = input, .hidden = flags.hidden}, random);
  const nn::IndRnn<double> ind_rnn(
      {.input = input, .hidden = flags.hidden, .bound = nn::ind_rnn_bound(flags.steps), .least = 0.9}, random);
  const nn::Gru<double> gru({.input = input, .hidden = flags.hidden}, random);
  const nn::Lstm<double> lstm({.input = input, .hidden = flags.hidden}, random);
  nn::Lstm<double> chrono({.input = input, .hidden = flags.hidden}, random);
  chrono.bias->assign(nn::chrono<double>(flags.hidden, longest, {-1, 1, 0, 0}, random));
  return {{"simple RNN", gradient_flow(rnn, xs)},
          {"IndRNN", gradient_flow(ind_rnn, xs)},
          {"GRU", gradient_flow(gru, xs)},
          {"LSTM", gradient_flow(lstm, xs)},
          {"LSTM, chrono", gradient_flow(chrono, xs)}};
}

/// Rows for 0, 1, 2, 5, 10, 20, 50, ... steps back and for all.
void print(const std::vector<Line>& all, std::size_t steps) {
  std::printf("%8s", "T - t");
  for (const Line& line : all) std::printf("  %12s", line.name.c_str());
  std::printf("\n");
  const auto row = [&](std::size_t back) {
    std::printf("%8zu", back);
    for (const Line& line : all) std::printf("  %12.3g", line.norms[back]);
    std::printf("\n");
  };
  row(0);
  for (std::size_t ten = 1; ten < steps; ten *= 10) {
    for (const std::size_t digit : {1, 2, 5}) {
      if (digit * ten < steps) row(digit * ten);
    }
  }
  row(steps);
}

/// Returns false where there is no gnuplot.
bool picture(const std::vector<Line>& all, const std::string& path) {
  std::vector<plot::Curve> curves;
  for (const Line& line : all) {
    plot::Curve& curve = curves.emplace_back(plot::Curve{line.name, {}, line.norms});
    for (std::size_t back = 0; back < line.norms.size(); ++back) curve.x.push_back(static_cast<double>(back));
  }
  const plot::Axes axes{.title = "How far a gradient reaches back",
                        .x = "steps back, T - t",
                        .y = "norm of the gradient of the last output by the state at t",
                        .log_y = true};
  return plot::draw(path, axes, curves);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program{"Shows how far gradients reach back in recurrent cells as they begin: a table and a picture."};
  program.name("gradient_flow");
  Flags flags;
  program.add_option("--seed", flags.seed, "same seed, same numbers")->capture_default_str();
  program.add_option("--steps", flags.steps, "time steps")->check(CLI::Range(3, 100000))->capture_default_str();
  program.add_option("--hidden", flags.hidden, "units of each cell")->check(CLI::Range(1, 8192))->capture_default_str();
  program.add_option("--output", flags.output, "picture, .png or .svg; '' for none")->capture_default_str();
  program.add_flag("--quiet", flags.quiet, "no table");
  program.add_flag("--smoke", flags.smoke, "20 steps of 8 units, to see that it runs");
  return app::run(program, argc, argv, [&] {
    set_gemm_threads(1);
    if (flags.smoke) flags.steps = 20, flags.hidden = 8;
    const std::vector<Line> all = lines(flags);
    if (!flags.quiet) print(all, flags.steps);
    if (!flags.output.empty()) {
      const bool drawn = picture(all, flags.output);
      if (!drawn) std::fprintf(stderr, "gradient_flow: no picture, because gnuplot is not installed\n");
      if (drawn && !flags.quiet) std::printf("picture: %s\n", flags.output.c_str());
    }
    return 0;
  });
}
