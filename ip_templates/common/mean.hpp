// Exact rounded quotient of a sum: floor((2 * sum + d) / (2 * d)), by one multiplication with a tabled reciprocal.
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

    struct table {
        int64_t value[largest + 1];
        constexpr table() : value() {
            for (int d = 1; d <= largest; ++d) value[d] = reciprocal(d);
        }
    };

    static integer<bits> quotient(integer<sum_bits> sum, int divisor, int64_t factor) {
#pragma HLS INLINE
        const integer<range + 1> offset = integer<range + 1>(divisor) << (bits + 1);
        const integer<range + 1> y = integer<range + 1>(sum) * 2 + divisor + offset;
        const integer<range + 1 + shift + 1> product = multiply<range + 1, shift + 1>(y, integer<shift + 1>(factor));
        const integer<bits + 4> shifted = integer<bits + 4>(product >> shift);
        return integer<bits>(shifted - (integer<bits + 4>(1) << bits));
    }
};

}  // namespace convmake

#endif
