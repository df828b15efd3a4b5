// What looking for anomalies costs: a training step of an LSTM with and without DetectAnomalies, in turns, one thread.
//     anomaly [rounds]
// Medians; nobody looking on is the library as it is, which asks at each op whether somebody does. `plain` is the same
// LSTM written op by op, where the library's has one fused op a step.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "autograd/anomaly.hpp"
#include "autograd/autograd.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/unroll.hpp"

namespace {

using namespace rw;

struct PlainLstm : nn::Lstm<float> {
  using Lstm::Lstm;

  nn::Step<float, State> step(const Variable<float>& x, const State& s) const {
    const auto gates = split(affine(s.h, weight_hh, x), 4, -1);
    const Variable<float> c = sigmoid(gates[1]) * s.c + sigmoid(gates[0]) * tanh(gates[2]);
    const Variable<float> h = sigmoid(gates[3]) * tanh(c);
    return {h, {h, c}};
  }
};

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

struct Size {
  std::size_t steps, batch, units;
};

template <class Cell>
void race(const char* name, const Size& s, std::size_t rounds) {
  Random random(1);
  const Cell cell({.input = s.units, .hidden = s.units}, random);
  Tensor<float> xs = empty<float>({s.steps, s.batch, s.units});
  for (float& x : xs) x = static_cast<float>(random.uniform(-1, 1));
  const Variable<float> sequence = std::move(xs);
  const auto milliseconds = [&] {
    const auto begin = std::chrono::steady_clock::now();
    Tape<float> tape;
    tape.backward(sum(square(nn::unroll(cell, sequence).outputs)));
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  };
  std::vector<double> alone, watched;
  for (std::size_t round = 0; round <= rounds; ++round) {
    const double without = milliseconds();
    const DetectAnomalies anomalies;
    const double with = milliseconds();
    if (round == 0) continue;  // warm-up
    alone.push_back(without);
    watched.push_back(with);
  }
  const double off = median(alone), on = median(watched);
  std::printf("| %s %zu,%zu,%zu | %.3f | %.3f | %.2f |\n", name, s.steps, s.batch, s.units, off, on, on / off);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::max(1ul, std::strtoul(argv[1], nullptr, 10)) : 50;
  set_gemm_threads(1);
  std::puts("| T,B,H | nobody looks on, ms | DetectAnomalies, ms | ratio |\n|---|---|---|---|");
  for (const Size& s : {Size{50, 1, 16}, Size{50, 4, 16}, Size{50, 32, 64}, Size{50, 32, 128}, Size{50, 32, 256}}) {
    race<nn::Lstm<float>>("lstm", s, rounds);
    race<PlainLstm>("plain", s, rounds);
  }
}
