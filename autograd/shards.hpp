#pragma once

#include "autograd/subnormals.hpp"
#include "autograd/tape.hpp"
#include "autograd/workers.hpp"

namespace rw {

/// A stretch of the rows of a batch.
struct Shard {
  std::size_t index, begin, end;
};

/// Into how many shards a batch is cut for so many workers. Recurrent steps are short: a shard of the batch a thread
/// gains in all that is done to them, threads inside a multiplication only there (docs/performance.md). Few rows are
/// not cut, for their multiplications read the weights and not much else.
std::size_t shards_of(std::size_t rows, std::size_t workers);

/// Runs task(shard) for every shard of a batch, each on a thread of its own; one thread a multiplication.
void for_each_shard(Workers& workers, std::size_t rows, const std::function<void(const Shard&)>& task);

template <class T>
struct Learned {
  double loss = 0;
  Gradients<T> gradients;
};

/// The sum of loss(shard) over the shards of a batch of so many rows, and its gradients: every shard on a thread and
/// with a tape of its own, the gradients added in the order of the shards, so that the same number of workers gives
/// the same bits. `loss` returns a Variable of one element and must bear being called from several threads. Subnormal
/// numbers count as 0 meanwhile.
template <class T, class Loss>
Learned<T> learn(Workers& workers, std::size_t rows, const Loss& loss) {
  List<Learned<T>> parts(shards_of(rows, workers.count()));
  const auto learn_one = [&](const Shard& shard) {
    const FlushSubnormals flush;
    thread_local Gradients<T> kept;  // of the step before: freed by the thread that made them, which then finds their
    kept = Gradients<T>();           // memory again
    Tape<T> tape;
    const Variable<T> part = loss(shard);
    parts[shard.index].loss = part.item();
    parts[shard.index].gradients = tape.backward(part);
    if (shard.index > 0) kept = parts[shard.index].gradients;
  };
  for_each_shard(workers, rows, std::ref(learn_one));
  for (std::size_t s = 1; s < parts.size(); ++s) {
    parts[0].loss += parts[s].loss;
    parts[0].gradients += std::move(parts[s].gradients);
  }
  return std::move(parts[0]);
}

}  // namespace rw
