// One stream becomes two. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_FORK_HPP
#define CONVMAKE_FORK_HPP

#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void fork(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
          hls::stream<convmake::word<config::coarse, config::data_bits> > &out_a,
          hls::stream<convmake::word<config::coarse, config::data_bits> > &out_b) {
    CONVMAKE_PROCESS(config);
    const int trips = config::pixels * convmake::ceil_div(config::channels, config::coarse);
    typedef convmake::word<config::coarse, config::data_bits> word_t;

    const convmake::header h = convmake::read_header<config::data_bits>(in);
    convmake::write_header<config::data_bits>(out_a, h);
    convmake::write_header<config::data_bits>(out_b, h);
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            const word_t w = in.read();
            out_a.write(w);
            out_b.write(w);
        }
    }
}

#endif
