// Shows gradients die and live: how large the gradient of a loss at the last step still is at earlier steps, for
// recurrent cells as they begin, side by side.
//
//     gradient_flow                              a second: a table, and a picture in gradient_flow.svg
//     gradient_flow --steps 1000 --picture g.png
//
// To expect: after 200 steps nothing is left in a simple RNN and a GRU, a ten-millionth in an LSTM, and 5 and 13 % in
// an IndRNN and in an LSTM whose biases are drawn for so many steps.

#include "nn/gradient_flow.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "autograd/blas.hpp"
#include "examples/app/log.hpp"
#include "examples/app/picture.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/ind_rnn.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"

namespace {

using namespace rw;

struct Flags {
  app::Common common;
  std::size_t steps = 200, hidden = 64;
  std::string picture = "gradient_flow.svg";
};

struct Line {
  std::string name;
  std::vector<double> norms;  // over T − t
};

/// Cells as they are drawn, on the same inputs: 8 sequences of 4 standard normal numbers a step. The units of the
/// IndRNN remember long, and those of the second LSTM up to all steps.
std::vector<Line> lines(const Flags& flags) {
  constexpr std::size_t batch = 8, input = 4;
  Random random(flags.common.seed);
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
void print(const app::Common& common, const std::vector<Line>& all, std::size_t steps) {
  app::say(common, "%8s", "T - t");
  for (const Line& line : all) app::say(common, "  %12s", line.name.c_str());
  app::say(common, "\n");
  const auto row = [&](std::size_t back) {
    app::say(common, "%8zu", back);
    for (const Line& line : all) app::say(common, "  %12.3g", line.norms[back]);
    app::say(common, "\n");
  };
  row(0);
  for (std::size_t ten = 1; ten < steps; ten *= 10) {
    for (const std::size_t digit : {1, 2, 5}) {
      if (digit * ten < steps) row(digit * ten);
    }
  }
  row(steps);
}

plot::Panel picture(const std::vector<Line>& all) {
  std::vector<plot::Curve> curves;
  for (const Line& line : all) {
    plot::Curve& curve = curves.emplace_back(plot::Curve{line.name, {}, line.norms});
    for (std::size_t back = 0; back < line.norms.size(); ++back) curve.x.push_back(static_cast<double>(back));
  }
  const plot::Axes axes{.title = "How far a gradient reaches back",
                        .x = "steps back, T - t",
                        .y = "norm of the gradient of the last output by the state at t",
                        .log_y = true};
  return {axes, curves};
}

int body(const CLI::App& app, Flags& flags) {
  set_gemm_threads(flags.common.threads);
  if (flags.common.smoke) {
    app::smaller(app, "--steps", flags.steps, 20);
    app::smaller(app, "--hidden", flags.hidden, 8);
  }
  app::Log log(flags.common.log);
  const std::vector<Line> all = lines(flags);
  print(flags.common, all, flags.steps);
  for (std::size_t back = 0; back <= flags.steps; ++back) {
    nlohmann::ordered_json line{{"back", back}};
    for (const Line& cell : all) line[cell.name] = cell.norms[back];
    log.write(line);
  }
  app::draw(flags.common, flags.picture, {picture(all)});
  std::printf("left after %zu steps:", flags.steps);
  for (const Line& line : all) {
    std::printf("%s %s %.2g", &line == all.data() ? "" : ",", line.name.c_str(), line.norms.back() / line.norms[0]);
  }
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program{
      "Shows how far gradients reach back in recurrent cells as they begin: a table and a picture.\n"
      "  gradient_flow\n"
      "  gradient_flow --steps 1000 --picture g.png"};
  program.name("gradient_flow");
  Flags flags;
  flags.common.threads = 1;  // products as small as these gain nothing by more
  app::add_count(program, "--steps", flags.steps, "time steps", 100000, 3);
  app::add_count(program, "--hidden", flags.hidden, "units of each cell", 8192);
  app::add_picture(program, flags.picture, "the norms over the steps");
  app::add_common(program, flags.common, "20 steps of 8 units, to see that it runs");
  return app::run(program, argc, argv, [&] { return body(program, flags); });
}
