// Lets a range of the channels pass and drops the rest. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_SLICE_HPP
#define CONVMAKE_SLICE_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void slice(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
           hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    CONVMAKE_PROCESS(config);
    static_assert(config::begin % config::coarse == 0, "the range begins with a word");
    const int bits = config::data_bits;
    const int lanes = config::coarse;
    const int words = convmake::ceil_div(config::channels, lanes);
    const int trips = config::pixels * words;
    const int first = config::begin / lanes;
    const int last = (config::end - 1) / lanes;
    typedef convmake::word<lanes, bits> word_t;

    const convmake::header h = convmake::read_header<bits>(in);
    convmake::write_header<bits>(out, h);
    convmake::counter<words> i;
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            const word_t w = in.read();
            if (i.value() >= first && i.value() <= last) {
                word_t result = convmake::zero_word<word_t>();
                for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                    if (convmake::times<lanes>(i.value()) + l < config::end)
                        convmake::set_lane<bits>(result, l, convmake::get_lane<bits>(w, l));
                }
                out.write(result);
            }
            i.next();
        }
    }
}

#endif
