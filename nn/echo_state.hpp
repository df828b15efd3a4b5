#pragma once

#include "nn/cells/reservoir.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"

namespace rw::nn {

/// The weights W [P, O] of least ‖X·W − Y‖² + λ·‖W‖², rows X [N, P] and Y [N, O], by a QR factorisation of X over √λ·1:
/// unlike the normal equations it does not square the condition of X.
/// Throws std::invalid_argument where the numbers of rows differ, an element is not finite, λ is negative or not
/// finite, or λ is 0 and the columns of X are linearly dependent.
Tensor<double> ridge(const Tensor<double>& x, const Tensor<double>& y, double lambda);

/// Normalised root mean square error √(Σ (y − ŷ)² / Σ (y − ȳ)²): 1 for who predicts the mean ȳ.
/// Throws std::invalid_argument where the shapes differ or all targets y are equal.
template <class T>
double nrmse(const Tensor<T>& predicted, const Tensor<T>& targets);

/// How the read-out of an echo state network is fitted.
struct EchoStateFit {
  std::size_t washout = 100;  // steps left out while the reservoir forgets its initial state
  double lambda = 1e-8;       // of the ridge regression
  Random* random = nullptr;   // where the reservoir's noise is drawn from
};

/// Echo state network (Jaeger 2001, GMD report 148; Jaeger & Haas 2004): a reservoir and a linear read-out, which is
/// fitted by ridge regression in one pass.
///     h' = reservoir([x; y], h)      y' = [x; h']·V + c
/// x [B, I], h [B, H], y [B, O]; V [I + H, O], c [O]. y is heard by the reservoir only with feedback.
///
///     nn::EchoState<double> network({.output = 1, .reservoir = {.input = 1, .hidden = 400}}, random);
///     auto state = network.fit(xs, targets, {.washout = 1000});
///     const auto next = nn::unroll(network, more, {.initial = state}).outputs;
///
/// It is a cell: unroll() lets it run freely, hearing its own outputs, and gradients reach the reservoir's leak, radius
/// and input scale as well as the read-out. force() has it hear targets instead.
template <class T, class Activation = rules::Tanh>
struct EchoState {
  using Inner = Reservoir<T, Activation>;
  struct Options {
    std::size_t output;
    bool feedback = false;
    typename Inner::Options reservoir;  // its .feedback is set from the two above
  };
  struct State {
    typename Inner::State reservoir;
    Variable<T> output;
  };

  /// Until fit() the read-out is as Linear begins. Throws std::invalid_argument as Reservoir does, or where there is no
  /// output.
  EchoState(const Options& options, Random& random)
      : feedback(options.feedback),
        reservoir(inner(options), random),
        readout({.input = options.reservoir.input + options.reservoir.hidden, .output = options.output}, random) {}

  State initial_state(std::size_t batch) const {
    return {reservoir.initial_state(batch), zeros<T>({batch, readout.weight.shape()[1]})};
  }

  Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr) const {
    auto inner = nn::step(reservoir, feedback ? concatenate({x, s.output}, -1) : x, s.reservoir, random);
    const auto y = readout(concatenate({x, inner.output}, -1));
    return {y, {std::move(inner.state), y}};
  }

  /// Outputs [T, B, O] for xs [T, B, I] while the reservoir hears the targets [T, B, O] of the steps before, and the
  /// state after the last: teacher forcing.
  /// Throws std::invalid_argument as unroll(), or where the targets do not fit xs or are not finite.
  Unrolled<T, State> force(const Variable<T>& xs, const Variable<T>& targets, const std::optional<State>& initial = {},
                           Random* random = nullptr) const {
    auto forced = harvest(xs, targets, initial, random);
    forced.outputs = readout(forced.outputs);
    return forced;
  }

  /// Fits the read-out to the targets [T, B, O] for xs [T, B, I], under teacher forcing, in double; returns the state
  /// after the last step. Records nothing.
  /// Throws std::invalid_argument as force() and ridge(), or where the washout leaves no step, and changes nothing.
  State fit(const Variable<T>& xs, const Variable<T>& targets, const EchoStateFit& options = {}) {
    const Pause<T> pause;
    auto harvested = harvest(xs, targets, {}, options.random);
    const std::size_t steps = xs.shape()[0], batch = xs.shape()[1];
    if (options.washout >= steps) {
      fail("echo_state", "a washout of less than " + std::to_string(steps) + " steps", options.washout);
    }
    const auto rows = [&](const Variable<T>& v, bool with_one) {  // of the steps after the washout, in double
      const std::size_t width = v.shape()[2], n = (steps - options.washout) * batch, own = width + with_one;
      Tensor<double> all = full<double>({n, own}, 1);
      const T* from = v.value().data() + options.washout * batch * width;
      for (std::size_t i = 0; i < n; ++i) std::copy_n(from + i * width, width, all.data() + i * own);
      return all;
    };
    const Tensor<double> w = ridge(rows(harvested.outputs, true), rows(targets, false), options.lambda);
    const auto assign = [](Parameter<T>& p, const double* from) {
      p.update(
          [&](Tensor<T>& to) { std::transform(from, from + to.size(), to.data(), [](double x) { return T(x); }); });
    };
    assign(readout.weight, w.data());
    assign(*readout.bias, w.data() + readout.weight.size());
    return std::move(harvested.state);
  }

  /// reservoir.*, which parameters() of Reservoir describes, and readout.*.
  Parameters<T> parameters() {
    Parameters<T> all;
    all.add("reservoir", reservoir.parameters());
    all.add("readout", readout.parameters());
    return all;
  }

  bool feedback;
  Inner reservoir;
  Linear<T> readout;

 private:
  static typename Inner::Options inner(const Options& options) {
    if (options.output == 0) fail("echo_state", "at least one output", options.output);
    auto reservoir = options.reservoir;
    reservoir.feedback = options.feedback ? options.output : 0;
    return reservoir;
  }

  /// What the read-out reads, [x; h'] [T, B, I + H], under teacher forcing.
  Unrolled<T, State> harvest(const Variable<T>& xs, const Variable<T>& targets, const std::optional<State>& initial,
                             Random* random) const {
    check_rank("echo_state", xs.shape(), 3);
    const Shape& shape = targets.shape();
    const Shape wanted{xs.shape()[0], xs.shape()[1], readout.weight.shape()[1]};
    if (shape != wanted) fail("echo_state", "targets " + to_string(wanted), shape);
    for (const T y : targets.value()) {
      if (!std::isfinite(y)) fail("echo_state", "finite targets", y);
    }
    const std::size_t steps = shape[0], batch = shape[1];
    const State start = initial ? *initial : initial_state(batch);
    const auto at = [&](std::size_t t) { return static_cast<std::ptrdiff_t>(t); };
    const auto heard = [&] {
      const auto before = concatenate({expand_dims(start.output, 0), slice(targets, 0, 0, at(steps) - 1)}, 0);
      return concatenate({xs, before}, -1);
    };
    UnrollOptions<typename Inner::State> options;
    options.initial = start.reservoir;
    options.random = random;
    auto run = unroll(reservoir, feedback && steps > 0 ? heard() : xs, options);
    return {concatenate({xs, run.outputs}, -1),
            {std::move(run.state), reshape(slice(targets, 0, at(steps) - 1), {batch, shape[2]})}};
  }
};

}  // namespace rw::nn
