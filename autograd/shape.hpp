#pragma once

#include <cstddef>
#include <string>
#include <xtensor/xshape.hpp>

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
