#pragma once

// Learning tests: a system learns a small task whose number is known from theory or a paper. A file is a family of
// tasks; a task is a function of a seed, named and judged by what its registration says:
//
//     Result parity(std::uint64_t seed) { ... return {accuracy}; }
//     const Register parity_gru({.name = "parity_gru",
//                                .system = "GRU 16",
//                                .measure = "accuracy, parity of 10 bits",
//                                .at_least = 0.999,
//                                .published = "1 (by construction)",
//                                .quick = 1,
//                                .run = parity});

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autograd/ops/reduce.hpp"
#include "nn/linear.hpp"
#include "nn/unroll.hpp"
#include "optim/optim.hpp"

namespace rw::learning {

/// What became of one seed.
struct Result {
  double reached;
  bool holds = true;  // whatever the task must show besides that number
};

struct Task {
  std::string name = {};     // on the command line, unique
  std::string system = {};   // what learns
  std::string measure = {};  // what is reached, and at what
  double at_least = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();
  std::string published = {};  // the number it is to be compared with, and whose it is
  int seeds = 5;               // 1, 2, ..., as many
  int must_pass = 4;           // so many of them; 0: reported, never failed
  int quick = 0;               // so many of the seeds in the quick suite
  std::function<Result(std::uint64_t)> run = {};
};

/// All tasks, in the order of their registration.
inline std::vector<Task>& tasks() {
  static std::vector<Task> all;
  return all;
}

struct Register {
  explicit Register(Task task) { tasks().push_back(std::move(task)); }
};

/// A cell and a linear read-out of each of its outputs: xs [T, B, I] -> [T, B, O].
template <class C>
struct Model {
  C cell;
  nn::Linear<float> readout;

  Variable<float> operator()(const Variable<float>& xs) const { return readout(nn::unroll(cell, xs).outputs); }

  /// Of the last step alone [B, O].
  Variable<float> last(const Variable<float>& xs) const {
    return readout(nn::last_valid(nn::unroll(cell, xs).outputs, {}));
  }

  nn::Parameters<float> parameters() {
    nn::Parameters<float> all;
    all.add("cell", cell.parameters());
    all.add("readout", readout.parameters());
    return all;
  }
};

template <class C>
Model<C> model(std::size_t input, std::size_t hidden, std::size_t output, Random& random) {
  return {C({.input = input, .hidden = hidden}, random),
          nn::Linear<float>({.input = hidden, .output = output}, random)};
}

/// One step down the gradient of loss(), clipped to the norm `clip` where that is above 0. Returns the loss before.
template <class Loss>
double descend(optim::Optimizer<float>& optimizer, const nn::Parameters<float>& parameters, double clip,
               const Loss& loss) {
  Tape<float> tape;
  const Variable<float> error = loss();
  auto gradients = tape.backward(error);
  if (clip > 0) optim::clip_global_norm(gradients, clip);
  optimizer.step(parameters, gradients);
  return error.item();
}

/// Mean of (y - target)², of any shape.
inline Variable<float> mean_squared_error(const Variable<float>& y, const Variable<float>& target) {
  return mean((y - target) * (y - target));
}

/// The share of rows of logits [..., V] whose largest is the target's [...].
double accuracy(const Tensor<float>& logits, const Indices& targets);

/// ids [...] -> [..., width].
Tensor<float> one_hot(const Indices& ids, std::size_t width);

}  // namespace rw::learning
