// Channels of two streams one after the other, each brought to the output's format. Trips of a frame:
//     pixels * (ceil(channels_a / coarse) + ceil(channels_b / coarse))
#ifndef CONVMAKE_CONCAT_HPP
#define CONVMAKE_CONCAT_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void concat(hls::stream<convmake::word<config::coarse, config::bits_a> > &in_a,
            hls::stream<convmake::word<config::coarse, config::bits_b> > &in_b,
            hls::stream<convmake::word<config::coarse, config::out_bits> > &out) {
    CONVMAKE_PROCESS(config);
    static_assert(config::channels_a % config::coarse == 0, "no word may straddle the two inputs");
    const int words_a = convmake::ceil_div(config::channels_a, config::coarse);
    const int words_b = convmake::ceil_div(config::channels_b, config::coarse);
    const int trips = config::pixels * (words_a + words_b);
    typedef convmake::word<config::coarse, config::bits_a> word_a;
    typedef convmake::word<config::coarse, config::bits_b> word_b;
    typedef convmake::word<config::coarse, config::out_bits> out_word;

    const convmake::header h = convmake::read_header<config::bits_a>(in_a);
    const convmake::header other = convmake::read_header<config::bits_b>(in_b);
    CONVMAKE_REQUIRE(h.frames == other.frames, "the two inputs announce different numbers of frames");
    (void)other;
    convmake::write_header<config::out_bits>(out, h);
    convmake::counter<words_a + words_b> i;
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            out_word result = convmake::zero_word<out_word>();
            if (i.value() < words_a) {
                const word_a a = in_a.read();
                for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                    convmake::set_lane<config::out_bits>(
                        result, l,
                        convmake::shift_round<config::bits_a, config::out_bits, config::shift_a>(
                            convmake::get_lane<config::bits_a>(a, l)));
                }
            } else {
                const word_b b = in_b.read();
                for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                    convmake::set_lane<config::out_bits>(
                        result, l,
                        convmake::shift_round<config::bits_b, config::out_bits, config::shift_b>(
                            convmake::get_lane<config::bits_b>(b, l)));
                }
            }
            out.write(result);
            i.next();
        }
    }
}

#endif
