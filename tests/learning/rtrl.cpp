// Networks that learn while they run, by real-time recurrent learning.

#include "nn/rtrl.hpp"

#include <algorithm>
#include <cmath>

#include "nn/cells/fully_recurrent.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {
namespace {

using nn::FullyRecurrent;
using nn::Rtrl;

/// Of the first unit alone; the others are hidden.
Variable<float> answer(const Variable<float>& y) { return slice(y, 1, 0, 1); }

/// Learns from `steps` steps of the task, with an update after each; the share of the next 1,000 that are right.
template <class Task>
double learn_running(FullyRecurrent<float>& net, int steps, Task task) {
  optim::Adam<float> adam({.learning_rate = 0.01});
  Rtrl rtrl(net);
  for (int step = 0; step < steps; ++step) {
    const auto x = task.next();
    const auto now = rtrl.step(x, [&](const auto& y) { return square(answer(y) - task.target); });
    adam.step(net.parameters(), now.gradients);
  }
  int right = 0;
  for (int step = 0; step < 1000; ++step) {
    const auto x = task.next();
    right += std::abs(answer(rtrl.step(x)).item() - task.target) < 0.5;
  }
  return right / 1000.0;
}

// 1. Pipelined exclusive or (Williams & Zipser 1989): two bits at random a step, and two steps later their exclusive
// or, which takes the network two steps to compute.

struct Bits {
  Random& random;
  double waiting = 0, target = 0;  // of the last two bits, of the two before

  /// The next two bits [1, 2].
  Variable<float> next() {
    const auto a = random.below(2), b = random.below(2);
    target = waiting;
    waiting = a != b;
    return tensor<float>({1, 2}, {static_cast<float>(a), static_cast<float>(b)});
  }
};

Result pipelined_xor(std::uint64_t seed) {
  Random random(seed);
  FullyRecurrent<float> net({.input = 2, .units = 4}, random);
  return {learn_running(net, 50000, Bits{random})};
}

const Register pipelined_xor_task({.name = "rtrl_pipelined_xor",
                                   .system = "fully recurrent, 4 units, RTRL",
                                   .measure = "right of 1,000 bits, XOR through time",
                                   .at_least = 1,
                                   .published = "learnt (Williams & Zipser 1989)",
                                   .quick = 2,
                                   .run = pipelined_xor});

// 2. Flip-flop (Schmidhuber 1990): on, off or nothing comes at a step, nothing nine times of ten. The output tells
// which of the others was the last.

struct Triggers {
  Random& random;
  double target = 0;

  /// The next symbol [1, 3].
  Variable<float> next() {
    const std::size_t symbol = std::min<std::size_t>(random.below(20), 2);  // 0 on, 1 off, 2 nothing
    if (symbol < 2) target = symbol == 0;
    return one_hot(tensor<std::int64_t>({1}, {static_cast<std::int64_t>(symbol)}), 3);
  }
};

Result flip_flop(std::uint64_t seed) {
  Random random(seed);
  FullyRecurrent<float> net({.input = 3, .units = 3}, random);
  return {learn_running(net, 10000, Triggers{random})};
}

const Register flip_flop_task({.name = "rtrl_flip_flop",
                               .system = "fully recurrent, 3 units, RTRL",
                               .measure = "right of 1,000 latched outputs",
                               .at_least = 1,
                               .published = "10/10 seeds (numpy)",
                               .seeds = 10,
                               .must_pass = 9,
                               .quick = 2,
                               .run = flip_flop});

}  // namespace
}  // namespace rw::learning
