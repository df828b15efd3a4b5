#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace bench {

/// What is to be computed: a cell over T steps of a batch of B rows, I wide, with H hidden units.
struct Task {
  std::string cell;
  std::size_t T, B, I, H;
  bool train = true;  // forward, loss = mean(output²) and backward, the input's gradient included; else forward alone
  int threads = 1;
};

/// Loss and gradients, or the output where nothing is trained. Names and layouts are ours, for every contender:
/// weights [in, out], the input x [T, B, I].
using Results = std::map<std::string, std::vector<float>>;

/// One program that does a task. It is made, asked and timed in a process of its own.
struct Contender {
  virtual ~Contender() = default;

  /// What all contenders must agree on; empty where there is nothing to compare.
  virtual Results results() = 0;

  virtual void step() = 0;
};

using MakeContender = std::function<std::unique_ptr<Contender>(const Task&)>;

/// The name of a tensor without the layers it belongs to.
inline std::string last_name(const std::string& role) { return role.substr(role.rfind('.') + 1); }

/// The numbers to begin with, uniform and the same for every contender: x in ±1, weights in ±1/√H, gains around 1, the
/// recurrent weights u of an independent cell in ±0.9. The factors w and offsets b of a chain keep y = σ(tanh(w·y + b))
/// near y = 1/2 and its slope near 1, so that a thousand ops neither forget nor explode. Attention gets keys that
/// differ: were they alike, the gradient of their bias would be a difference of equal numbers, and rounding all of it.
inline std::vector<float> values(const std::string& role, std::size_t n, std::size_t hidden) {
  const std::map<std::string, std::pair<double, double>> known = {
      {"x", {0, 1}},       {"gain", {1, 0.1}},     {"u", {0, 0.9}},
      {"w", {3.95, 0.05}}, {"b", {-1.975, 0.025}}, {"attention.memory.weight", {0, 1}}};
  const auto found = known.find(last_name(role) == "gain" ? "gain" : role);
  const auto range = found != known.end() ? found->second : std::pair<double, double>(0, 1 / std::sqrt(double(hidden)));
  std::mt19937 generator(static_cast<unsigned>(std::hash<std::string>()(role)));
  std::vector<float> out(n);
  for (float& v : out) v = static_cast<float>(range.first + range.second * (generator() / 2147483648.0 - 1));
  return out;
}

/// Token numbers below `vocabulary`.
inline std::vector<std::int64_t> tokens(const std::string& role, std::size_t n, std::size_t vocabulary) {
  std::mt19937 generator(static_cast<unsigned>(std::hash<std::string>()(role)));
  std::vector<std::int64_t> out(n);
  for (std::int64_t& id : out) id = static_cast<std::int64_t>(generator() % vocabulary);
  return out;
}

}  // namespace bench
