#pragma once

#include "autograd/autograd.hpp"
#include "bench/contender.hpp"
#include "nn/nn.hpp"

namespace bench {

/// Gives every parameter its numbers for the race.
inline void fill(const rw::nn::Parameters<float>& parameters, std::size_t hidden) {
  for (const auto& [name, parameter] : parameters) {
    const std::vector<float> numbers = values(name, parameter->size(), hidden);
    rw::Tensor<float> value = rw::empty<float>(parameter->shape());
    std::copy(numbers.begin(), numbers.end(), value.data());
    parameter->assign(std::move(value));
  }
}

inline void add_gradients(Results& results, const rw::nn::Parameters<float>& parameters,
                          const rw::Learned<float>& learned) {
  results["loss"] = {static_cast<float>(learned.loss)};
  for (const auto& [name, parameter] : parameters) {
    const rw::Variable<float> gradient = learned.gradients[*parameter];
    results[name].assign(gradient.value().begin(), gradient.value().end());
  }
}

/// Rows `begin` to `end` of a batch [T, B, I].
inline rw::Tensor<float> shard(const std::vector<float>& batch, const Task& t, std::size_t begin, std::size_t end) {
  rw::Tensor<float> out = rw::empty<float>({t.T, end - begin, t.I});
  float* to = out.data();
  for (std::size_t step = 0; step < t.T; ++step) {
    const auto row = [&](std::size_t b) { return batch.data() + (step * t.B + b) * t.I; };
    to = std::copy(row(begin), row(end), to);
  }
  return out;
}

/// The shards [T, b, N] of one batch side by side, as [T, B, N]; without our ops, whose memory would count as ours.
inline std::vector<float> joined(const std::vector<rw::Variable<float>>& shards) {
  std::vector<float> all;
  const std::size_t steps = shards[0].shape()[0];
  for (std::size_t t = 0; t < steps; ++t) {
    for (const rw::Variable<float>& part : shards) {
      const float* from = part.value().data() + t * (part.size() / steps);
      all.insert(all.end(), from, from + part.size() / steps);
    }
  }
  return all;
}

/// Trains or runs a net of ours: outputs = net(x), with net.parameters().
template <class Net>
class Ours : public Contender {
 public:
  Ours(Net net, const Task& task, bool wants_x)
      : net_(std::move(net)), task_(task), wants_x_(wants_x), workers_(task.threads) {
    fill(net_.parameters(), task.H);
    const std::vector<float> x = values("x", task.T * task.B * task.I, task.H);
    const std::size_t n = rw::shards_of(task.B, workers_.count());
    for (std::size_t s = 0; s < n; ++s) xs_.emplace_back("x", shard(x, task, task.B * s / n, task.B * (s + 1) / n));
  }

  void step() override { task_.train ? (void)learn() : (void)infer(); }

  Results results() override {
    if (!task_.train) return {{"output", joined(infer())}};
    const rw::Learned<float> learned = learn();
    Results results;
    add_gradients(results, net_.parameters(), learned);
    std::vector<rw::Variable<float>> dxs;
    for (const auto& x : xs_) dxs.push_back(learned.gradients[x]);
    if (wants_x_) results["x"] = joined(dxs);
    return results;
  }

 private:
  rw::Learned<float> learn() {
    return rw::learn<float>(workers_, task_.B, [&](const rw::Shard& s) {
      const rw::Variable<float> y = net_(wants_x_ ? xs_[s.index] : xs_[s.index].detached());
      return rw::sum(rw::square(y)) * (1.0 / double(y.size() * xs_.size()));
    });
  }

  std::vector<rw::Variable<float>> infer() {
    std::vector<rw::Variable<float>> outputs(xs_.size());
    rw::for_each_shard(workers_, task_.B, [&](const rw::Shard& s) { outputs[s.index] = net_(xs_[s.index]); });
    return outputs;
  }

  Net net_;
  Task task_;
  bool wants_x_;
  rw::Workers workers_;
  std::vector<rw::Parameter<float>> xs_;  // the shards of the batch; parameters, since their gradients are wanted
};

template <class Net>
std::unique_ptr<Contender> make_ours(Net net, const Task& task, bool wants_x = true) {
  return std::make_unique<Ours<Net>>(std::move(net), task, wants_x);
}

/// A cell unrolled over time.
template <class Cell>
struct Layer {
  Cell cell;
  rw::Variable<float> operator()(const rw::Variable<float>& xs) const { return rw::nn::unroll(cell, xs).outputs; }
  rw::nn::Parameters<float> parameters() { return cell.parameters(); }
};

/// A cell of the library over a task's sequences.
template <class Cell>
std::unique_ptr<Contender> make_layer(const Task& task) {
  rw::Random random(1);
  return make_ours(Layer<Cell>{Cell({.input = task.I, .hidden = task.H}, random)}, task);
}

}  // namespace bench
