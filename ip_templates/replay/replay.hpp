// Holds a tile of frames and gives it once for every slice of a layer's filters. Trips of a frame: slices * words.
//
// The first time, words pass through and are kept; what comes behind the tile waits in the FIFO in front.
#ifndef CONVMAKE_REPLAY_HPP
#define CONVMAKE_REPLAY_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void replay(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
            hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int words = config::pixels * convmake::ceil_div(config::channels, config::coarse);
    typedef convmake::word<config::coarse, config::data_bits> word_t;

    convmake::header h = convmake::read_header<config::data_bits>(in);
    const int frames = h.frames;
    h.frames = convmake::times<config::slices>(frames);
    convmake::write_header<config::data_bits>(out, h);
    convmake::memory<word_t, 1, words * config::tile, words> kept;  // at worst a tile of one frame comes round again
tiles:
    for (int left = frames; left > 0; left -= config::tile) {
        const int held = convmake::times<words>(left < config::tile ? left : config::tile);
        const int trips = convmake::times<config::slices>(held);
        bool first = true;
        int at = 0;
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK();
            kept.step();
            word_t w;
            if (first) {
                w = in.read();
                kept.write(0, at, w);
            } else {
                w = kept.read(0, at);
            }
            out.write(w);
            ++at;
            if (at == held) {
                at = 0;
                first = false;
            }
        }
    }
}

#endif
