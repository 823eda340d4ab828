// From an exact accumulator to a value of `out_bits` bits: one rounding (half up), then saturation.
#ifndef CONVMAKE_REQUANTISE_HPP
#define CONVMAKE_REQUANTISE_HPP

#include "types.hpp"

namespace convmake {

const int NONE = 0;  // values of the parameter activation
const int RELU = 1;
const int CLIP = 2;
const int LEAKY_RELU = 3;

// Bits of a negative slope (15 fraction bits) and of 1.
constexpr int slope_bits(int alpha) { return larger(17, 2 + log2_ceil((alpha < 0 ? -(long long)alpha : alpha) + 1)); }

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

template <class config, int bits, int activation> struct activated {
    static integer<config::out_bits> of(integer<bits> acc) {
#pragma HLS INLINE
        const integer<config::out_bits> v = shift_round<bits, config::out_bits, config::shift>(acc);
        if (activation == RELU && v < 0) return 0;
        if (activation == CLIP && v < config::clip_min) return integer<config::out_bits>(int(config::clip_min));
        if (activation == CLIP && v > config::clip_max) return integer<config::out_bits>(int(config::clip_max));
        return v;
    }
};

template <class config, int bits> struct activated<config, bits, LEAKY_RELU> {
    static const int slope = slope_bits(config::alpha);
    static integer<config::out_bits> of(integer<bits> acc) {
#pragma HLS INLINE
        const integer<slope> factor = acc < 0 ? integer<slope>(int(config::alpha)) : integer<slope>(1 << 15);
        return shift_round<bits + slope, config::out_bits, config::shift + 15>(multiply<bits, slope>(acc, factor));
    }
};

// The end of every module that computes: config's shift, activation, clip_min, clip_max, alpha, out_bits.
template <class config, int bits> inline integer<config::out_bits> requantise(integer<bits> acc) {
#pragma HLS INLINE
    return activated<config, bits, config::activation>::of(acc);
}

// A lane beyond the last channel carries 0, which a clip to a range without 0 would change.
template <class config> constexpr bool clips_zero() {
    return config::activation == CLIP && (config::clip_min > 0 || config::clip_max < 0);
}

}  // namespace convmake

#endif
