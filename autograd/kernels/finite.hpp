#pragma once

#include <cstddef>

namespace rw::kernels {

/// Whether no element is NaN or infinite.
template <class T>
bool all_finite(const T* x, std::size_t n);

extern template bool all_finite(const float*, std::size_t);
extern template bool all_finite(const double*, std::size_t);

}  // namespace rw::kernels
