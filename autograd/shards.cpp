#include "autograd/shards.hpp"

#include "autograd/blas.hpp"

namespace rw {
namespace {

constexpr std::size_t least_rows = 4;  // in a shard; below it two shards read the weights twice for nothing

}  // namespace

std::size_t shards_of(std::size_t rows, std::size_t workers) {
  return rows >= least_rows * workers ? workers : std::size_t{1};
}

void for_each_shard(Workers& workers, std::size_t rows, const std::function<void(const Shard&)>& task) {
  const std::size_t shards = shards_of(rows, workers.count());
  set_gemm_threads(1);
  if (shards == 1) return task({0, 0, rows});
  const auto run = [&](std::size_t s) { task({s, rows * s / shards, rows * (s + 1) / shards}); };
  workers.run(std::ref(run));  // a reference: a copy would be allocated
}

}  // namespace rw
