// Many to one: x₁ ... x₁₀ → y. Whether the number of ones among up to ten bits is odd.
// To reach: 99.9 % of all 1,024 sequences of ten bits. What sees the bits as a bag, however it weighs each, cannot: it
// is beside for comparison.

#include "autograd/ops/reduce.hpp"
#include "examples/forms/form.hpp"
#include "nn/cells/gru.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/unroll.hpp"

using namespace rw;

namespace {

constexpr std::size_t steps = 10, all = 1 << steps;

struct Model {
  nn::Gru<float> cell;
  nn::Linear<float> readout;

  /// xs [10, B, 1] -> logits [B, 2] of even and odd, from the last valid output of each row.
  Variable<float> operator()(const Variable<float>& xs, const std::vector<std::size_t>& lengths = {}) const {
    return readout(nn::last_valid(unroll(cell, xs, {.lengths = lengths}).outputs, lengths));
  }
};

}  // namespace

int main(int argc, char** argv) {
  return forms::run(argc, argv, "Many to one: whether the number of ones is odd.", [](const app::Common& flags) {
    Random random(flags.seed);
    Model model{{{.input = 1, .hidden = 16}, random}, {{.input = 16, .output = 2}, random}};
    nn::Linear<float> bag({.input = steps, .output = 2}, random);
    Tensor<float> bits = empty<float>({steps, all, 1});
    std::vector<std::size_t> lengths(all);
    Indices odd = zeros<std::int64_t>({all}), odd_of_length = odd;
    for (std::size_t b = 0; b < all; ++b) {
      lengths[b] = 1 + random.below(steps);
      for (std::size_t t = 0; t < steps; ++t) {
        const std::size_t bit = b >> t & 1;
        bits.data()[t * all + b] = static_cast<float>(bit);
        odd.data()[b] ^= static_cast<std::int64_t>(bit);
        if (t < lengths[b]) odd_of_length.data()[b] ^= static_cast<std::int64_t>(bit);
      }
    }
    const Variable<float> xs = bits, rows = transpose(reshape(xs, {steps, all}));
    forms::train(
        forms::parameters_of(model.cell, model.readout), 500, 0.02,
        [&] { return nn::cross_entropy(model(xs, lengths), odd_of_length); }, flags);
    forms::train(bag.parameters(), 500, 0.02, [&] { return nn::cross_entropy(bag(rows), odd); });

    const double share = forms::accuracy(model(xs), odd), of_bag = forms::accuracy(bag(rows), odd);
    std::printf("many to one: a bag of bits is right in %.4f\n", of_bag);
    return forms::report("many to one: parities right", share, "at least 0.999", share >= 0.999 && of_bag < 0.6);
  });
}
