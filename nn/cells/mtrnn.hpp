#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/fuse.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/softmax.hpp"
#include "nn/cell.hpp"
#include "nn/init.hpp"

namespace rw::nn {

/// Multiple-timescale recurrent network (Yamashita & Tani 2008): groups of units, as a rule each slower than the one
/// before, and linked to their neighbours alone. Group 0 is input and output; what it puts out predicts the next input.
///     u_g' = (1 − 1/τ_g) u_g + 1/τ_g (Σ_{|j − g| ≤ 1} a_j·W_jg + b_g),   a_0 = x,   a_j = tanh(u_j)
///     y = tanh(u_0')
/// x [B, I], u_g [B, H_g]; W_0g [I, H_0 + H_1] side by side, W_jg [H_j, H_g], b_g [H_g]. τ is in steps.
/// With its own output as the next x it is the paper's closed loop.
template <class T>
struct MultipleTimescaleRnn {
  struct Group {
    std::size_t units;
    double tau;
  };
  struct Options {
    std::size_t input;
    std::vector<Group> groups;              // as {{100, 2}, {60, 5}, {20, 70}}
    std::vector<std::size_t> softmax = {};  // output a softmax of each so many units instead of tanh, as {64, 36}
  };
  struct State {
    std::vector<Variable<T>> groups;  // u_g: LearnedStart trains each group's own start
  };

  /// Weights from Glorot's uniform distribution; b zero.
  /// Throws std::invalid_argument where there are fewer than two groups, one has no units or a tau that is below 1 or
  /// not finite, or the softmax units are not group 0's.
  MultipleTimescaleRnn(const Options& options, Random& random)
      : groups(checked(options).groups),
        softmax_units(options.softmax),
        weight_ih("weight_ih", glorot_uniform<T>({options.input, groups[0].units + groups[1].units}, random)) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (std::size_t j = g > 2 ? g - 1 : 1; j < std::min(g + 2, groups.size()); ++j) {
        links.push_back({j, g,
                         Parameter<T>("weight_hh." + std::to_string(j) + "." + std::to_string(g),
                                      glorot_uniform<T>({groups[j].units, groups[g].units}, random))});
      }
      biases.emplace_back("bias." + std::to_string(g), zeros<T>({groups[g].units}));
    }
  }

  State initial_state(std::size_t batch) const {
    State s;
    for (const Group& group : groups) s.groups.push_back(zeros<T>({batch, group.units}));
    return s;
  }

  Variable<T> project(const Variable<T>& xs) const { return matmul(xs, weight_ih); }

  Step<T, State> step(const Variable<T>& x, const State& s) const {
    std::vector<Variable<T>> inflow(groups.size()), active(groups.size());
    const auto xs = split(x, {groups[0].units, groups[1].units}, -1);
    std::copy(xs.begin(), xs.end(), inflow.begin());
    for (std::size_t j = 1; j < groups.size(); ++j) active[j] = tanh(s.groups[j]);
    for (const Link& link : links) {
      Variable<T>& sum = inflow[link.to];
      sum = sum.defined() ? affine(active[link.from], link.weight, sum) : matmul(active[link.from], link.weight);
    }
    State next;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const double rate = 1 / groups[g].tau;
      next.groups.push_back(fuse([rate](auto u, auto sum, auto b) { return (1 - rate) * u + rate * (sum + b); },
                                 s.groups[g], inflow[g], biases[g]));
    }
    return {output(next.groups[0]), std::move(next)};
  }

  Parameters<T> parameters() {
    Parameters<T> all{weight_ih};
    for (Link& link : links) all.add(link.weight);
    for (Parameter<T>& b : biases) all.add(b);
    return all;
  }

  struct Link {
    std::size_t from, to;
    Parameter<T> weight;
  };

  std::vector<Group> groups;
  std::vector<std::size_t> softmax_units;
  Parameter<T> weight_ih;
  std::vector<Link> links;
  std::vector<Parameter<T>> biases;

 private:
  Variable<T> output(const Variable<T>& u) const {
    if (softmax_units.empty()) return tanh(u);
    auto parts = split(u, softmax_units, -1);
    for (Variable<T>& part : parts) part = softmax(part);
    return concatenate(parts, -1);
  }

  static const Options& checked(const Options& options) {
    const auto& groups = options.groups;
    if (groups.size() < 2) fail("multiple_timescale_rnn", "at least two groups", groups.size());
    for (const Group& group : groups) {
      if (group.units == 0 || !(group.tau >= 1 && std::isfinite(group.tau))) {
        fail("multiple_timescale_rnn", "groups of at least one unit with a tau of at least 1", group.units,
             " units, tau ", group.tau);
      }
    }
    const std::size_t sum = std::accumulate(options.softmax.begin(), options.softmax.end(), std::size_t(0));
    if (!options.softmax.empty() && sum != groups[0].units) {
      fail("multiple_timescale_rnn", "softmax units that make up group 0", sum, " of ", groups[0].units);
    }
    return options;
  }
};

}  // namespace rw::nn
