#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace rw {

/// Whether blocks given back are handed out again. Not under AddressSanitizer, nor where REWIND_NO_RECYCLING is
/// defined: there they go straight to the system, so that a leak or a use after free is seen.
#if defined(REWIND_NO_RECYCLING) || defined(__SANITIZE_ADDRESS__)  // the latter as g++ says it
inline constexpr bool recycles = false;
#elif defined(__has_feature)
inline constexpr bool recycles = !__has_feature(address_sanitizer);
#else
inline constexpr bool recycles = true;
#endif

namespace detail {

struct SizeClass {
  std::size_t index, bytes;
};

// Four classes an octave from 64 bytes on: at most a fifth of a block is unused.
constexpr SizeClass size_class(std::size_t bytes) {
  if (bytes <= 256) {
    const std::size_t quarter = bytes == 0 ? 0 : (bytes - 1) / 64;
    return {quarter, (quarter + 1) * 64};
  }
  const auto octave = static_cast<std::size_t>(std::bit_width(bytes - 1));  // 2^(octave-1) < bytes <= 2^octave
  const std::size_t step = std::size_t{1} << (octave - 3);
  const std::size_t quarter = (bytes - 1 - (std::size_t{1} << (octave - 1))) / step;
  return {4 + (octave - 9) * 4 + quarter, (std::size_t{1} << (octave - 1)) + (quarter + 1) * step};
}

/// Blocks given back, a list a size class.
struct FreeLists {
  struct Block {
    Block* next;
  };

  std::array<Block*, 4 + 4 * 56> head{};
  std::size_t kept_bytes = 0, limit = 0;

  void* take(const SizeClass& c) {
    Block* block = head[c.index];
    if (block == nullptr) return nullptr;
    head[c.index] = block->next;
    kept_bytes -= c.bytes;
    return block;
  }

  bool keep(void* memory, const SizeClass& c) {
    if (kept_bytes + c.bytes > limit) return false;
    head[c.index] = ::new (memory) Block{head[c.index]};
    kept_bytes += c.bytes;
    return true;
  }

  void move_to(FreeLists& other) {
    for (std::size_t i = 0; i < head.size(); ++i) {
      while (Block* block = head[i]) {
        head[i] = block->next;
        block->next = other.head[i];
        other.head[i] = block;
      }
    }
    other.kept_bytes += std::exchange(kept_bytes, 0);
  }
};

// Small blocks stay with the thread that frees them. Large ones go back to the one that made them, so that the
// gradients of a shard, which another adds up and frees, are there for the next step.
inline constexpr std::size_t large_from = std::size_t{1} << 15;
inline constinit thread_local FreeLists thread_lists;

void* acquire_elsewhere(std::size_t bytes);
void release_elsewhere(void* block, std::size_t bytes) noexcept;

}  // namespace detail

/// Returns 64-byte aligned memory of at least `bytes`, from what was given back before where there is enough. What the
/// process took from the system once it keeps. Throws std::bad_alloc.
inline void* acquire(std::size_t bytes) {
  if (bytes < detail::large_from) {
    if (void* block = detail::thread_lists.take(detail::size_class(bytes))) return block;
  }
  return detail::acquire_elsewhere(bytes);
}

/// Gives a block of acquire(bytes) back; any thread may.
inline void release(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  if (bytes < detail::large_from && detail::thread_lists.keep(block, detail::size_class(bytes))) return;
  detail::release_elsewhere(block, bytes);
}

/// The bytes of the blocks that are not given back; what other threads keep for themselves counts too. Only where
/// `recycles`: elsewhere 0.
std::size_t bytes_in_use();

/// The allocator of every tensor and tape: a training loop that repeats its shapes allocates nothing after warm-up.
template <class T>
class RecyclingAllocator {
 public:
  using value_type = T;

  RecyclingAllocator() = default;
  template <class U>
  RecyclingAllocator(const RecyclingAllocator<U>&) noexcept {}

  T* allocate(std::size_t n) { return static_cast<T*>(acquire(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { release(p, n * sizeof(T)); }

  friend bool operator==(const RecyclingAllocator&, const RecyclingAllocator&) { return true; }
  friend bool operator!=(const RecyclingAllocator&, const RecyclingAllocator&) { return false; }
};

/// A vector on recycled memory.
template <class X>
using List = std::vector<X, RecyclingAllocator<X>>;

/// Deletes what was made in acquired memory.
struct Recycle {
  template <class X>
  void operator()(X* x) const {
    x->~X();
    release(x, sizeof(X));
  }
};

}  // namespace rw
