#include "autograd/kernels/finite.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace rw::kernels {

// By the largest of their bits without the sign, as integers, which a compiler does for many elements at once.
template <class T>
bool all_finite(const T* x, std::size_t n) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  Bits most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    most = std::max(most, std::bit_cast<Bits>(x[i]) & std::numeric_limits<Bits>::max());
  }
  return most < std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
}

template bool all_finite(const float*, std::size_t);
template bool all_finite(const double*, std::size_t);

}  // namespace rw::kernels
