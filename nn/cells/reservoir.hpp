#pragma once

#include <cmath>
#include <optional>

#include "autograd/fuse.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"
#include "nn/spectral.hpp"

namespace rw::rules {

/// x itself, for linear reservoirs: Reservoir<double, rules::Identity>.
struct Identity : Unary {
  static constexpr const char* name = "identity";
  static constexpr Reads reads = Reads::nothing;
  auto value(const auto& x) const { return x; }
  auto dx(const auto& dy) const { return dy; }
};

}  // namespace rw::rules

namespace rw::nn {

/// Leaky reservoir of an echo state network (Jaeger 2001, GMD report 148; Jaeger et al. 2007).
///     h' = (1 − a)·h + a·tanh(s·(u·W + b) + y·F + ρ·(h·U) + ν)
/// x [B, I + O] is the input u [B, I] and what is fed back from the output before, y [B, O]; h [B, H]; W [I, H], b [H],
/// F [O, H], U [H, H] of spectral radius 1.
///
/// W, b, F and U stay as they were drawn: parameters() lists them, so they are saved with the model, but no gradient
/// flows to them and an optimiser passes them by. The leak a, the radius ρ and the input scale s are trained; any value
/// of their parameters means one in range: a = σ(leak_logit), ρ = exp(log_radius), s = exp(log_input_scale). A leak of
/// 1 is no leak: then there is no parameter for it.
template <class T, class Activation = rules::Tanh>
struct Reservoir {
  struct Options {
    std::size_t input, hidden;
    std::size_t feedback = 0;  // O, the last columns of x
    bool bias = true;
    double leak = 1;            // a, in (0, 1]
    double radius = 0.9;        // ρ, above 0
    double input_scale = 1;     // s, above 0
    double feedback_scale = 1;  // of F
    double connectivity = 0.1;  // share of U that is not 0
    double noise = 0;           // ν is uniform in ±noise where a random source is given, else 0
  };
  struct State {
    Variable<T> h;
  };

  /// W, b and F uniform in [−1, 1), U sparse.
  /// Throws std::invalid_argument where an option is not in its range.
  Reservoir(const Options& o, Random& random)
      : noise(checked(o).noise),
        log_radius("log_radius", number(std::log(o.radius))),
        log_input_scale("log_input_scale", number(std::log(o.input_scale))),
        weight_ih("weight_ih", uniform<T>({o.input, o.hidden}, 1, random)),
        weight_hh("weight_hh", sparse<T>({o.hidden, o.hidden}, o.connectivity, 1, random)) {
    if (o.leak < 1) leak_logit.emplace("leak_logit", number(std::log(o.leak / (1 - o.leak))));
    if (o.bias) bias.emplace("bias", uniform<T>({o.hidden}, 1, random));
    if (o.feedback > 0) weight_fb.emplace("weight_fb", uniform<T>({o.feedback, o.hidden}, o.feedback_scale, random));
  }

  std::size_t hidden() const { return weight_hh.shape()[0]; }

  Variable<T> leak() const { return leak_logit ? sigmoid(*leak_logit) : Variable<T>(number(1)); }
  Variable<T> radius() const { return exp(log_radius); }
  Variable<T> input_scale() const { return exp(log_input_scale); }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()})}; }

  Variable<T> project(const Variable<T>& xs) const {
    const auto s = input_scale();
    const auto w = weight_fb ? concatenate({s * fixed(weight_ih), fixed(*weight_fb)}, 0) : s * fixed(weight_ih);
    return bias ? affine(xs, w, s * fixed(*bias)) : matmul(xs, w);
  }

  Step<T, State> step(const Variable<T>& x, const State& s, Random* random = nullptr) const {
    Variable<T> heard = x;
    if (noise > 0 && random != nullptr) heard = x + Variable<T>(uniform<T>(x.shape(), noise, *random));
    const auto echo = matmul(s.h, fixed(weight_hh));
    const auto h = leak_logit ? fuse([](auto x, auto u, auto rho, auto a,
                                        auto h) { return (1 - a) * h + a * elementwise(Activation{}, x + rho * u); },
                                     heard, echo, radius(), leak(), s.h)
                              : fuse([](auto x, auto u, auto rho) { return elementwise(Activation{}, x + rho * u); },
                                     heard, echo, radius());
    return {h, {h}};
  }

  Parameters<T> parameters() {
    Parameters<T> all{log_radius, log_input_scale};
    if (leak_logit) all.add(*leak_logit);
    all.add(weight_ih);
    all.add(weight_hh);
    if (bias) all.add(*bias);
    if (weight_fb) all.add(*weight_fb);
    return all;
  }

  double noise;
  Parameter<T> log_radius, log_input_scale;
  Parameter<T> weight_ih, weight_hh;
  std::optional<Parameter<T>> leak_logit, bias, weight_fb;

 private:
  static Tensor<T> number(double x) { return scalar<T>(static_cast<T>(x)); }

  /// The weight without its gradient; where nothing is recorded as it is, because a parameter may be kept packed.
  static Variable<T> fixed(const Parameter<T>& weight) {
    return Tape<T>::current() != nullptr ? weight.detached() : Variable<T>(weight);
  }

  static const Options& checked(const Options& o) {
    const auto positive = [](double x) { return x > 0 && std::isfinite(x); };
    if (o.hidden == 0) fail("reservoir", "at least one unit", o.hidden);
    if (!(o.leak > 0 && o.leak <= 1)) fail("reservoir", "a leak in (0, 1]", o.leak);
    if (!positive(o.radius)) fail("reservoir", "a finite radius above 0", o.radius);
    if (!positive(o.input_scale)) fail("reservoir", "a finite input scale above 0", o.input_scale);
    if (!(o.feedback_scale >= 0 && std::isfinite(o.feedback_scale))) {
      fail("reservoir", "a finite feedback scale of at least 0", o.feedback_scale);
    }
    if (!(o.connectivity > 0 && o.connectivity <= 1)) fail("reservoir", "a connectivity in (0, 1]", o.connectivity);
    if (!(o.noise >= 0 && std::isfinite(o.noise))) fail("reservoir", "finite noise of at least 0", o.noise);
    return o;
  }
};

}  // namespace rw::nn
