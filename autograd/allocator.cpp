#include "autograd/allocator.hpp"

#include <algorithm>
#include <limits>
#include <list>
#include <map>
#include <memory_resource>
#include <mutex>
#include <numeric>
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

  bool holds(void* block) const {
    const auto* const at = static_cast<char*>(block);
    return std::any_of(slabs_.begin(), slabs_.end(), [=](const Slab& s) { return s.at <= at && at < s.at + s.bytes; });
  }

  std::size_t taken() const { return taken_; }

 private:
  using Sizes = std::pmr::set<std::pair<std::size_t, char*>>;
  using Places = std::pmr::map<char*, std::size_t>;
  struct Slab {
    char* at;
    std::size_t bytes;
  };

  static std::size_t rounded(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

  // Twice as much each time: what is not written to yet costs nothing.
  Sizes::iterator grow(std::size_t bytes) {
    std::size_t slab = std::max(bytes, next_slab_);
    void* memory = ::operator new (slab, std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) memory = ::operator new (slab = bytes, std::align_val_t{alignment});
    next_slab_ += slab;
    slabs_.push_back({static_cast<char*>(memory), slab});
    return add(slabs_.back().at, slab);
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
  std::vector<Slab> slabs_;
  std::pmr::unsynchronized_pool_resource nodes_;
  Sizes by_size_{&nodes_};
  Places by_place_{&nodes_};
};

// What a thread takes memory from while it runs: large blocks, and small ones that no thread keeps. A block goes back
// to where it came from: what a thread writes to lies in its own core's cache, not in another's.
class Arena {
 public:
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    return bytes < detail::large_from ? take_small(detail::size_class(bytes)) : heap_.take(bytes);
  }

  // Whether it is of this arena, where it is then.
  bool keep_large(void* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const bool own = heap_.holds(block);
    if (own) heap_.keep(block, bytes);
    return own;
  }

  void keep_small(void* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    lists_.keep(block, detail::size_class(bytes));
  }

  void keep(detail::FreeLists& small) {
    const std::lock_guard lock(mutex_);
    small.move_to(lists_);
  }

  // Small blocks may be kept elsewhere than where they were cut: only the sum over all arenas means something.
  std::size_t bytes_in_use() {
    const std::lock_guard lock(mutex_);
    return heap_.taken() - left_ - lists_.kept_bytes;
  }

  bool has_thread = false;

 private:
  void* take_small(const detail::SizeClass& c) {
    if (void* block = lists_.take(c)) return block;
    if (left_ < c.bytes) {
      rest_ = static_cast<char*>(heap_.take(chunk));
      left_ = chunk;
    }
    left_ -= c.bytes;
    return std::exchange(rest_, rest_ + c.bytes);
  }

  std::mutex mutex_;
  Heap heap_;
  detail::FreeLists lists_{.limit = std::numeric_limits<std::size_t>::max()};
  char* rest_ = nullptr;  // of a chunk that small blocks are cut from
  std::size_t left_ = 0;
};

// One for each thread that runs: that of a thread that ended goes to the next.
class Arenas {
 public:
  static Arenas& of_process() {
    static auto* arenas = new Arenas;  // never destroyed: tensors with static storage outlive everything else
    return *arenas;
  }

  Arena& first() { return all_.front(); }

  Arena& enter() {
    const std::lock_guard lock(mutex_);
    auto free = std::find_if(all_.begin(), all_.end(), [](const Arena& a) { return !a.has_thread; });
    if (free == all_.end()) free = all_.emplace(free);
    free->has_thread = true;
    return *free;
  }

  void leave(Arena& arena) {
    const std::lock_guard lock(mutex_);
    arena.has_thread = false;
  }

  void keep_large(void* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    for (Arena& arena : all_) {
      if (arena.keep_large(block, bytes)) return;
    }
  }

  std::size_t bytes_in_use() {
    const std::lock_guard lock(mutex_);
    return std::accumulate(all_.begin(), all_.end(), std::size_t{0},
                           [](std::size_t sum, Arena& a) { return sum + a.bytes_in_use(); });
  }

 private:
  std::mutex mutex_;
  std::list<Arena> all_{1};
};

// A thread's arena, which has what the thread's lists hold when it ends.
struct Residence {
  Residence() : arena(Arenas::of_process().enter()) { detail::thread_lists.limit = thread_limit; }
  ~Residence();
  Arena& arena;
};

// A plain flag, because tensors with static storage are freed after the thread's residence is gone.
constinit thread_local bool closed = false;

Arena& arena_of_thread() {
  if (closed) return Arenas::of_process().first();
  thread_local const Residence residence;
  return residence.arena;
}

Residence::~Residence() {
  closed = true;
  detail::thread_lists.limit = 0;
  arena.keep(detail::thread_lists);
  Arenas::of_process().leave(arena);
}

}  // namespace

void* detail::acquire_elsewhere(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 60)) throw std::bad_alloc();
  if (!recycles) return ::operator new (bytes, std::align_val_t{alignment});
  return arena_of_thread().take(bytes);
}

void detail::release_elsewhere(void* memory, std::size_t bytes) noexcept {
  if (!recycles) return ::operator delete (memory, std::align_val_t{alignment});
  Arena& arena = arena_of_thread();
  if (bytes >= large_from) {
    if (!arena.keep_large(memory, bytes)) Arenas::of_process().keep_large(memory, bytes);
  } else if (!thread_lists.keep(memory, size_class(bytes))) {
    arena.keep_small(memory, bytes);
  }
}

std::size_t bytes_in_use() { return Arenas::of_process().bytes_in_use() - detail::thread_lists.kept_bytes; }

}  // namespace rw
