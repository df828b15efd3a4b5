// Peak memory and time of a training step over a long sequence: plain records, recomputed segments, truncated windows.
//     through_time [budget in MB]
// Each row is a process of its own, whose peak less what it began with is what the row says.
// An LSTM of 32 inputs and 64 hidden units in float, 8 rows; the loss reads the last state, so no outputs are kept.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "autograd/ops/reduce.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/checkpointing.hpp"
#include "nn/truncated.hpp"

namespace {

using namespace rw;
using Cell = nn::Lstm<float>;

constexpr std::size_t batch = 8, inputs = 32, hidden = 64;

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void row(const std::string& name, std::size_t steps, const std::function<float(Cell&, const Variable<float>&)>& train) {
  std::fflush(stdout);
  const pid_t process = fork();
  if (process == 0) {
    Random random(1);
    Cell cell({.input = inputs, .hidden = hidden}, random);
    Tensor<float> xs = empty<float>({steps, batch, inputs});
    for (float& x : xs) x = static_cast<float>(random.uniform(-1, 1));
    const Variable<float> sequence = std::move(xs);
    const double before = peak_mb();
    const auto begin = std::chrono::steady_clock::now();
    float norm = 0;
    try {
      norm = train(cell, sequence);
    } catch (const std::exception& e) {
      std::printf("| %s | %zu | %s |\n", name.c_str(), steps, e.what());
      std::fflush(stdout);
      _exit(1);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("| %s | %zu | %.1f | %.2f | %.6g |\n", name.c_str(), steps, peak_mb() - before, seconds.count(), norm);
    std::fflush(stdout);
    _exit(0);
  }
  waitpid(process, nullptr, 0);
}

float through(Cell& cell, const Variable<float>& xs, const nn::Checkpointing* how) {
  Tape<float> tape;
  const auto run = how != nullptr ? nn::unroll_checkpointed(cell, xs, {.outputs = false}, *how)
                                  : nn::unroll(cell, xs, {.outputs = false});
  return static_cast<float>(tape.backward(sum(square(run.state.h))).norm());
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t budget = argc > 1 ? std::strtoul(argv[1], nullptr, 10) * 1'000'000 : 200'000'000;
  std::puts("| records | T | peak, MB | seconds | norm of the gradients |\n|---|---|---|---|---|");
  for (const std::size_t steps : {1000, 4000, 16'000, 64'000, 100'000}) {
    const nn::Checkpointing root{}, within{.bytes = budget};
    row("plain", steps, [](Cell& cell, const auto& xs) { return through(cell, xs, nullptr); });
    row("√T", steps, [&](Cell& cell, const auto& xs) { return through(cell, xs, &root); });
    row("budget", steps, [&](Cell& cell, const auto& xs) { return through(cell, xs, &within); });
    row("windows of 100", steps, [&](Cell& cell, const auto& xs) {
      nn::Truncated<Cell> through_time(cell, {.every = 100, .back = 100});
      float norm = 0;
      for (std::size_t t = 0; t < xs.shape()[0]; t += 100) {
        const auto window = xs.part(t * batch * inputs, {100, batch, inputs});
        norm = static_cast<float>(
            through_time.step(window, [](const auto& ys) { return sum(square(ys)); }).gradients.norm());
      }
      return norm;
    });
  }
}
