#pragma once

#include <cstddef>

namespace rw {

/// Returns 64-byte aligned memory of at least `bytes`, from the free lists where a block of that size class was given
/// back before. Throws std::bad_alloc.
void* acquire(std::size_t bytes);

/// Gives a block of acquire(bytes) back to the free lists; any thread may.
void release(void* block, std::size_t bytes) noexcept;

/// The allocator of every tensor and tape: a training loop that repeats its shapes allocates nothing after warm-up.
/// Under AddressSanitizer blocks go straight to the system, so that a use after free is seen.
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

}  // namespace rw
