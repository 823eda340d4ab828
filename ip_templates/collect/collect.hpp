// Puts the slices of a tile of frames together: each pixel's channels side by side, frame by frame.
//
// All slices but the last are kept; the last one's words pass straight through, each pixel's behind those that were kept.
// Trips of a frame: pixels * words * (2 * slices - 1), words being those of a pixel in one slice.
#ifndef CONVMAKE_COLLECT_HPP
#define CONVMAKE_COLLECT_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "slices.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

template <class c> struct collection {
    static_assert(c::channels % c::slices == 0 && c::channels / c::slices % c::coarse == 0, "lanes divide a slice's channels");
    static const int words = c::channels / c::slices / c::coarse;
    static const int share = c::pixels * words;    // words of a frame in one slice
    static const int stride = share * c::tile;     // from one slice to the next in memory
    static const int others = c::slices - 1;
    // Of the word that is soonest read again, in a tile of one frame.
    static const int reuse = (c::pixels + c::slices - 2) * words;

    typedef word<c::coarse, c::data_bits> word_t;

    static void run(hls::stream<word_t> &in, hls::stream<word_t> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        header h = read_header<c::data_bits>(in);
        int left = h.frames;
        h.frames = quotient<c::slices, FRAMES_BITS>(left);
        write_header<c::data_bits>(out, h);
        memory<word_t, 1, others * stride, reuse> kept;
    tiles:
        while (left > 0) {
            const int frames = tile_frames<c::slices, c::tile>(left);
            const int held = times<share>(frames);
            const int stored = times<others>(held);
            const int trips = stored + times<c::slices>(held);
            left -= times<c::slices>(frames);
            int at = 0, slice_at = 0, slice_start = 0;  // while slices are kept
            int pixel_at = 0, slice = 0;                // while they are given: a pixel's first word, and its slice
            counter<words> j;
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
                CONVMAKE_TICK();
                kept.step();
                if (step < stored) {
                    kept.write(0, at, in.read());
                    ++at;
                    ++slice_at;
                    if (slice_at == held) {  // a short tile leaves the rest of its place empty
                        slice_at = 0;
                        slice_start += stride;
                        at = slice_start;
                    }
                    if (step == stored - 1) at = 0;
                } else {
                    if (slice < others)
                        out.write(kept.read(0, at + j.value()));
                    else
                        out.write(in.read());
                    if (j.last()) {
                        if (slice == others) {
                            slice = 0;
                            pixel_at += words;
                            at = pixel_at;
                        } else {
                            ++slice;
                            at += stride;
                        }
                    }
                    j.next();
                }
            }
        }
    }
};

}  // namespace convmake

template <class config>
void collect(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
             hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    convmake::collection<config>::run(in, out);
}

#endif
