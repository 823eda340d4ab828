// Exact rounded quotient of a sum: floor((2 * sum + d) / (2 * d)), by one multiplication with a reciprocal.
//
// A constant divisor multiplies in LUTs, where a constant factor costs a few additions; a divisor that changes from window
// to window takes DSPs, and its reciprocal is one of `largest` constants behind comparisons, not a memory.
//
// y = 2 * sum + d + 2 * d * 2^bits is positive (a mean of `bits`-bit values is at least −2^(bits−1)) and below 2^range.
// With s >= range + log2(2 d) and r = ceil(2^s / (2 d)), floor(y * r / 2^s) is floor(y / (2 d)) exactly (Granlund and
// Montgomery, PLDI 1994); subtracting 2^bits undoes the offset.
#ifndef CONVMAKE_MEAN_HPP
#define CONVMAKE_MEAN_HPP

#include "types.hpp"

namespace convmake {

// For divisors 1 … largest.
template <int bits, int largest> struct rounded_mean {
    static const int divisor_bits = log2_ceil(largest + 1);
    static const int sum_bits = bits + log2_ceil(largest);
    static const int range = bits + 3 + divisor_bits;     // y < 2^range
    static const int shift = range + divisor_bits + 1;    // fraction bits of a reciprocal
    static_assert(shift <= 62, "the window is too large for an exact average");

    static constexpr int64_t reciprocal(int64_t divisor) {
        return ((int64_t(1) << shift) + 2 * divisor - 1) / (2 * divisor);
    }

    template <int low, int high> struct choice {
        static integer<shift + 1> of(int divisor) {
#pragma HLS INLINE
            const int middle = (low + high) / 2;
            return divisor <= middle ? choice<low, middle>::of(divisor) : choice<middle + 1, high>::of(divisor);
        }
    };
    template <int only> struct choice<only, only> {
        static integer<shift + 1> of(int) {
#pragma HLS INLINE
            constexpr int64_t factor = reciprocal(only);
            return integer<shift + 1>(factor);
        }
    };

    static integer<shift + 1> factor_of(int divisor) {
#pragma HLS INLINE
        return choice<1, largest>::of(divisor);
    }

    // By a divisor whose factor is factor_of(divisor).
    static integer<bits> quotient(integer<sum_bits> sum, int divisor, integer<shift + 1> factor) {
#pragma HLS INLINE
        return reduced(multiply<range + 1, shift + 1>(offset(sum, divisor), factor));
    }

    // By the largest divisor.
    static integer<bits> quotient(integer<sum_bits> sum) {
#pragma HLS INLINE
        constexpr int64_t factor = reciprocal(largest);
        return reduced(multiply_in_fabric<range + 1, shift + 1>(offset(sum, largest), integer<shift + 1>(factor)));
    }

  private:
    static integer<range + 1> offset(integer<sum_bits> sum, int divisor) {
#pragma HLS INLINE
        return integer<range + 1>(sum) * 2 + divisor + (integer<range + 1>(divisor) << (bits + 1));
    }

    static integer<bits> reduced(integer<range + 1 + shift + 1> product) {
#pragma HLS INLINE
        const integer<bits + 4> shifted = integer<bits + 4>(product >> shift);
        return integer<bits>(shifted - (integer<bits + 4>(1) << bits));
    }
};

}  // namespace convmake

#endif
