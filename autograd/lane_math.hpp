#pragma once

#include <cstdint>
#include <type_traits>

#include "autograd/lane.hpp"

// tanh and the logistic function on SIMD batches. Both are quotients of the two parts of one exponential, in which the
// numerator never falls and the denominator never grows with x while n stays; so rounding cannot make a result fall.
// Errors and order were checked on every float up to |x| = 110 with FMA, and from |x| = 2⁻¹³ to 110 without.

namespace rw {
namespace lane_math {

/// eˣ = 2ⁿ / (1 − w): power = 2^(n + Shift), and w = 1 − e⁻ʳ with r = x − n·ln 2, |r| ≤ ln 2 / 2.
template <class Batch>
struct Exponential {
  Batch power, w;
};

/// The parts of eˣ for −127 < n + Shift < 128. Wide keeps r accurate for every n; without it n·ln 2 is rounded to a
/// float, which is enough for tanh.
template <int Shift, bool Wide, class Batch>
inline Exponential<Batch> exponential(const Batch& x) {
  using Bits = xsimd::batch<std::int32_t, typename Batch::arch_type>;
  // Added to x·log₂e, this leaves n + Shift + 127 in the lowest bits of the sum: the exponent field of the power.
  const Batch magic(0x1.8p23f + 127 + Shift);
  const Batch t = xsimd::fma(x, Batch(1.44269504f), magic);
  const Batch n = t - magic;
  Batch r;
  if constexpr (Wide) {  // ln 2 = 0x1.62e4p-1 (15 bits, so that n times it is exact) + the rest
    r = xsimd::fma(n, Batch(-1.42860677e-6f), xsimd::fma(n, Batch(-0x1.62e4p-1f), x));
  } else {
    r = xsimd::fma(n, Batch(-0.693147182f), x);
  }
  // w = r + r²·q(r) with an error of 1.4e-8·|r|: q is the minimax fit of (1 − e⁻ʳ − r) / r² under the weight |r|, by
  // Remez' exchange in 40 digits, its coefficients rounded to float one by one and the later ones fitted again.
  const Batch r2 = r * r;
  Batch q = xsimd::fma(r, Batch(0x1.122c52p-7f), Batch(-0x1.555538p-5f));
  q = xsimd::fma(r2, Batch(-0x1.6cd79p-10f), q);
  q = xsimd::fma(r2, q, xsimd::fma(r, Batch(0x1.5554aap-3f), Batch(-0.5f)));
  return {xsimd::bitwise_cast<Batch>(xsimd::bitwise_cast<Bits>(t) << 23), xsimd::fma(r2, q, r)};
}

}  // namespace lane_math

/// tanh x on a batch of float or double; the sign of zero and NaN are kept, ±∞ gives ±1.
/// float: at most 1.96 ulp from the exact value (2.04 without FMA), and never decreasing. double: xsimd's own.
template <class Batch>
inline Batch fast_tanh(const Batch& x) {
  if constexpr (std::is_same_v<typename Batch::value_type, double>) {
    return xsimd::tanh(x);
  } else {
    // (e²ᵃ − 1) / (e²ᵃ + 1) for a = |x|, both multiplied by 1 − w; it rounds to 1 long before 2a = 20. x86's min and
    // max return their second argument for NaN.
    const Batch a = xsimd::abs(x), one(1);
    const auto e = lane_math::exponential<0, false>(xsimd::min(Batch(20), a + a));
    return ((e.power - one) + e.w) / ((e.power + one) - e.w) | xsimd::bitofsign(x);
  }
}

/// 1 / (1 + e⁻ˣ) on a batch of float or double; NaN is kept, −∞ gives 0, +∞ gives 1, 0 gives 1/2.
/// float: at most 1.9 ulp from the exact value (2.01 without FMA), subnormal or not, and never decreasing.
/// double: a few ulp; 0 below x = −709.8, where the exact value is subnormal.
template <class Batch>
inline Batch fast_sigmoid(const Batch& x) {
  if constexpr (std::is_same_v<typename Batch::value_type, double>) {
    return Batch(1) / (Batch(1) + xsimd::exp(-x));
  } else {
    // 2ⁿ / (2ⁿ + 1 − w). The common factor 2²⁵ keeps 2ⁿ normal until the result is 0. The factor 1.75 puts the
    // denominator high between two powers of two, where rounding costs least, when the result is just below one.
    const Batch factor(1.75f * 0x1p25f);
    const auto e = lane_math::exponential<25, true>(xsimd::min(Batch(60), xsimd::max(Batch(-104.5f), x)));
    const Batch power = e.power * Batch(1.75f);
    return power / xsimd::fma(e.w, -factor, power + factor);
  }
}

}  // namespace rw
