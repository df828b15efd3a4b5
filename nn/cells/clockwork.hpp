#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Clockwork RNN (Koutník et al. 2014, arXiv 1402.3511): modules g = 1 ... G of periods P_1 < ... < P_G, each hearing
/// itself and the slower ones.
///     h_g' = tanh(x·W_g + Σ_{j ≥ g} h_j·U_jg + b_g)   where P_g divides the step's number t, else h_g
/// x [B, I], h [B, H] with the modules side by side, the fast ones first; W [I, H], b [H], and U of module g, from
/// itself and all slower ones, [H_g + ... + H_G, H_g]. The first step is t = 0, in which every module works.
template <class T>
struct Clockwork {
  struct Options {
    std::size_t input, hidden;                        // hidden units are shared among the modules as evenly as it goes
    std::vector<std::size_t> periods = {1, 2, 4, 8};  // one a module
    bool bias = true;
  };
  /// The clock belongs to the state, as rows of a batch need not begin together. It counts modulo the common period.
  /// A wrapper that mixes old and new states must leave it alone: Zoneout with the rates {r, 0}.
  struct State {
    Variable<T> h;      // [B, H]
    Variable<T> clock;  // [B]
  };

  /// W from Glorot's uniform distribution and each U orthogonal; b zero.
  /// Throws std::invalid_argument where the periods do not ascend from at least 1, have no common multiple up to 2²⁴
  /// (as far as float counts), or there are more of them than hidden units.
  Clockwork(const Options& options, Random& random)
      : periods(options.periods),
        cycle(common_period(options)),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, options.hidden}, random)) {
    std::size_t begin = 0;
    for (std::size_t g = 0; g < periods.size(); ++g) {
      const std::size_t end = options.hidden * (g + 1) / periods.size();
      widths.push_back(end - begin);
      weight_hh.emplace_back("weight_hh." + std::to_string(g),
                             orthogonal<T>({options.hidden - begin, end - begin}, random));
      begin = end;
    }
    if (options.bias) bias.emplace("bias", zeros<T>({options.hidden}));
  }

  std::size_t hidden() const { return weight_ih.shape()[1]; }

  State initial_state(std::size_t batch) const { return {zeros<T>({batch, hidden()}), zeros<T>({batch})}; }

  Variable<T> project(const Variable<T>& xs) const {
    return bias ? affine(xs, weight_ih, *bias) : matmul(xs, weight_ih);
  }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    const auto xs = split(x, widths, -1);
    auto hs = split(s.h, widths, -1);
    std::ptrdiff_t begin = 0;
    for (std::size_t g = 0; g < widths.size(); ++g) {
      const Tensor<T> ticks = ticking(s.clock, periods[g]);
      const auto working = std::count(ticks.begin(), ticks.end(), T(1));
      if (working > 0) {
        const auto h = tanh(affine(slice(s.h, -1, begin), weight_hh[g], xs[g]));
        hs[g] = static_cast<std::size_t>(working) == ticks.size() ? h : where(Variable<T>(ticks), h, hs[g]);
      }
      begin += static_cast<std::ptrdiff_t>(widths[g]);
    }
    const Variable<T> h = concatenate(hs, -1), clock = s.clock + 1;
    return {h, {h, where(less(clock, cycle), clock, 0)}};
  }

  Parameters<T> parameters() {
    Parameters<T> all{weight_ih};
    for (Parameter<T>& u : weight_hh) all.add(u);
    if (bias) all.add(*bias);
    return all;
  }

  std::vector<std::size_t> periods, widths;  // of the modules
  double cycle;                              // the least common multiple of the periods
  Parameter<T> weight_ih;
  std::vector<Parameter<T>> weight_hh;
  std::optional<Parameter<T>> bias;

 private:
  /// 1 for the rows whose clock stands at a multiple of the period, else 0, [B, 1].
  static Tensor<T> ticking(const Variable<T>& clock, std::size_t period) {
    Tensor<T> ticks = rw::empty<T>({clock.size(), 1});
    for (std::size_t b = 0; b < clock.size(); ++b) {
      ticks.data()[b] = std::llround(clock.value().data()[b]) % static_cast<long long>(period) == 0 ? T(1) : T(0);
    }
    return ticks;
  }

  static double common_period(const Options& options) {
    constexpr std::size_t most = std::size_t(1) << 24;
    std::size_t common = 1, last = 0;
    for (const std::size_t period : options.periods) {
      if (period <= last || period > most) fail("clockwork", "ascending periods of 1 to 2^24", period, " after ", last);
      last = period;
      common = std::lcm(common, period);
      if (common > most) fail("clockwork", "periods with a common multiple up to 2^24", common);
    }
    if (options.periods.empty() || options.hidden < options.periods.size()) {
      fail("clockwork", "at least one period, and a hidden unit for each", options.periods.size(), " periods, ",
           options.hidden, " units");
    }
    return static_cast<double>(common);
  }
};

}  // namespace rw::nn
