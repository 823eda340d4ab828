// The logistic function 1 / (1 + exp(-x)) as a table of 257 values with straight lines between them, for magnitudes up to
// 16, and the piecewise linear hard sigmoid. Results are in steps of 2^-18.
//
//   exp(-i / 16)   e[i] in steps of 2^-30: e[0] = 2^30, e[i + 1] = floor(e[i] * decay / 2^30)
//   value[i]       e[i] / (2^30 + e[i]), rounded half up: the function of -i / 16
//   between        value[i] - round_half_up(fall[i] * within / 2^10), fall[i] = value[i] - value[i + 1]
//
// The compiler works the table out in integers, so it holds the same bits everywhere and depends on nothing trained.
#ifndef CONVMAKE_LOGISTIC_HPP
#define CONVMAKE_LOGISTIC_HPP

#include "requantise.hpp"
#include "types.hpp"

namespace convmake {

const int SEGMENTS = 256;       // straight lines, each 1/16 long
const int POSITION_BITS = 19;   // signed: 14 fraction bits, up to 16
const int WITHIN_BITS = 10;     // of a position, those inside a segment
const int UNIT_BITS = 18;       // 1 is 2^18
const int GATE_BITS = 20;       // signed: a result
const int HARD_BITS = 24;       // signed: slope of a hard sigmoid (20 fraction bits), and its line
const int FALL_BITS = 13;       // signed: a segment falls by less than 2^12

struct logistic_table {
    int32_t value[SEGMENTS];
    int32_t fall[SEGMENTS];
    constexpr logistic_table() : value(), fall() {
        const int64_t one = int64_t(1) << 30;
        int64_t e = one;
        for (int i = 0; i < SEGMENTS; ++i) {
            const int64_t next = (e * 1008687096) >> 30;
            value[i] = int32_t(((e << UNIT_BITS) + (one + e) / 2) / (one + e));
            fall[i] = value[i] - int32_t(((next << UNIT_BITS) + (one + next) / 2) / (one + next));
            e = next;
        }
    }
};

// The function of x = v * 2^-(shift + 14). A module of its own, so that every lane has its table.
template <int bits, int shift> inline integer<GATE_BITS> logistic(integer<bits> v) {
#pragma HLS INLINE off
#pragma HLS PIPELINE II=1
    static constexpr logistic_table entries = {};
#pragma HLS BIND_STORAGE variable=entries type=rom_np impl=lutram
    const integer<bits + 1> magnitude = v < 0 ? integer<bits + 1>(-integer<bits + 1>(v)) : integer<bits + 1>(v);
    const integer<POSITION_BITS> position = shift_round<bits + 1, POSITION_BITS, shift>(magnitude);
    const int segment = int(position) >> WITHIN_BITS;
    const integer<WITHIN_BITS + 1> within = int(position) & ((1 << WITHIN_BITS) - 1);
    const integer<FALL_BITS> fall = entries.fall[segment];
    const integer<FALL_BITS + WITHIN_BITS + 1> part = integer<FALL_BITS + WITHIN_BITS + 1>(fall) * within;
#pragma HLS BIND_OP variable=part op=mul impl=fabric
    const integer<GATE_BITS> below = entries.value[segment] - int((part + (1 << (WITHIN_BITS - 1))) >> WITHIN_BITS);
    return v < 0 ? below : integer<GATE_BITS>((1 << UNIT_BITS) - below);
}

// min(max(slope * x + offset, 0), 1); products are `shift` bits finer than the result.
template <int bits, int slope, int offset, int shift> inline integer<GATE_BITS> hard_sigmoid(integer<bits> v) {
#pragma HLS INLINE
    const integer<HARD_BITS> wide = shift_round<bits + HARD_BITS, HARD_BITS, shift>(
        multiply<bits, HARD_BITS>(v, integer<HARD_BITS>(slope)));
    const int line = int(wide) + offset;
    if (line < 0) return 0;
    if (line > (1 << UNIT_BITS)) return integer<GATE_BITS>(1 << UNIT_BITS);
    return integer<GATE_BITS>(line);
}

}  // namespace convmake

#endif
