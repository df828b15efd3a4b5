#include "bench/ours.hpp"
#include "bench/race.hpp"
#include "bench/torch.hpp"
#include "nn/cells/rnn.hpp"

// What an op costs where there is next to nothing to compute: a chain of a thousand small ops, and ten thousand steps
// of a small cell on one sequence.

namespace bench {
namespace {

constexpr std::size_t chain_ops = 1000, steps = 10000;

/// y ← σ(tanh(y·w + b)), four ops at a time. x [T, B, I] with T·B = 1.
struct Chain {
  explicit Chain(const Task& t, bool wanted)
      : w("w", rw::zeros<float>({t.I})), b("b", rw::zeros<float>({t.I})), wants_weights(wanted) {
    fill({w, b}, t.H);
  }

  rw::Variable<float> operator()(const rw::Variable<float>& x) const {
    rw::Variable<float> factor = w, offset = b, y = x;
    if (!wants_weights) factor = w.detached(), offset = b.detached();
    for (std::size_t i = 0; i < chain_ops / 4; ++i) y = sigmoid(tanh(y * factor + offset));
    return y;
  }

  rw::nn::Parameters<float> parameters() {
    return wants_weights ? rw::nn::Parameters<float>{w, b} : rw::nn::Parameters<float>{};
  }

  rw::Parameter<float> w, b;
  bool wants_weights;
};

/// The last state of a long sequence.
struct LastState {
  rw::nn::Rnn<float> cell;
  rw::Variable<float> operator()(const rw::Variable<float>& xs) const {
    return rw::nn::unroll(cell, xs, {.outputs = false}).state.h;
  }
  rw::nn::Parameters<float> parameters() { return cell.parameters(); }
};

std::unique_ptr<Contender> make_chain(const Task& task) {
  return make_ours(Chain(task, task.cell == "chain_weights"), task);
}

std::unique_ptr<Contender> make_long(const Task& task) {
  rw::Random random(1);
  return make_ours(LastState{rw::nn::Rnn<float>({.input = task.I, .hidden = task.H}, random)}, task, false);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const auto against_torch = [](const Task& task, const MakeContender& ours, std::size_t parts) {
    return Case{task, {{"ours", ours}, {"libtorch", make_torch_small}}, false, parts};
  };
  return race(argc, argv,
              {against_torch({"chain", 1, 1, 16, 16}, make_chain, chain_ops),
               against_torch({"chain_weights", 1, 1, 16, 16}, make_chain, chain_ops),
               against_torch({"long", steps, 1, 16, 16}, make_long, steps)});
}
