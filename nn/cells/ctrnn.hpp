#pragma once

#include <algorithm>
#include <cmath>

#include "autograd/fuse.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// How a differential equation is stepped: Euler's method, or the classical Runge-Kutta method of fourth order.
enum class Integrator { euler, runge_kutta };

/// Continuous-time recurrent network (Beer 1995), the dynamics of y under an input held for each step of length dt:
///     τ ⊙ dy/dt = −y + σ(y + θ)·U + x·W,   output σ(y' + θ)
/// x [B, I], y [B, H]; W [I, H], U [H, H] from row to column, bias θ [H], and log τ [H], which keeps τ above 0. All are
/// trained; none depends on dt or the method, so a trained network can be run at another dt.
template <class T>
struct ContinuousTimeRnn {
  struct Options {
    std::size_t input, hidden;
    double dt = 0.1;                  // in the unit of τ
    double tau_min = 1, tau_max = 1;  // τ begins between them, log-uniform
    Integrator method = Integrator::euler;
  };
  struct State {
    Variable<T> y;
  };

  /// W and U from Glorot's uniform distribution; θ zero.
  /// Throws std::invalid_argument where not 0 < tau_min ≤ tau_max < ∞ and 0 < dt < ∞; Euler's method needs
  /// dt < tau_min.
  ContinuousTimeRnn(const Options& options, Random& random)
      : dt(checked(options).dt),
        method(options.method),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)),
        weight_hh("weight_hh", glorot_uniform<T>({options.hidden, options.hidden}, random)),
        bias("bias", zeros<T>({options.hidden})),
        log_tau("log_tau", zeros<T>({options.hidden})) {
    log_tau.update([&](Tensor<T>& x) {
      const double low = std::log(options.tau_min), high = std::log(options.tau_max);
      for (T& element : x) element = static_cast<T>(random.uniform(low, high));
    });
  }

  std::size_t hidden() const { return bias.size(); }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const { return matmul(xs, weight_ih); }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const Variable<T> rate = exp(std::log(dt) - log_tau);  // dt/τ
    const auto change = [&](const Variable<T>& y) {        // dt · dy/dt
      return fuse([](auto inflow, auto y, auto rate) { return rate * (inflow - y); }, affine(firing(y), weight_hh, x),
                  y, rate);
    };
    const Variable<T> k1 = change(s.y);
    if (method == Integrator::euler) return at(s.y + k1);
    const Variable<T> k2 = change(s.y + 0.5 * k1), k3 = change(s.y + 0.5 * k2), k4 = change(s.y + k3);
    return at(fuse([](auto y, auto k1, auto k2, auto k3, auto k4) { return y + (k1 + 2 * k2 + 2 * k3 + k4) / 6; }, s.y,
                   k1, k2, k3, k4));
  }

  /// τ as it stands, [H].
  Tensor<T> tau() const { return exp(log_tau.detached()).value(); }

  /// Brings each τ that training took below dt back to dt: Euler's method does not follow what is faster than its
  /// steps. To be called after an optimiser's step.
  void clamp() {
    const T least = static_cast<T>(std::log(dt));
    log_tau.update([&](Tensor<T>& x) {
      for (T& element : x) element = std::max(element, least);
    });
  }

  Parameters<T> parameters() { return {weight_ih, weight_hh, bias, log_tau}; }

  double dt;
  Integrator method;
  Parameter<T> weight_ih, weight_hh, bias, log_tau;

 private:
  Variable<T> firing(const Variable<T>& y) const {
    return fuse([](auto y, auto b) { return sigmoid(y + b); }, y, bias);
  }

  Step<T, State> at(const Variable<T>& y) const { return {firing(y), {y}}; }

  static const Options& checked(const Options& options) {
    const auto [input, hidden, dt, tau_min, tau_max, method] = options;
    if (!(tau_min > 0 && tau_min <= tau_max && std::isfinite(tau_max))) {
      fail("continuous_time_rnn", "0 < tau_min <= tau_max", "tau_min ", tau_min, ", tau_max ", tau_max);
    }
    if (!(dt > 0 && std::isfinite(dt))) fail("continuous_time_rnn", "a finite dt above 0", dt);
    if (method == Integrator::euler && dt >= tau_min) {
      fail("continuous_time_rnn", "dt < tau_min for Euler's method", "dt ", dt, ", tau_min ", tau_min);
    }
    return options;
  }
};

}  // namespace rw::nn
