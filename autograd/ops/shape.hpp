#pragma once

#include "autograd/ops/arithmetic.hpp"

namespace rw {

/// The same elements in row-major order under another shape of the same size.
/// Throws std::invalid_argument where the sizes differ.
template <class T>
Variable<T> reshape(const Variable<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (x.size() != size_of(shape))
    fail("reshape", "a shape of " + std::to_string(x.size()) + " elements", "x ", x.shape(), ", shape ", shape);
  return record("reshape", reshaped(x.value(), shape),
                wrt(x, [from = x.shape()](const Variable<T>& dy) { return reshape(dy, from); }));
}

}  // namespace rw
