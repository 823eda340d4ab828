// From an exact accumulator to a value of `out_bits` bits: one rounding (half up), then saturation.
#ifndef CONVMAKE_REQUANTISE_HPP
#define CONVMAKE_REQUANTISE_HPP

#include "types.hpp"

namespace convmake {

const int NONE = 0;  // values of the parameter activation
const int RELU = 1;
const int CLIP = 2;
const int LEAKY_RELU = 3;

const int ALPHA_BITS = 18;  // a negative slope is an integer of 15 fraction bits in [-4, 4)

template <int out_bits, class value_t> inline integer<out_bits> saturate(value_t v) {
#pragma HLS INLINE
    const int64_t highest = (int64_t(1) << (out_bits - 1)) - 1;
    const int64_t lowest = -highest - 1;
    if (v > highest) return integer<out_bits>(highest);
    if (v < lowest) return integer<out_bits>(lowest);
    return integer<out_bits>(v);
}

// round_half_up(value * 2^-shift), saturated. A shift beyond the value's bits gives 0, one to the left beyond the
// output's bits saturates: so both are cut to keep the adder narrow.
template <int bits, int out_bits, int shift> inline integer<out_bits> shift_round(integer<bits> value) {
#pragma HLS INLINE
    const int right = shift > 0 ? smaller(shift, bits + 1) : 0;
    const int left = shift < 0 ? smaller(-shift, out_bits) : 0;
    typedef integer<larger(bits, right) + left + 1> wide;
    const wide half = right > 0 ? wide(wide(1) << (right > 0 ? right - 1 : 0)) : wide(0);
    wide sum = value;
    if (left > 0) sum = wide(sum * wide(wide(1) << left));  // a shift; multiplication is defined for negative values
    sum = wide(sum + half);
    return saturate<out_bits>(wide(sum >> right));
}

template <int bits, int out_bits, int shift, int activation> struct activated {
    static integer<out_bits> of(integer<bits> acc, int clip_min, int clip_max, int) {
#pragma HLS INLINE
        const integer<out_bits> v = shift_round<bits, out_bits, shift>(acc);
        if (activation == RELU && v < 0) return 0;
        if (activation == CLIP && v < clip_min) return integer<out_bits>(clip_min);
        if (activation == CLIP && v > clip_max) return integer<out_bits>(clip_max);
        return v;
    }
};

template <int bits, int out_bits, int shift> struct activated<bits, out_bits, shift, LEAKY_RELU> {
    static integer<out_bits> of(integer<bits> acc, int, int, int alpha) {
#pragma HLS INLINE
        const integer<ALPHA_BITS> slope = acc < 0 ? integer<ALPHA_BITS>(alpha) : integer<ALPHA_BITS>(1 << 15);
        const integer<bits + ALPHA_BITS> scaled = multiply<bits, ALPHA_BITS>(acc, slope);
        return shift_round<bits + ALPHA_BITS, out_bits, shift + 15>(scaled);
    }
};

// The end of every module that computes: config's shift, activation, clip_min, clip_max, alpha, out_bits.
template <class config, int bits> inline integer<config::out_bits> requantise(integer<bits> acc) {
#pragma HLS INLINE
    return activated<bits, config::out_bits, config::shift, config::activation>::of(
        acc, config::clip_min, config::clip_max, config::alpha);
}

// A lane beyond the last channel carries 0, which a clip to a range without 0 would change.
template <class config> constexpr bool clips_zero() {
    return config::activation == CLIP && (config::clip_min > 0 || config::clip_max < 0);
}

}  // namespace convmake

#endif
