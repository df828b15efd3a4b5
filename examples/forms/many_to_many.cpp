// Many to many, step by step: x₁ ... x_T → y₁ ... y_T. The sum so far of digits 0 to 4, modulo 5.
// To reach: every sum right on sequences twice as long as those trained on.

#include "autograd/ops/reduce.hpp"
#include "examples/forms/form.hpp"
#include "nn/cells/gru.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

constexpr std::size_t base = 5;

struct Model {
  nn::Embedding<float> embedding;
  nn::Gru<float> cell;
  nn::Linear<float> readout;

  /// digits [T, B] -> logits [T, B, 5].
  Variable<float> operator()(const Indices& digits) const { return readout(unroll(cell, embedding(digits)).outputs); }
};

/// Random digits and their sums so far, [steps, rows] each.
std::pair<Indices, Indices> sums(std::size_t steps, std::size_t rows, Random& random) {
  Indices digits = zeros<std::int64_t>({steps, rows}), sums = digits;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    digits.data()[i] = static_cast<std::int64_t>(random.below(base));
    sums.data()[i] = ((i < rows ? 0 : sums.data()[i - rows]) + digits.data()[i]) % static_cast<std::int64_t>(base);
  }
  return {digits, sums};
}

}  // namespace

int main(int argc, char** argv) {
  return forms::run(argc, argv, "Many to many: the sum so far of digits, modulo 5.", [](const app::Common& flags) {
    Random random(flags.seed);
    Model model{{{.vocabulary = base, .dimension = 8}, random},
                {{.input = 8, .hidden = 32}, random},
                {{.input = 32, .output = base}, random}};
    const auto loss = [&] {
      const auto [digits, so_far] = sums(12, 64, random);
      return nn::cross_entropy(model(digits), so_far);
    };
    forms::train(forms::parameters_of(model.embedding, model.cell, model.readout), 1500, 0.01, loss, flags);

    const auto [digits, so_far] = sums(24, 500, random);
    const double share = forms::accuracy(model(digits), so_far);
    return forms::report("many to many: sums right at twice the length", share, "all", share == 1);
  });
}
