// Weights and biases of a layer: in memories inside the process that uses them, loaded in band.
//
// A weights stream carries, for each layer, a header word (low 32 bits: payload words, 0 = keep what is there) and the
// payload: `rows` rows of row_words port words, then one bias a word. Bank b of a row lies in word b / per_word, slot
// b % per_word.
#ifndef CONVMAKE_WEIGHTS_HPP
#define CONVMAKE_WEIGHTS_HPP

#include "counter.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "stream.hpp"

namespace convmake {

// `banks` weights are read together; there are `rows` such sets. `bias_lanes` biases are read together, `bias_rows` sets.
// Of a layer whose slices take turns there are two halves of each memory: one multiplies while the other is loaded.
template <int banks_, int rows_, int weight_bits_, int bias_lanes_, int bias_rows_, int bias_bits_, int port_bits_, int halves_ = 1>
struct weights_layout {
    static const int banks = banks_;
    static const int rows = rows_;
    static const int weight_bits = weight_bits_;
    static const int bias_lanes = bias_lanes_;
    static const int bias_rows = bias_rows_;
    static const int bias_bits = bias_bits_;
    static const int port_bits = port_bits_;
    static const int depth = rows * halves_;
    static const int bias_depth = bias_rows * halves_;
    static const int per_word = port_bits / slot_bits(weight_bits);
    static const int row_words = ceil_div(banks, per_word);
    static const int payload_words = rows * row_words + bias_lanes * bias_rows;

    typedef integer<bias_bits> bias_ram[bias_lanes][bias_depth];
    typedef hls::stream<port_word<port_bits> > weights_stream;

#ifdef CONVMAKE_NATIVE
    typedef integer<weight_bits> weights_ram[depth][row_words * per_word];
    typedef const integer<weight_bits> *row_view;

    static row_view fetch(const weights_ram &ram, int row) { return ram[row]; }

    static void store(weights_ram &ram, int row, int chunk, const port_word<port_bits> &w) {
        if (KEPT_LANES == 1) return;
        for (int v = 0; v < per_word; ++v)
            ram[row][chunk * per_word + v] = get_slot<weight_bits, port_bits>(w, v);
    }
#else
    typedef ap_uint<per_word * weight_bits> chunk_t;
    typedef chunk_t weights_ram[row_words][depth];

    // One row as it comes out of the memories; with a constant index, operator[] is wiring.
    struct row_view {
        chunk_t chunk[row_words];
        row_view() {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=chunk complete
        }
        integer<weight_bits> operator[](int bank) const {
#pragma HLS INLINE
            return get_lane<weight_bits>(chunk[bank / per_word], bank % per_word);
        }
    };

    static row_view fetch(const weights_ram &ram, int row) {
#pragma HLS INLINE
        row_view view;
        for (int c = 0; c < row_words; ++c) {
#pragma HLS UNROLL
            view.chunk[c] = ram[c][row];
        }
        return view;
    }

    static void store(weights_ram &ram, int row, int chunk, const port_word<port_bits> &w) {
#pragma HLS INLINE
        chunk_t packed = 0;
        for (int v = 0; v < per_word; ++v) {
#pragma HLS UNROLL
            set_lane<weight_bits>(packed, v, get_slot<weight_bits, port_bits>(w, v));
        }
        ram[chunk][row] = packed;
    }
#endif

    static void store_bias(bias_ram &bias, int lane, int row, const port_word<port_bits> &w) {
#pragma HLS INLINE
        bias[lane][row] = integer<bias_bits>(int64_t(uint64_t(low_bits<port_bits>(w))));
    }

    template <class config>
    static void load(weights_stream &weights, weights_ram &ram, bias_ram &bias) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(config);
        CONVMAKE_STEP();
        const int words = int(uint32_t(low_bits<port_bits>(weights.read())));
        CONVMAKE_REQUIRE(words == 0 || words == payload_words, "the weights blob is not of this layer's size");
        if (words == 0) return;
        counter<row_words> chunk;
        counter<rows> row;
    load_weights:
        for (int i = 0; i < rows * row_words; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK_LOAD();
            store(ram, row.value(), chunk.value(), weights.read());
            if (chunk.last()) row.next();
            chunk.next();
        }
        counter<bias_lanes> lane;
        counter<bias_rows> bias_row;
    load_biases:
        for (int i = 0; i < bias_lanes * bias_rows; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK_LOAD();
            store_bias(bias, lane.value(), bias_row.value(), weights.read());
            if (lane.last()) bias_row.next();
            lane.next();
        }
    }
};

// Declares a layer's memories with their binding and runs it. A pragma names a fixed kind of memory, hence one
// specialisation a kind. The memories are static, so that weights outlive an invocation; `layer` is a type of its own
// for every module, so no two modules share them.
template <class layer, int kind> struct with_biases;

template <class layer> struct with_biases<layer, LUTRAM> {
    template <class in_t, class weights_t, class out_t>
    static void run(in_t &in, weights_t &weights, out_t &out, typename layer::layout::weights_ram &ram) {
#pragma HLS INLINE
        static typename layer::layout::bias_ram bias;
#pragma HLS ARRAY_PARTITION variable=bias complete dim=1
#pragma HLS BIND_STORAGE variable=bias type=ram_s2p impl=lutram
        layer::run(in, weights, out, ram, bias);
    }
};

template <class layer> struct with_biases<layer, BRAM> {
    template <class in_t, class weights_t, class out_t>
    static void run(in_t &in, weights_t &weights, out_t &out, typename layer::layout::weights_ram &ram) {
#pragma HLS INLINE
        static typename layer::layout::bias_ram bias;
#pragma HLS ARRAY_PARTITION variable=bias complete dim=1
#pragma HLS BIND_STORAGE variable=bias type=ram_s2p impl=bram
        layer::run(in, weights, out, ram, bias);
    }
};

template <class layer, int kind> struct with_weights;

template <class layer> struct with_weights<layer, BRAM> {
    template <class in_t, class weights_t, class out_t> static void run(in_t &in, weights_t &weights, out_t &out) {
#pragma HLS INLINE
        static typename layer::layout::weights_ram ram;
#ifndef CONVMAKE_NATIVE
#pragma HLS ARRAY_PARTITION variable=ram complete dim=1
#pragma HLS BIND_STORAGE variable=ram type=ram_s2p impl=bram
#endif
        with_biases<layer, small_or_block(layer::layout::bias_depth)>::run(in, weights, out, ram);
    }
};

template <class layer> struct with_weights<layer, LUTRAM> {
    template <class in_t, class weights_t, class out_t> static void run(in_t &in, weights_t &weights, out_t &out) {
#pragma HLS INLINE
        static typename layer::layout::weights_ram ram;
#ifndef CONVMAKE_NATIVE
#pragma HLS ARRAY_PARTITION variable=ram complete dim=1
#pragma HLS BIND_STORAGE variable=ram type=ram_s2p impl=lutram
#endif
        with_biases<layer, small_or_block(layer::layout::bias_depth)>::run(in, weights, out, ram);
    }
};

template <class layer> struct with_weights<layer, URAM> {
    template <class in_t, class weights_t, class out_t> static void run(in_t &in, weights_t &weights, out_t &out) {
#pragma HLS INLINE
        static typename layer::layout::weights_ram ram;
#ifndef CONVMAKE_NATIVE
#pragma HLS ARRAY_PARTITION variable=ram complete dim=1
#pragma HLS BIND_STORAGE variable=ram type=ram_s2p impl=uram
#endif
        with_biases<layer, small_or_block(layer::layout::bias_depth)>::run(in, weights, out, ram);
    }
};

}  // namespace convmake

#endif
