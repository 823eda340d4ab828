// Channel shuffle: channels (rows, columns, block) leave as (columns, rows, block). A pixel is written into memory while
// an earlier one is read in the new order; every output lane has a copy of its own. Trips of a frame:
//     pixels * words + lag,   words = ceil(channels / coarse), lag = words + SAFE_REUSE - 1 (0 where a pixel is a word)
#ifndef CONVMAKE_SHUFFLE_HPP
#define CONVMAKE_SHUFFLE_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

template <class c> struct shuffle_layer {
    static const int lanes = c::coarse;
    static const int bits = c::data_bits;
    static const int words = ceil_div(c::channels, lanes);
    static const int columns = c::channels / (c::rows * c::block);
    // The last word of a pixel has landed when the first is read, SAFE_REUSE trips later.
    static const int lag = words > 1 ? words + SAFE_REUSE - 1 : 0;
    static const int trips = c::pixels * words + lag;
    static const int held = words > 1 ? 4 : 1;  // pixels in memory: reading ends before its pixel is overwritten
    static const int depth = held * words;

    typedef word<lanes, bits> word_t;

    // The input channel that leaves as channel `out`.
    static constexpr int source(int out) {
        return ((out / c::block % c::rows) * columns + out / (c::block * c::rows)) * c::block + out % c::block;
    }

    struct table {
        int word_at[words * lanes];
        int lane_at[words * lanes];
        constexpr table() : word_at(), lane_at() {
            for (int out = 0; out < words * lanes; ++out) {
                word_at[out] = out < c::channels ? source(out) / lanes : 0;
                lane_at[out] = out < c::channels ? source(out) % lanes : 0;
            }
        }
    };

    static void run(hls::stream<word_t> &in, hls::stream<word_t> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        static constexpr table order = {};
#pragma HLS BIND_STORAGE variable=order type=rom_np impl=lutram
        const header h = read_header<bits>(in);
        write_header<bits>(out, h);
        memory<word_t, lanes, depth, SAFE_REUSE> pixels;
        counter<depth> write_at;
        counter<held> read_pixel;
        counter<words> o;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                pixels.step();
                word_t w = zero_word<word_t>();
                if (step < c::pixels * words) {
                    w = in.read();
                    if (words > 1) {
                        for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                            pixels.write(l, write_at.value(), w);
                        }
                        write_at.next();
                    }
                }
                if (step >= lag) {
                    word_t result = zero_word<word_t>();
                    for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                        const int at = times<lanes>(o.value()) + l;
                        const word_t from =
                            words > 1 ? pixels.read(l, times<words>(read_pixel.value()) + order.word_at[at]) : w;
                        if (at < c::channels) set_lane<bits>(result, l, get_lane<bits>(from, order.lane_at[at]));
                    }
                    out.write(result);
                    if (o.last()) read_pixel.next();
                    o.next();
                }
            }
        }
    }
};

}  // namespace convmake

template <class config>
void shuffle(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
             hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    convmake::shuffle_layer<config>::run(in, out);
}

#endif
