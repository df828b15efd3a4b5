#include "autograd/allocator.hpp"

#include <array>
#include <bit>
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
constexpr std::size_t kept_bytes_limit = std::size_t{1} << 30;  // per thread; beyond it blocks go back to the system

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
  ~FreeLists();
};

// Plain flag, because tensors with static storage are freed after the lists of the main thread are gone.
thread_local bool lists_gone = false;
thread_local FreeLists lists;

FreeLists::~FreeLists() {
  lists_gone = true;
  for (Block* block : head) {
    while (block != nullptr) {
      Block* next = block->next;
      ::operator delete (block, std::align_val_t{alignment});
      block = next;
    }
  }
}

}  // namespace

void* acquire(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 60)) throw std::bad_alloc();
  const SizeClass c = size_class(bytes);
  if (REWIND_RECYCLE && !lists_gone) {
    if (Block* block = lists.head[c.index]) {
      lists.head[c.index] = block->next;
      lists.kept_bytes -= c.bytes;
      return block;
    }
  }
  return ::operator new (REWIND_RECYCLE ? c.bytes : bytes, std::align_val_t{alignment});
}

void release(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  const SizeClass c = size_class(bytes);
  if (REWIND_RECYCLE && !lists_gone && lists.kept_bytes + c.bytes <= kept_bytes_limit) {
    auto* block = static_cast<Block*>(memory);
    block->next = lists.head[c.index];
    lists.head[c.index] = block;
    lists.kept_bytes += c.bytes;
    return;
  }
  ::operator delete (memory, std::align_val_t{alignment});
}

}  // namespace rw
