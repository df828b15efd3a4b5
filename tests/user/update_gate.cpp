// A program as a user of the library writes it, in one file: a recurrent cell that the library does not have, trained
// to tell after every bit whether the ones so far are odd.

#include <cstdio>

#include "autograd/ops/reduce.hpp"
#include "nn/cells/gru.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/unroll.hpp"
#include "optim/optim.hpp"

using namespace rw;

/// Update gate network (Collins, Sohl-Dickstein & Sussillo 2017):  g = σ(x·W_g + h·U_g + b_g),
/// h' = g ⊙ h + (1 − g) ⊙ tanh(x·W_c + h·U_c + b_c)
struct UpdateGate {
  struct State {
    Variable<float> h;
  };

  UpdateGate(std::size_t input, std::size_t hidden, Random& random)
      : w("w", nn::glorot_uniform_blocks<float>({input, 2 * hidden}, 2, random)),
        b("b", nn::bias_blocks<float>(hidden, {0, 1})),
        u("u", nn::orthogonal_blocks<float>({hidden, 2 * hidden}, 2, random)) {}

  State initial_state(std::size_t batch) const { return {zeros<float>({batch, u.shape()[0]})}; }

  Variable<float> project(const Variable<float>& xs) const { return affine(xs, w, b); }

  nn::Step<float, State> step(const Variable<float>& x, const State& s) const {
    const auto [c, g] = split<2>(affine(s.h, u, x));
    const auto h = sigmoid(g) * s.h + (1 - sigmoid(g)) * tanh(c);
    return {h, {h}};
  }

  nn::Parameters<float> parameters() { return {w, b, u}; }

  Parameter<float> w, b, u;
};

int main() {
  constexpr std::size_t steps = 12, batch = 64;
  Random random(1);
  UpdateGate cell(1, 16, random);
  nn::Linear<float> readout({.input = 16, .output = 2}, random);
  nn::Parameters<float> parameters;
  parameters.add("cell", cell.parameters());
  parameters.add("readout", readout.parameters());
  optim::Adam<float> adam({.learning_rate = 0.01});

  double loss = 1;
  for (int step = 1; step <= 2000 && loss > 0.01; ++step) {
    Tensor<float> bits = zeros<float>({steps, batch, 1});
    Indices odd = zeros<std::int64_t>({steps, batch});
    for (std::size_t i = 0; i < bits.size(); ++i) {
      bits.data()[i] = static_cast<float>(random.below(2));
      odd.data()[i] = (i < batch ? 0 : odd.data()[i - batch]) ^ static_cast<int>(bits.data()[i]);
    }
    Tape<float> tape;
    const auto logits = readout(nn::unroll(cell, Variable<float>(bits)).outputs);
    const auto error = nn::cross_entropy(logits, odd);
    auto gradients = tape.backward(error);
    optim::clip_global_norm(gradients, 1);
    adam.step(parameters, gradients);
    loss = error.item();
    if (step % 100 == 0) std::printf("step %d: loss %.4f\n", step, loss);
  }
  std::printf("loss %.4f\n", loss);
  return loss <= 0.01 ? 0 : 1;
}
