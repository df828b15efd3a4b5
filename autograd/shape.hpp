#pragma once

#include <cstddef>
#include <string>

// GCC 12 sees uninitialised reads in xtensor's moves of small vectors, where there are none.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xtensor/xarray.hpp>
#pragma GCC diagnostic pop

namespace rw {

/// The extents of a tensor, outermost first; {} is a scalar.
using Shape = xt::dynamic_shape<std::size_t>;

/// The number of elements of `shape`.
inline std::size_t size_of(const Shape& shape) {
  std::size_t n = 1;
  for (const std::size_t extent : shape) n *= extent;
  return n;
}

/// "[32, 256]"; a scalar is "[]".
std::string to_string(const Shape& shape);

}  // namespace rw
