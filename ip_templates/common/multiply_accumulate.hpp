// The MAC array: every output lane's dot product of held input values with one row of weights.
#ifndef CONVMAKE_MULTIPLY_ACCUMULATE_HPP
#define CONVMAKE_MULTIPLY_ACCUMULATE_HPP

#include "types.hpp"

namespace convmake {

// Bits of a sum of `length` products.
constexpr int dot_bits(int length, int a_bits, int b_bits) { return a_bits + b_bits + log2_ceil(length); }

// Exact dot product of `length` values with weights[offset …].
template <int length, int data_bits, int weight_bits, class row_t>
inline integer<dot_bits(length, data_bits, weight_bits)> dot(const integer<data_bits> (&values)[length],
                                                             const row_t &weights, int offset) {
#pragma HLS INLINE
    integer<dot_bits(length, data_bits, weight_bits)> sum = 0;
#ifndef CONVMAKE_TIMED_ONLY
products:
    for (int k = 0; k < length; ++k) {
#pragma HLS UNROLL
        sum += multiply<data_bits, weight_bits>(values[k], weights[offset + k]);
    }
#endif
    return sum;
}

}  // namespace convmake

#endif
