#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/tape.hpp"

namespace rw {

/// How check_gradients() differentiates and what it tolerates.
struct GradcheckOptions {
  std::vector<Parameter<double>*> parameters = {};  // checked as well as the inputs; restored afterwards
  double step = 1e-5;                               // of the central differences
  double first_tolerance = 1e-6;                    // relative error of a gradient
  double second_tolerance = 1e-4;                   // relative error of a second gradient
  bool second_order = true;
};

/// What check_gradients() found.
struct GradcheckReport {
  bool ok = true;
  std::string message = {};  // one line about the worst wrong element; empty if ok
  double first_error = 0;    // the largest relative errors met, right or wrong
  double second_error = 0;

  explicit operator bool() const { return ok; }
};

namespace detail {

using Results = std::vector<Variable<double>>;

inline Results results_of(Variable<double> y) { return {std::move(y)}; }
template <class Range>
Results results_of(const Range& ys) {
  return {ys.begin(), ys.end()};
}

GradcheckReport check_gradients(const std::string& name, const std::function<Results(const Results&)>& f,
                                std::vector<Tensor<double>> inputs, const GradcheckOptions& options);

}  // namespace detail

/// Compares the gradients of f with central differences in double:
///
///     auto report = check_gradients("my_op", [](auto& x) { return my_op(x[0], x[1]); }, {a, b});
///
/// f takes the inputs as a vector of variables and returns a variable of any shape, or a range of several.
/// First order: d⟨v, f(x)⟩/dx, where the elements of the seeds v differ in size and sign, so that no symmetry hides an
/// error. Second order: d⟨u, d⟨v, f(x)⟩/dx⟩ by x and by v, from a recorded backward pass, against differences of first
/// gradients. An error is |analytic − numeric| relative to their mean size; for elements near zero, relative to 1 % of
/// the largest element or to what rounding leaves of the differences.
/// f must be smooth within a step of x and give the same result each time. Errors thrown by f pass through.
template <class F>
GradcheckReport check_gradients(const std::string& name, const F& f, const std::vector<Tensor<double>>& inputs,
                                const GradcheckOptions& options = {}) {
  const auto results = [&f](const detail::Results& x) { return detail::results_of(f(x)); };
  return detail::check_gradients(name, results, inputs, options);
}

}  // namespace rw
