#include "autograd/allocator.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <memory_resource>
#include <mutex>
#include <set>
#include <utility>

namespace rw {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t thread_limit = std::size_t{1} << 26, chunk = std::size_t{1} << 18;

// Ranges of memory that are cut where a block is wanted and grow together again where neighbours are free: what held
// values on the way forward holds, later, gradients of other sizes. The smallest range that will do is taken.
class Heap {
 public:
  void* take(std::size_t bytes) {
    bytes = rounded(bytes);
    auto found = by_size_.lower_bound({bytes, nullptr});
    if (found == by_size_.end()) found = grow(bytes);
    const auto [size, at] = *found;
    by_size_.erase(found);
    by_place_.erase(at);
    if (size > bytes) add(at + bytes, size - bytes);
    taken_ += bytes;
    return at;
  }

  void keep(void* block, std::size_t bytes) {
    char* at = static_cast<char*>(block);
    bytes = rounded(bytes);
    taken_ -= bytes;
    auto after = by_place_.lower_bound(at);
    if (after != by_place_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == at) {
        at = before->first;
        bytes += before->second;
        remove(before);
      }
    }
    if (after != by_place_.end() && at + bytes == after->first) {
      bytes += after->second;
      remove(after);
    }
    add(at, bytes);
  }

  std::size_t taken() const { return taken_; }

 private:
  using Sizes = std::pmr::set<std::pair<std::size_t, char*>>;
  using Places = std::pmr::map<char*, std::size_t>;

  static std::size_t rounded(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

  // Twice as much each time: what is not written to yet costs nothing.
  Sizes::iterator grow(std::size_t bytes) {
    std::size_t slab = std::max(bytes, next_slab_);
    void* memory = ::operator new (slab, std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) memory = ::operator new (slab = bytes, std::align_val_t{alignment});
    next_slab_ += slab;
    return add(static_cast<char*>(memory), slab);
  }
  Sizes::iterator add(char* at, std::size_t bytes) {
    by_place_.emplace(at, bytes);
    return by_size_.emplace(bytes, at).first;
  }
  void remove(Places::iterator range) {
    by_size_.erase({range->second, range->first});
    by_place_.erase(range);
  }

  std::size_t next_slab_ = std::size_t{1} << 26, taken_ = 0;
  std::pmr::unsynchronized_pool_resource nodes_;
  Sizes by_size_{&nodes_};
  Places by_place_{&nodes_};
};

// What all threads share: large blocks, and small ones that no thread keeps.
struct Common {
  void* take_small(const detail::SizeClass& c) {
    if (void* block = lists.take(c)) return block;
    if (left < c.bytes) {
      rest = static_cast<char*>(heap.take(chunk));
      left = chunk;
    }
    left -= c.bytes;
    return std::exchange(rest, rest + c.bytes);
  }

  std::mutex mutex;
  Heap heap;
  detail::FreeLists lists{.limit = std::numeric_limits<std::size_t>::max()};
  char* rest = nullptr;  // of a chunk that small blocks are cut from
  std::size_t left = 0;
};

Common& common() {
  static auto* common = new Common;  // never destroyed: tensors with static storage outlive everything else
  return *common;
}

// Opens the lists of a thread with its first block, and leaves what they hold to all threads when it ends.
struct Janitor {
  Janitor() { detail::thread_lists.limit = thread_limit; }
  ~Janitor();
  bool on_duty = true;
};

// A plain flag, because tensors with static storage are freed after the thread's janitor is gone.
constinit thread_local bool closed = false;
thread_local Janitor janitor;

Janitor::~Janitor() {
  closed = true;
  detail::thread_lists.limit = 0;
  const std::lock_guard lock(common().mutex);
  detail::thread_lists.move_to(common().lists);
}

}  // namespace

void* detail::acquire_elsewhere(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 60)) throw std::bad_alloc();
  if (!recycles) return ::operator new (bytes, std::align_val_t{alignment});
  Common& all = common();
  const std::lock_guard lock(all.mutex);
  return bytes < shared_from ? all.take_small(size_class(bytes)) : all.heap.take(bytes);
}

void detail::release_elsewhere(void* memory, std::size_t bytes) noexcept {
  if (!recycles) return ::operator delete (memory, std::align_val_t{alignment});
  const bool small = bytes < shared_from;
  if (small && !closed && janitor.on_duty && thread_lists.keep(memory, size_class(bytes))) return;
  Common& all = common();
  const std::lock_guard lock(all.mutex);
  if (small) {
    all.lists.keep(memory, size_class(bytes));
  } else {
    all.heap.keep(memory, bytes);
  }
}

std::size_t bytes_in_use() {
  Common& all = common();
  const std::lock_guard lock(all.mutex);
  return all.heap.taken() - all.left - all.lists.kept_bytes - detail::thread_lists.kept_bytes;
}

}  // namespace rw
