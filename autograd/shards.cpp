#include "autograd/shards.hpp"

#include "autograd/blas.hpp"

namespace rw {
namespace {

constexpr std::size_t least_rows = 4;  // in a shard; below it two shards read the weights twice for nothing

}  // namespace

std::size_t shards_of(std::size_t rows, std::size_t workers) {
  return rows >= least_rows * workers ? workers : std::size_t{1};
}

void for_each_shard(Workers& workers, std::size_t rows, const std::function<void(const Shard&)>& task,
                    const Share& share) {
  const std::size_t shards = shards_of(rows, share.count * workers.count());
  set_gemm_threads(1);
  const auto run = [&](std::size_t worker) {
    const std::size_t s = share.index * workers.count() + worker;
    if (s < shards) task({s, rows * s / shards, rows * (s + 1) / shards});
  };
  if (shards == 1) return run(0);
  workers.run(std::ref(run));  // a reference: a copy would be allocated
}

}  // namespace rw
