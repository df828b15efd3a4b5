// One to many: x → y₁ ... y₈. Four classes stand for four random sequences of eight steps of four bits (Jordan 1986
// calls them plans), which the model brings forth from the class alone.
// To reach: all bits.

#include "autograd/ops/activation.hpp"
#include "autograd/ops/exponential.hpp"
#include "autograd/ops/reduce.hpp"
#include "examples/forms/form.hpp"
#include "nn/cells/gru.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

constexpr std::size_t classes = 4, steps = 8, width = 4;

struct Model {
  nn::Embedding<float> start;
  nn::Gru<float> cell;
  nn::Linear<float> readout;

  /// ids [B] -> logits [8, B, 4]. The class is where the state begins; nothing is read later.
  Variable<float> operator()(const Indices& ids) const {
    const Variable<float> nothing = zeros<float>({steps, ids.size(), 1});
    return readout(unroll(cell, nothing, {.initial = {{start(ids)}}}).outputs);
  }
};

}  // namespace

int main(int argc, char** argv) {
  return forms::run(argc, argv, "One to many: a class brings forth its sequence.", [](const app::Common& flags) {
    Random random(flags.seed);
    Model model{{{.vocabulary = classes, .dimension = 16}, random},
                {{.input = 1, .hidden = 16}, random},
                {{.input = 16, .output = width}, random}};
    const Indices ids = tensor<std::int64_t>({classes}, {0, 1, 2, 3});
    Tensor<float> bits = empty<float>({steps, classes, width});
    for (float& bit : bits) bit = static_cast<float>(random.below(2));
    const auto loss = [&] {  // −log of the probability of each bit
      const auto logits = model(ids);
      return mean(softplus(logits) - Variable<float>(bits) * logits);
    };
    forms::train(forms::parameters_of(model.start, model.cell, model.readout), 600, 0.02, loss, flags);

    const auto logits = model(ids);
    double right = 0;
    for (std::size_t i = 0; i < bits.size(); ++i) right += (logits.value().data()[i] > 0) == (bits.data()[i] == 1);
    const double share = right / static_cast<double>(bits.size());
    return forms::report("one to many: bits brought forth", share, "all", share == 1);
  });
}
