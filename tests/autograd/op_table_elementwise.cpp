#include <algorithm>
#include <cmath>

#include "op_table.hpp"

namespace rw::test {

OpRows arithmetic_rows() {
  const Range any{-1.5, 1.5}, positive{0.5, 2};
  OpRow clipped = elementwise(
      "clip", [](auto x) { return clip(x, -0.5, 0.7); }, [](double x) { return std::min(std::max(x, -0.5), 0.7); },
      {any});
  clipped.wrong = {
      {[] { clip(Variable<double>(scalar(1.0)), 2, 1); }, "clip: expected low <= high; got low 2, high 1"}};
  return {
      elementwise(
          "add", [](auto a, auto b) { return a + b; }, [](double a, double b) { return a + b; }, {any, any}),
      elementwise(
          "add(number)", [](auto a) { return 2 + a + 0.5; }, [](double a) { return a + 2.5; }, {any}),
      elementwise(
          "subtract", [](auto a, auto b) { return a - b; }, [](double a, double b) { return a - b; }, {any, any}),
      elementwise(
          "subtract(number)", [](auto a) { return 2 - (a - 0.5); }, [](double a) { return 2.5 - a; }, {any}),
      elementwise(
          "multiply", [](auto a, auto b) { return a * b; }, [](double a, double b) { return a * b; }, {any, any}),
      elementwise(
          "multiply(number)", [](auto a) { return 3 * a * 0.5; }, [](double a) { return 1.5 * a; }, {any}),
      elementwise(
          "divide", [](auto a, auto b) { return a / b; }, [](double a, double b) { return a / b; }, {any, positive}),
      elementwise(
          "divide(number)", [](auto a) { return 3 / a / 2; }, [](double a) { return 1.5 / a; }, {positive}),
      elementwise(
          "negate", [](auto a) { return -a; }, [](double a) { return -a; }, {any}),
      stable(elementwise(
          "maximum", [](auto a, auto b) { return maximum(a, b); }, [](double a, double b) { return a > b ? a : b; },
          {any, any})),
      elementwise(
          "maximum(number)", [](auto a) { return maximum(a, 0.25); }, [](double a) { return std::max(a, 0.25); },
          {any}),
      stable(elementwise(
          "minimum", [](auto a, auto b) { return minimum(a, b); }, [](double a, double b) { return a < b ? a : b; },
          {any, any})),
      // A comparison as condition, because a plain input would jump under the differences of the gradient check.
      elementwise(
          "where", [](auto c, auto a, auto b) { return where(greater(c, 0.25), a, b); },
          [](double c, double a, double b) { return c > 0.25 ? a : b; }, {any, any, any}),
      elementwise(
          "where(number)", [](auto c) { return where(less(c, 0.25), 2, c * c) + where(less(c, 0.25), c, 3); },
          [](double c) { return c < 0.25 ? 2 + c : c * c + 3; }, {any}),
      stable(std::move(clipped)),
  };
}

OpRows compare_rows() {
  const Range whole{-1.4, 1.4, true};  // -1, 0, 1: often equal
  return {
      constant(elementwise(
          "greater", [](auto a, auto b) { return greater(a, b); }, [](double a, double b) { return a > b; },
          {whole, whole})),
      constant(elementwise(
          "greater_equal", [](auto a, auto b) { return greater_equal(a, b); },
          [](double a, double b) { return a >= b; }, {whole, whole})),
      constant(elementwise(
          "less(number)", [](auto a) { return less(a, 0) + 2 * greater(0, a); }, [](double a) { return 3 * (a < 0); },
          {whole})),
      constant(elementwise(
          "less_equal(number)", [](auto a) { return less_equal(a, 0) + 2 * greater_equal(1, a); },
          [](double a) { return (a <= 0) + 2 * (a <= 1); }, {whole})),
      constant(elementwise(
          "equal", [](auto a, auto b) { return equal(a, b); }, [](double a, double b) { return a == b; },
          {whole, whole})),
      constant(elementwise(
          "sign", [](auto a) { return sign(a); }, [](double a) { return (a > 0) - (a < 0); }, {whole})),
  };
}

OpRows exponential_rows() {
  const Range any{-1.5, 1.5}, positive{0.5, 2};
  return {
      elementwise(
          "square", [](auto x) { return square(x); }, [](double x) { return x * x; }, {any}),
      elementwise(
          "sqrt", [](auto x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, {positive}),
      stable(elementwise(
          "abs", [](auto x) { return abs(x); }, [](double x) { return std::abs(x); }, {any})),
      elementwise(
          "exp", [](auto x) { return exp(x); }, [](double x) { return std::exp(x); }, {any}),
      elementwise(
          "log", [](auto x) { return log(x); }, [](double x) { return std::log(x); }, {positive}),
      elementwise(
          "log1p", [](auto x) { return log1p(x); }, [](double x) { return std::log1p(x); }, {Range{-0.5, 2}}),
      elementwise(
          "log1p(small)", [](auto x) { return 1e6 * log1p(x * 1e-9); },
          [](double x) { return 1e6 * std::log1p(x * 1e-9); }, {any}),
      elementwise(
          "sin", [](auto x) { return sin(x); }, [](double x) { return std::sin(x); }, {Range{-7, 7}}),
      elementwise(
          "cos", [](auto x) { return cos(x); }, [](double x) { return std::cos(x); }, {Range{-7, 7}}),
      stable(elementwise(
          "erf", [](auto x) { return erf(x); }, [](double x) { return std::erf(x); }, {any})),
      elementwise(
          "pow", [](auto a, auto b) { return pow(a, b); }, [](double a, double b) { return std::pow(a, b); },
          {positive, any}),
      elementwise(
          "pow(number)", [](auto a) { return pow(a, 3) + pow(2, a); },
          [](double a) { return a * a * a + std::exp2(a); }, {positive}),
      elementwise(
          "pow(negative base)", [](auto a) { return pow(a, 3) + pow(a, 2); },
          [](double a) { return a * a * a + a * a; }, {Range{-1.5, -0.5}}),
  };
}

OpRows activation_rows() {
  const Range any{-4, 4};
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  return {
      stable(elementwise(
          "tanh", [](auto x) { return tanh(x); }, [](double x) { return std::tanh(x); }, {any})),
      stable(elementwise("sigmoid", [](auto x) { return sigmoid(x); }, logistic, {any})),
      stable(elementwise(
          "relu", [](auto x) { return relu(x); }, [](double x) { return std::max(x, 0.0); }, {any})),
      stable(elementwise(
          "leaky_relu", [](auto x) { return leaky_relu(x, 0.2); }, [](double x) { return x > 0 ? x : 0.2 * x; },
          {any})),
      stable(elementwise(
          "elu", [](auto x) { return elu(x, 1.3); }, [](double x) { return x > 0 ? x : 1.3 * std::expm1(x); }, {any})),
      stable(elementwise(
          "gelu", [](auto x) { return gelu(x); }, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); },
          {any})),
      stable(elementwise(
          "softplus", [](auto x) { return softplus(x); }, [](double x) { return std::log1p(std::exp(x)); }, {any})),
      stable(elementwise(
          "hard_sigmoid", [](auto x) { return hard_sigmoid(x); },
          [](double x) { return std::clamp(x / 6 + 0.5, 0.0, 1.0); }, {any})),
  };
}

}  // namespace rw::test
