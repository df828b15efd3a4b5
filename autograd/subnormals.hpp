#pragma once

#ifdef __SSE2__
#include <pmmintrin.h>
#endif

namespace rw {

/// While in scope subnormal numbers (floats below 1.2·10⁻³⁸) count as 0 on this thread. The gradients of a network that
/// forgets become such on their way back, and on them a processor can be 30 times slower. Results change by less than
/// those numbers. Elsewhere than on x86 it does nothing.
class FlushSubnormals {
 public:
#ifdef __SSE2__
  FlushSubnormals() { _mm_setcsr(before_ | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
#else
  FlushSubnormals() {}
#endif
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#ifdef __SSE2__
  unsigned before_ = _mm_getcsr();
#endif
};

}  // namespace rw
