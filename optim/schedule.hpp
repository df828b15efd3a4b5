#pragma once

#include <cstdint>

// Learning rates as functions of t, the steps taken so far, 0 before the first:
//     adam.set_learning_rate(optim::cosine(adam.steps(), {.rate = 1e-3, .steps = 10'000}));
// So there is nothing to store in a snapshot but the optimiser's steps. All throw std::invalid_argument where a rate
// or factor is negative or not finite, or a number of steps is 0. What follows the loss is in optim/validation.hpp.

namespace rw::optim {

struct DecayOptions {
  double rate = 1e-3;       // η
  double factor = 0.1;      // γ
  std::uint64_t every = 1;  // n, steps
};

/// η·γ^⌊t/n⌋
double step_decay(std::uint64_t t, const DecayOptions& options);

/// η·γ^(t/n), the same without stairs.
double exponential_decay(std::uint64_t t, const DecayOptions& options);

struct CosineOptions {
  double rate = 1e-3;       // η
  double last = 0;          // η′, the rate from step N on
  std::uint64_t steps = 1;  // N
};

/// η′ + ½·(η − η′)·(1 + cos(π·t/N)) (Loshchilov & Hutter 2017, without restarts).
double cosine(std::uint64_t t, const CosineOptions& options);

struct OneCycleOptions {
  double rate = 1e-3;        // η, the highest
  std::uint64_t steps = 1;   // N
  double rising = 0.3;       // r, the part of the steps in which the rate rises
  double first = 1.0 / 25;   // the first rate as a part of η
  double last = 1.0 / 25e4;  // the rate from step N on as a part of η
};

/// Up and down once (Smith & Topin 2018): from first·η at t = 0 to η at t = r·N and on to last·η at t = N, each time
/// along half a cosine. Throws also where r is not in [0, 1).
double one_cycle(std::uint64_t t, const OneCycleOptions& options);

struct WarmUpOptions {
  double rate = 1e-3;            // η, the highest
  std::uint64_t warm_up = 4000;  // w
};

/// η·min(s/w, √(w/s)), s = t + 1: rises evenly for w steps, then falls as 1/√s. With η = 1/√(d·w), d the model's width,
/// that of Vaswani et al. (2017, equation 3).
double inverse_square_root(std::uint64_t t, const WarmUpOptions& options);

}  // namespace rw::optim
