// Negation, a toy. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_NEGATE_HPP
#define CONVMAKE_NEGATE_HPP

#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void negate(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
            hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    CONVMAKE_PROCESS(config);
    typedef convmake::word<config::coarse, config::data_bits> word;
    const int trips = config::pixels * convmake::ceil_div(config::channels, config::coarse);
    const long long highest = (1LL << (config::data_bits - 1)) - 1;
    const convmake::header h = convmake::read_header<config::data_bits>(in);
    convmake::write_header<config::data_bits>(out, h);
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK();
            const word w = in.read();
            word result = convmake::zero_word<word>();
            for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                const long long value = -(long long)convmake::get_lane<config::data_bits>(w, l);
                convmake::set_lane<config::data_bits>(result, l, value > highest ? highest : value);
            }
            out.write(result);
        }
    }
}

#endif
