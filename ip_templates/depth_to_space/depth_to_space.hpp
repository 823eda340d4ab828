// Channels (block, channels) at a position become `channels` at a block of positions.
//
// A pass over a row reads every pixel whole: the part that belongs to the first output row goes on at once, the rest into
// memory, from which the next passes give it out. With P = block_w * channels / coarse words, S = block_d * block_h and N
// input positions, trips of a frame:
//     N * P * (2 * S - 1)
#ifndef CONVMAKE_DEPTH_TO_SPACE_HPP
#define CONVMAKE_DEPTH_TO_SPACE_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

template <class c> struct depth_to_space_layer {
    static const int lanes = c::coarse;
    static const int bits = c::data_bits;
    static const int sources = c::block_d * c::block_h;          // output rows that a pixel has part in
    static const int part = c::block_w * (c::channels / lanes);  // words of its part in one of them
    static const int row = c::in_w * part;
    static const int rows = c::block_d > 1 ? c::in_h : 1;        // input rows that are held
    static const int depth = sources > 1 ? (sources - 1) * rows * row : 1;
    static const int reuse = sources > 1 ? part * (c::in_w + sources - 2) : 1;
    static const long long trips = (long long)c::in_d * c::in_h * row * (2 * sources - 1);
    static_assert(c::channels % lanes == 0, "no word straddles two positions");

    typedef word<lanes, bits> word_t;

    static void run(hls::stream<word_t> &in, hls::stream<word_t> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        const header h = read_header<bits>(in);
        write_header<bits>(out, h);
        memory<word_t, 1, depth, reuse> kept;
        counter<c::block_d> of_d;
        counter<c::in_h> y;
        counter<c::block_h> of_h;
        counter<c::in_w> x;
        counter<sources> source;  // whose part of the pixel is read
        counter<part> k;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (long long step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                kept.step();
                const bool reading = of_d.first() && of_h.first();
                const int place = (rows > 1 ? times<row>(y.value()) : 0) + times<part>(x.value()) + k.value();
                const int output_row = reading ? source.value() : times<c::block_h>(of_d.value()) + of_h.value();
                const int address = (output_row - 1) * rows * row + place;
                word_t w = zero_word<word_t>();
                if (reading)
                    w = in.read();
                else
                    w = kept.read(0, address);
                if (output_row > 0 && reading)
                    kept.write(0, address, w);
                else
                    out.write(w);
                const bool part_done = k.last();
                const bool pixel_done = part_done && (!reading || source.last());
                const bool pass_done = pixel_done && x.last();
                const bool row_done = pass_done && of_h.last();
                const bool plane_done = row_done && y.last();
                k.next();
                if (part_done && reading) source.next();
                if (pixel_done) x.next();
                if (pass_done) of_h.next();
                if (row_done) y.next();
                if (plane_done) of_d.next();
            }
        }
    }
};

}  // namespace convmake

template <class config>
void depth_to_space(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
                    hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    convmake::depth_to_space_layer<config>::run(in, out);
}

#endif
