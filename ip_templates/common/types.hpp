// Integers, packed words and memory port words, in the two modes in which every IP compiles.
//
// Default: arbitrary-precision types, the ones that are synthesised. A word is ap_uint<lanes * bits>.
// -DCONVMAKE_NATIVE: plain integers for fast C simulation. A word is a struct of lanes. Bits are equal in both modes.
// -DCONVMAKE_TIMED_ONLY, besides: nothing is computed. A word keeps its first lane and a port word its low bits, because
// headers travel there; so every loop makes the same trips and every stream carries the same words.
#ifndef CONVMAKE_TYPES_HPP
#define CONVMAKE_TYPES_HPP

#include <stddef.h>
#include <stdint.h>

#if defined(__SYNTHESIS__) && defined(CONVMAKE_NATIVE)
#error "CONVMAKE_NATIVE is for simulation only"
#endif

#ifndef CONVMAKE_NATIVE
#ifndef AP_INT_MAX_W
#define AP_INT_MAX_W 4096
#endif
#include <ap_int.h>
#endif

namespace convmake {

const int MAX_WORD_BITS = 4096;  // AP_INT_MAX_W: the widest ap_int that the tool accepts

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
constexpr int larger(int a, int b) { return a > b ? a : b; }
constexpr int smaller(int a, int b) { return a < b ? a : b; }
// Bits that count `n` different values: the smallest b with 2^b >= n.
constexpr int log2_ceil(long long n) { return n <= 1 ? 0 : 1 + log2_ceil((n + 1) / 2); }
// Container of a value in memory.
constexpr int slot_bits(int bits) { return bits <= 8 ? 8 : bits <= 16 ? 16 : 32; }

#ifdef CONVMAKE_NATIVE

template <int size> struct container;
template <> struct container<0> { typedef int16_t type; };
template <> struct container<1> { typedef int32_t type; };
template <> struct container<2> { typedef int64_t type; };
template <> struct container<3> { typedef __int128 type; };

constexpr int container_size(int bits) { return bits <= 16 ? 0 : bits <= 32 ? 1 : bits <= 64 ? 2 : 3; }

// Signed integer of at least `bits` bits. Values never leave `bits` bits: all narrowing goes through `requantise`.
template <int bits> using integer = typename container<container_size(bits)>::type;
// Counter or address of at most `bits` bits.
template <int bits> using natural = int;

#ifdef CONVMAKE_TIMED_ONLY
const int KEPT_LANES = 1;
#else
const int KEPT_LANES = MAX_WORD_BITS;
#endif

template <int lanes, int bits> struct word {
    integer<bits> lane[smaller(lanes, KEPT_LANES)];
};

template <class word_t> inline word_t zero_word() { return word_t(); }

template <int bits, class word_t> inline integer<bits> get_lane(const word_t &w, int l) {
    return l < KEPT_LANES ? w.lane[l] : integer<bits>(0);
}

template <int bits, class word_t, class value_t> inline void set_lane(word_t &w, int l, value_t v) {
    if (l < KEPT_LANES) w.lane[l] = integer<bits>(v);
}

template <int a_bits, int b_bits> inline integer<a_bits + b_bits> multiply(integer<a_bits> a, integer<b_bits> b) {
    return integer<a_bits + b_bits>(a) * b;
}

template <int a_bits, int b_bits> inline integer<a_bits + b_bits> multiply_in_fabric(integer<a_bits> a, integer<b_bits> b) {
    return integer<a_bits + b_bits>(a) * b;
}

template <int port_bits> struct port_word {
    static_assert(port_bits % 64 == 0, "a port word is a multiple of 64 bits");
    uint64_t chunk[port_bits / 64];
};

template <int port_bits> inline uint64_t low_bits(const port_word<port_bits> &w) { return w.chunk[0]; }

template <int port_bits> inline port_word<port_bits> port_word_of(uint64_t low) {
    port_word<port_bits> w = port_word<port_bits>();
    w.chunk[0] = low;
    return w;
}

// Value `index` of a port word: the low `bits` bits of its slot.
template <int bits, int port_bits> inline integer<bits> get_slot(const port_word<port_bits> &w, int index) {
    if (KEPT_LANES == 1) return 0;
    const int slot = slot_bits(bits);
    const uint64_t raw = w.chunk[index * slot / 64] >> (index * slot % 64);
    return integer<bits>(int64_t(raw << (64 - bits)) >> (64 - bits));
}

// Store a value sign-extended in its slot; the slot must be zero.
template <int bits, int port_bits> inline void set_slot(port_word<port_bits> &w, int index, integer<bits> v) {
    if (KEPT_LANES == 1) return;
    const int slot = slot_bits(bits);
    const uint64_t mask = (uint64_t(1) << slot) - 1;
    w.chunk[index * slot / 64] |= (uint64_t(int64_t(v)) & mask) << (index * slot % 64);
}

// For test benches: 64-bit chunk `index` of a port word.
template <int port_bits> inline uint64_t get_chunk(const port_word<port_bits> &w, int index) { return w.chunk[index]; }
template <int port_bits> inline void set_chunk(port_word<port_bits> &w, int index, uint64_t v) { w.chunk[index] = v; }

#else

template <int bits> using integer = ap_int<bits>;
template <int bits> using natural = ap_uint<bits>;

template <int lanes, int bits> struct word_type {
    static_assert(lanes * bits <= MAX_WORD_BITS, "a packed word is at most AP_INT_MAX_W bits wide");
    typedef ap_uint<lanes * bits> type;
};
template <int lanes, int bits> using word = typename word_type<lanes, bits>::type;
template <int port_bits> using port_word = ap_uint<port_bits>;

template <class word_t> inline word_t zero_word() {
#pragma HLS INLINE
    return word_t(0);
}

template <int bits, class word_t> inline ap_int<bits> get_lane(const word_t &w, int l) {
#pragma HLS INLINE
    ap_int<bits> v;
    v.range(bits - 1, 0) = w.range(l * bits + bits - 1, l * bits);
    return v;
}

template <int bits, class word_t, class value_t> inline void set_lane(word_t &w, int l, value_t v) {
#pragma HLS INLINE
    const ap_int<bits> value = v;
    w.range(l * bits + bits - 1, l * bits) = value.range(bits - 1, 0);
}

template <int a_bits, int b_bits> inline ap_int<a_bits + b_bits> multiply(ap_int<a_bits> a, ap_int<b_bits> b) {
#pragma HLS INLINE
    const ap_int<a_bits + b_bits> product = a * b;
#pragma HLS BIND_OP variable=product op=mul impl=dsp
    return product;
}

// For small and constant factors: the tool would choose by itself between LUTs and a DSP.
template <int a_bits, int b_bits> inline ap_int<a_bits + b_bits> multiply_in_fabric(ap_int<a_bits> a, ap_int<b_bits> b) {
#pragma HLS INLINE
    const ap_int<a_bits + b_bits> product = a * b;
#pragma HLS BIND_OP variable=product op=mul impl=fabric
    return product;
}

template <int port_bits> inline ap_uint<64> low_bits(const ap_uint<port_bits> &w) {
#pragma HLS INLINE
    return w.range(63, 0);
}

template <int port_bits> inline ap_uint<port_bits> port_word_of(ap_uint<64> low) {
#pragma HLS INLINE
    return ap_uint<port_bits>(low);
}

template <int bits, int port_bits> inline ap_int<bits> get_slot(const ap_uint<port_bits> &w, int index) {
#pragma HLS INLINE
    const int slot = slot_bits(bits);
    ap_int<bits> v;
    v.range(bits - 1, 0) = w.range(index * slot + bits - 1, index * slot);
    return v;
}

template <int bits, int port_bits> inline void set_slot(ap_uint<port_bits> &w, int index, ap_int<bits> v) {
#pragma HLS INLINE
    const int slot = slot_bits(bits);
    const ap_int<slot> extended = v;
    w.range(index * slot + slot - 1, index * slot) = extended.range(slot - 1, 0);
}

#ifndef __SYNTHESIS__
template <int port_bits> inline uint64_t get_chunk(const ap_uint<port_bits> &w, int index) {
    const ap_uint<64> chunk = w.range(index * 64 + 63, index * 64);
    return chunk.to_uint64();
}
template <int port_bits> inline void set_chunk(ap_uint<port_bits> &w, int index, uint64_t v) {
    w.range(index * 64 + 63, index * 64) = ap_uint<64>(v);
}
#endif

#endif

}  // namespace convmake

#endif
