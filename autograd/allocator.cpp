#include "autograd/allocator.hpp"

#include <mutex>
#include <utility>

namespace rw {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t thread_limit = std::size_t{1} << 26, shared_limit = std::size_t{1} << 32;

// Opens the lists of a thread with its first block, and frees what they hold when it ends.
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
  detail::FreeLists& lists = detail::thread_lists;
  lists.limit = 0;
  for (detail::FreeLists::Block*& head : lists.head) {
    while (head != nullptr) ::operator delete (std::exchange(head, head->next), std::align_val_t{alignment});
  }
}

struct SharedLists {
  std::mutex mutex;
  detail::FreeLists lists{.limit = shared_limit};
};

SharedLists& shared_lists() {
  static auto* shared = new SharedLists;  // never destroyed: tensors with static storage outlive everything else
  return *shared;
}

}  // namespace

void* detail::acquire_elsewhere(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 60)) throw std::bad_alloc();
  if (!recycles) return ::operator new (bytes, std::align_val_t{alignment});
  const SizeClass c = size_class(bytes);
  if (bytes >= shared_from) {
    SharedLists& shared = shared_lists();
    const std::lock_guard lock(shared.mutex);
    if (void* kept = shared.lists.take(c)) return kept;
  }
  return ::operator new (c.bytes, std::align_val_t{alignment});
}

void detail::release_elsewhere(void* memory, std::size_t bytes) noexcept {
  if (recycles) {
    const SizeClass c = size_class(bytes);
    if (bytes >= shared_from) {
      SharedLists& shared = shared_lists();
      const std::lock_guard lock(shared.mutex);
      if (shared.lists.keep(memory, c)) return;
    } else if (!closed && janitor.on_duty && thread_lists.keep(memory, c)) {
      return;
    }
  }
  ::operator delete (memory, std::align_val_t{alignment});
}

}  // namespace rw
