#pragma once

#include <malloc.h>

#include "autograd/allocator.hpp"

namespace common {

/// The bytes in use: of tensors and tapes, which are cut from memory that malloc gave long before, and of all else.
inline std::size_t bytes_in_use() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd + rw::bytes_in_use();
}

}  // namespace common
