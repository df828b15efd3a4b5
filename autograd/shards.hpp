#pragma once

#include "autograd/subnormals.hpp"
#include "autograd/tape.hpp"
#include "autograd/workers.hpp"

namespace rw {

/// A stretch of the rows of a batch.
struct Shard {
  std::size_t index, begin, end;
};

/// The share of every batch that is this process's, where `count` processes of as many workers each work on it together
/// (optim/ranks.hpp): its workers take shards of the joint batch, numbered over all of them.
struct Share {
  std::size_t index = 0, count = 1;
};

/// Into how many shards a batch is cut for so many workers. Recurrent steps are short: a shard of the batch a thread
/// gains in all that is done to them, threads inside a multiplication only there (docs/performance.md). Few rows are
/// not cut, for their multiplications read the weights and not much else.
std::size_t shards_of(std::size_t rows, std::size_t workers);

/// Runs task(shard) for every shard of this share of a batch, each on a thread of its own; one thread a multiplication.
void for_each_shard(Workers& workers, std::size_t rows, const std::function<void(const Shard&)>& task,
                    const Share& share = {});

template <class T>
struct Learned {
  double loss = 0;
  Gradients<T> gradients;
};

/// The sum of loss(shard) over the shards of a batch of so many rows, and its gradients: every shard on a thread and
/// with a tape of its own, the gradients added in the order of the shards, so that the same number of workers gives
/// the same bits. `loss` returns a Variable of one element and must bear being called from several threads. Subnormal
/// numbers count as 0 meanwhile. Of a batch shared with other processes only this share's shards are learnt, maybe
/// none.
template <class T, class Loss>
Learned<T> learn(Workers& workers, std::size_t rows, const Loss& loss, const Share& share = {}) {
  List<Learned<T>> parts(workers.count());
  const auto learn_one = [&](const Shard& shard) {
    const FlushSubnormals flush;
    thread_local Gradients<T> kept;  // of the step before: freed by the thread that made them, which then finds their
    kept = Gradients<T>();           // memory again
    Tape<T> tape;
    const Variable<T> part = loss(shard);
    Learned<T>& learned = parts[shard.index - share.index * workers.count()];
    learned.loss = part.item();
    learned.gradients = tape.backward(part);
    if (&learned != parts.data()) kept = learned.gradients;
  };
  for_each_shard(workers, rows, std::ref(learn_one), share);
  for (std::size_t s = 1; s < parts.size(); ++s) {
    parts[0].loss += parts[s].loss;
    parts[0].gradients += std::move(parts[s].gradients);
  }
  return std::move(parts[0]);
}

}  // namespace rw
