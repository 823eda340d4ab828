// Element-wise sum of two streams, aligned to one scale first. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_ADD_HPP
#define CONVMAKE_ADD_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void add(hls::stream<convmake::word<config::coarse, config::bits_a> > &in_a,
         hls::stream<convmake::word<config::coarse, config::bits_b> > &in_b,
         hls::stream<convmake::word<config::coarse, config::out_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int words = convmake::ceil_div(config::channels, config::coarse);
    const int trips = config::pixels * words;
    const int sum_bits = convmake::larger(config::bits_a + config::left_a, config::bits_b + config::left_b) + 1;
    typedef convmake::integer<sum_bits> sum_t;
    typedef convmake::word<config::coarse, config::bits_a> word_a;
    typedef convmake::word<config::coarse, config::bits_b> word_b;
    typedef convmake::word<config::coarse, config::out_bits> out_word;

    const convmake::header h = convmake::read_header<config::bits_a>(in_a);
    const convmake::header other = convmake::read_header<config::bits_b>(in_b);
    CONVMAKE_REQUIRE(h.frames == other.frames, "the two inputs announce different numbers of frames");
    (void)other;
    convmake::write_header<config::out_bits>(out, h);
    convmake::counter<words> i;
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            const word_a a = in_a.read();
            const word_b b = in_b.read();
            out_word result = convmake::zero_word<out_word>();
            for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                const sum_t left = sum_t(convmake::get_lane<config::bits_a>(a, l)) * (sum_t(1) << config::left_a);
                const sum_t right = sum_t(convmake::get_lane<config::bits_b>(b, l)) * (sum_t(1) << config::left_b);
                const bool padding = convmake::clips_zero<config>() &&
                                     i.value() >= convmake::ceil_div(config::channels - l, config::coarse);
                if (!padding)
                    convmake::set_lane<config::out_bits>(result, l,
                                                         convmake::requantise<config, sum_bits>(sum_t(left + right)));
            }
            out.write(result);
            i.next();
        }
    }
}

#endif
