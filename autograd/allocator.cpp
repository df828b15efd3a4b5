#include "autograd/allocator.hpp"

#include <array>
#include <bit>
#include <mutex>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define REWIND_RECYCLE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REWIND_RECYCLE 0
#endif
#endif
#ifndef REWIND_RECYCLE
#define REWIND_RECYCLE 1
#endif

namespace rw {
namespace {

constexpr std::size_t alignment = 64;

struct SizeClass {
  std::size_t index, bytes;
};

// Four classes an octave from 64 bytes on: at most a fifth of a block is unused.
SizeClass size_class(std::size_t bytes) {
  if (bytes <= 256) {
    const std::size_t quarter = bytes == 0 ? 0 : (bytes - 1) / 64;
    return {quarter, (quarter + 1) * 64};
  }
  const std::size_t octave = std::bit_width(bytes - 1);  // 2^(octave-1) < bytes <= 2^octave
  const std::size_t step = std::size_t{1} << (octave - 3);
  const std::size_t quarter = (bytes - 1 - (std::size_t{1} << (octave - 1))) / step;
  return {4 + (octave - 9) * 4 + quarter, (std::size_t{1} << (octave - 1)) + (quarter + 1) * step};
}

struct Block {
  Block* next;
};

struct FreeLists {
  std::array<Block*, 4 + 4 * 56> head{};
  std::size_t kept_bytes = 0;

  void* take(const SizeClass& c) {
    Block* block = head[c.index];
    if (block == nullptr) return nullptr;
    head[c.index] = block->next;
    kept_bytes -= c.bytes;
    return block;
  }

  bool keep(void* memory, const SizeClass& c, std::size_t limit) {
    if (kept_bytes + c.bytes > limit) return false;
    head[c.index] = new (memory) Block{head[c.index]};
    kept_bytes += c.bytes;
    return true;
  }
};

// Small blocks stay with their thread. Large ones are shared, so that what one thread makes and another frees, as the
// gradients of a shard, finds its way back.
constexpr std::size_t shared_from = std::size_t{1} << 15;
constexpr std::size_t thread_limit = std::size_t{1} << 26, shared_limit = std::size_t{1} << 32;

struct ThreadLists : FreeLists {
  ~ThreadLists();
};

// A plain flag, because tensors with static storage are freed after the lists of their thread are gone.
thread_local bool lists_gone = false;
thread_local ThreadLists thread_lists;

ThreadLists::~ThreadLists() {
  lists_gone = true;
  for (Block* block : head) {
    while (block != nullptr) {
      Block* next = block->next;
      ::operator delete (block, std::align_val_t{alignment});
      block = next;
    }
  }
}

struct SharedLists {
  std::mutex mutex;
  FreeLists lists;
};

SharedLists& shared_lists() {
  static auto* shared = new SharedLists;  // never destroyed: tensors with static storage outlive everything else
  return *shared;
}

void* take_kept(const SizeClass& c) {
  if (c.bytes < shared_from) return lists_gone ? nullptr : thread_lists.take(c);
  SharedLists& shared = shared_lists();
  const std::lock_guard lock(shared.mutex);
  return shared.lists.take(c);
}

bool keep(void* memory, const SizeClass& c) {
  if (c.bytes < shared_from) return !lists_gone && thread_lists.keep(memory, c, thread_limit);
  SharedLists& shared = shared_lists();
  const std::lock_guard lock(shared.mutex);
  return shared.lists.keep(memory, c, shared_limit);
}

}  // namespace

void* acquire(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 60)) throw std::bad_alloc();
  if (!REWIND_RECYCLE) return ::operator new (bytes, std::align_val_t{alignment});
  const SizeClass c = size_class(bytes);
  if (void* kept = take_kept(c)) return kept;
  return ::operator new (c.bytes, std::align_val_t{alignment});
}

void release(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  if (REWIND_RECYCLE && keep(memory, size_class(bytes))) return;
  ::operator delete (memory, std::align_val_t{alignment});
}

}  // namespace rw
