// A program as a user of the library writes it: a recurrent cell that the library does not have, trained to tell after
// every bit whether the ones so far are odd; saved, reloaded, and run bit by bit.
//
//     update_gate MODEL.safetensors

#include "update_gate.hpp"

#include <cstdio>

#include "optim/optim.hpp"

using namespace rw;

namespace {

struct Model {
  explicit Model(Random& random) : cell(1, 16, random), readout({.input = 16, .output = 2}, random) {}

  nn::Parameters<float> parameters() {
    nn::Parameters<float> all;
    all.add("cell", cell.parameters());
    all.add("readout", readout.parameters());
    return all;
  }

  UpdateGate<float> cell;
  nn::Linear<float> readout;
};

double train(Model& model, Random& random) {
  constexpr std::size_t steps = 12, batch = 64;
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
    const auto error = nn::cross_entropy(model.readout(nn::unroll(model.cell, Variable<float>(bits)).outputs), odd);
    auto gradients = tape.backward(error);
    optim::clip_global_norm(gradients, 1);
    adam.step(model.parameters(), gradients);
    loss = error.item();
    if (step % 100 == 0) std::printf("step %d: loss %.4f\n", step, loss);
  }
  return loss;
}

/// The share of right answers along one sequence, longer than any learnt from, that comes bit by bit.
double stream(const Model& model, std::size_t steps, Random& random) {
  UpdateGate<float>::State state = model.cell.initial_state(1);
  std::size_t right = 0, odd = 0;
  for (std::size_t t = 0; t < steps; ++t) {
    const std::size_t bit = random.below(2);
    odd ^= bit;
    const auto step = nn::step(model.cell, Variable<float>(full<float>({1, 1}, static_cast<float>(bit))), state);
    state = step.state;
    const auto logits = model.readout(step.output);
    right += (logits.value().data()[1] > logits.value().data()[0]) == (odd == 1);
  }
  return static_cast<double>(right) / static_cast<double>(steps);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: update_gate MODEL.safetensors\n"), 2;
  Random random(1);
  Model model(random);
  const double loss = train(model, random);
  std::printf("loss %.4f\n", loss);
  nn::save(argv[1], model.parameters());

  Model loaded(random);
  nn::load(argv[1], loaded.parameters());
  const double right = stream(loaded, 200, random);
  std::printf("reloaded, bit by bit: %.1f %% right\n", 100 * right);
  return loss <= 0.01 && right == 1 ? 0 : 1;
}
