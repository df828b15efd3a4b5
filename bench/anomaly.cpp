// What looking for anomalies costs: a training step of an LSTM with and without DetectAnomalies, in turns, one thread.
//     anomaly [rounds]
// Medians; nobody looking on is the library as it is, which asks at each op whether somebody does.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "autograd/anomaly.hpp"
#include "autograd/blas.hpp"
#include "autograd/ops/reduce.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/unroll.hpp"

namespace {

using namespace rw;
using Cell = nn::Lstm<float>;

double milliseconds(const Cell& cell, const Variable<float>& xs) {
  const auto begin = std::chrono::steady_clock::now();
  Tape<float> tape;
  tape.backward(sum(square(nn::unroll(cell, xs).outputs)));
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::max(1ul, std::strtoul(argv[1], nullptr, 10)) : 50;
  set_gemm_threads(1);
  struct Size {
    std::size_t steps, batch, units;
  };
  std::puts("| lstm T,B,H | nobody looks on, ms | DetectAnomalies, ms | ratio |\n|---|---|---|---|");
  for (const Size& s : {Size{50, 4, 16}, Size{50, 32, 64}, Size{50, 32, 128}, Size{50, 32, 256}}) {
    Random random(1);
    const Cell cell({.input = s.units, .hidden = s.units}, random);
    Tensor<float> xs = empty<float>({s.steps, s.batch, s.units});
    for (float& x : xs) x = static_cast<float>(random.uniform(-1, 1));
    const Variable<float> sequence = std::move(xs);
    std::vector<double> alone, watched;
    for (std::size_t round = 0; round <= rounds; ++round) {
      const double without = milliseconds(cell, sequence);
      const DetectAnomalies anomalies;
      const double with = milliseconds(cell, sequence);
      if (round == 0) continue;  // warm-up
      alone.push_back(without);
      watched.push_back(with);
    }
    const double off = median(alone), on = median(watched);
    std::printf("| %zu,%zu,%zu | %.3f | %.3f | %.2f |\n", s.steps, s.batch, s.units, off, on, on / off);
  }
}
