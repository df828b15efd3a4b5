// One to one: x → y, no sequence. The next value of the logistic map x' = 4·x·(1 − x) from the present one.
// To reach: a root mean square error of at most 0.02 on an orbit not trained on.

#include "autograd/ops/activation.hpp"
#include "autograd/ops/reduce.hpp"
#include "examples/forms/form.hpp"
#include "nn/linear.hpp"

using namespace rw;

namespace {

struct Model {
  nn::Linear<float> inner, outer;

  Variable<float> operator()(const Variable<float>& x) const { return outer(tanh(inner(x))); }
};

/// n values of an orbit and those that follow them, [n, 1] each.
std::pair<Variable<float>, Variable<float>> orbit(std::size_t n, double x) {
  Tensor<float> now = empty<float>({n, 1}), next = empty<float>({n, 1});
  for (std::size_t i = 0; i < n; ++i) {
    now.data()[i] = static_cast<float>(x);
    x = 4 * x * (1 - x);
    next.data()[i] = static_cast<float>(x);
  }
  return {now, next};
}

}  // namespace

int main(int argc, char** argv) {
  return forms::run(argc, argv, "One to one: the next value of the logistic map.", [](const app::Common& flags) {
    Random random(flags.seed);
    Model model{{{.input = 1, .output = 16}, random}, {{.input = 16, .output = 1}, random}};
    const auto [x, y] = orbit(200, 0.3);
    const auto error = [&](const Variable<float>& x, const Variable<float>& y) { return mean(square(model(x) - y)); };
    forms::train(
        forms::parameters_of(model.inner, model.outer), 6000, 0.01, [&, &x = x, &y = y] { return error(x, y); }, flags);

    const auto [other, after] = orbit(200, 0.71);
    const double rmse = std::sqrt(error(other, after).item());
    return forms::report("one to one: error of the next value", rmse, "at most 0.02", rmse <= 0.02);
  });
}
