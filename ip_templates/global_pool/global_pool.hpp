// Maximum or average over all pixels: a running value per channel. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_GLOBAL_POOL_HPP
#define CONVMAKE_GLOBAL_POOL_HPP

#include "counter.hpp"
#include "header.hpp"
#include "mean.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void global_pool(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
                 hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int bits = config::data_bits;
    const int lanes = config::coarse;
    const int words = convmake::ceil_div(config::channels, lanes);
    const int trips = config::pixels * words;
    const bool average = config::kind == 1;
    typedef convmake::word<lanes, bits> word_t;
    typedef convmake::rounded_mean<bits, config::pixels> mean;
    typedef convmake::integer<mean::sum_bits> sum_t;

    const convmake::header h = convmake::read_header<bits>(in);
    convmake::write_header<bits>(out, h);
    // Every address comes back once a pixel: `words` trips later.
    convmake::memory<sum_t, lanes, words, words> running;
    convmake::counter<config::pixels> pixel;
    convmake::counter<words> i;

frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            running.step();
            const word_t w = in.read();
            word_t result = convmake::zero_word<word_t>();
            for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                const convmake::integer<bits> v = convmake::get_lane<bits>(w, l);
                sum_t total = v;
                if (!pixel.first()) {
                    const sum_t before = running.read(l, i.value());
                    if (average)
                        total = before + v;
                    else if (before > v)
                        total = before;
                }
                running.write(l, i.value(), total);
                if (average)
                    convmake::set_lane<bits>(result, l, mean::quotient(total));
                else
                    convmake::set_lane<bits>(result, l, convmake::integer<bits>(total));
            }
            if (pixel.last()) out.write(result);
            if (i.last()) pixel.next();
            i.next();
        }
    }
}

#endif
