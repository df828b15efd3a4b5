#pragma once

#include <cmath>
#include <memory>
#include <numeric>

#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/shards.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/dropout.hpp"
#include "nn/linear.hpp"
#include "nn/snapshot.hpp"
#include "nn/unroll.hpp"
#include "optim/average.hpp"
#include "optim/validation.hpp"

namespace rw::test {

/// A small training with everything that a run may have to remember: dropout, a shuffled order of the data, a rate that
/// follows the loss, early stopping, averages of the weights. Three steps an epoch.
template <class T>
struct TrainingRun {
  static constexpr std::size_t rows = 12, batch = 4, steps = 5, hidden = 16;

  Random random;
  nn::Lstm<T> cell;
  nn::Linear<T> readout;
  std::unique_ptr<optim::Optimizer<T>> optimizer;
  Workers workers;
  optim::WeightAverage<T> average{{.decay = 0.9}};
  optim::Plateau plateau;
  optim::EarlyStopping stopping{{.patience = 2, .gain = 100}};
  std::vector<std::size_t> order;
  std::vector<double> losses;
  std::uint64_t epoch = 0;
  std::size_t place = 0;
  std::string note = "fresh";

  TrainingRun(std::unique_ptr<optim::Optimizer<T>> o, std::uint64_t seed, std::size_t threads = 1)
      : random(seed),
        cell({.input = 2, .hidden = hidden}, random),
        readout({.input = hidden, .output = 1}, random),
        optimizer(std::move(o)),
        workers(threads),
        plateau({.rate = optimizer->learning_rate(), .factor = 0.5, .patience = 1, .gain = 100}),
        order(rows) {
    std::iota(order.begin(), order.end(), 0);
    random.shuffle(order);
  }

  nn::Parameters<T> parameters() {
    nn::Parameters<T> all;
    all.add("cell", cell.parameters());
    all.add("readout", readout.parameters());
    return all;
  }

  /// All parts but one.
  nn::Snapshot parts(const std::string& without = "") {
    nn::Snapshot all;
    const auto add = [&](const std::string& name, auto&&... part) {
      if (name != without) all.add(name, part...);
    };
    add("model", parameters());
    add("optimizer", *optimizer, parameters());
    add("average", average, parameters());
    add("plateau", plateau);
    add("stopping", stopping);
    add("random", random);
    add("order", order);
    add("losses", losses);
    add("epoch", epoch);
    add("place", place);
    add("note", note);
    return all;
  }

  void step() {
    std::vector<Random> noise;
    for (std::size_t i = 0; i < shards_of(batch, workers.count()); ++i) noise.push_back(random.split());
    const auto learned = learn<T>(workers, batch, [&](const Shard& s) {
      Tensor<T> xs = empty<T>({steps, s.end - s.begin, 2}), sums = zeros<T>({s.end - s.begin, 1});
      for (std::size_t i = s.begin; i < s.end; ++i) {
        for (std::size_t t = 0; t < steps; ++t) {
          for (std::size_t k = 0; k < 2; ++k) {
            const auto x = static_cast<T>((order[place + i] * 7 + t * 3 + k) % 11) / 11;
            xs(t, i - s.begin, k) = x;
            sums(i - s.begin, 0) += x;
          }
        }
      }
      const auto run = nn::unroll(cell, nn::dropout(Variable<T>(xs), 0.2, &noise[s.index]));
      return sum(square(readout(run.state.h) - Variable<T>(sums))) / static_cast<T>(batch);
    });
    optimizer->step(parameters(), learned.gradients, &workers);
    average.update(parameters());
    losses.push_back(learned.loss);
    place += batch;
    if (place < rows) return;
    note += ", epoch " + std::to_string(++epoch);
    place = 0;
    random.shuffle(order);
    optimizer->set_learning_rate(plateau(learned.loss));
    stopping.see(learned.loss);
  }
};

}  // namespace rw::test
