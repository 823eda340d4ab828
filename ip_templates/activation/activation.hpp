// Stand-alone activation and change of format. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_ACTIVATION_HPP
#define CONVMAKE_ACTIVATION_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void activation(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
                hls::stream<convmake::word<config::coarse, config::out_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int words = convmake::ceil_div(config::channels, config::coarse);
    const int trips = config::pixels * words;
    typedef convmake::word<config::coarse, config::data_bits> in_word;
    typedef convmake::word<config::coarse, config::out_bits> out_word;

    const convmake::header h = convmake::read_header<config::data_bits>(in);
    convmake::write_header<config::out_bits>(out, h);
    convmake::counter<words> i;
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            const in_word w = in.read();
            out_word result = convmake::zero_word<out_word>();
            for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                const bool padding = convmake::clips_zero<config>() &&
                                     i.value() >= convmake::ceil_div(config::channels - l, config::coarse);
                if (!padding)
                    convmake::set_lane<config::out_bits>(
                        result, l,
                        convmake::requantise<config, config::data_bits>(convmake::get_lane<config::data_bits>(w, l)));
            }
            out.write(result);
            i.next();
        }
    }
}

#endif
