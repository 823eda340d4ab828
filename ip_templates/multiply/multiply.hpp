// Product of two streams; the second has a frame, or one pixel that all pixels of the first are multiplied by.
// Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_MULTIPLY_HPP
#define CONVMAKE_MULTIPLY_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void multiply(hls::stream<convmake::word<config::coarse, config::bits_a> > &in_a,
              hls::stream<convmake::word<config::coarse, config::bits_b> > &in_b,
              hls::stream<convmake::word<config::coarse, config::out_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int words = convmake::ceil_div(config::channels, config::coarse);
    const int trips = config::pixels * words;
    const bool broadcast = config::broadcast == 1;
    const int depth = broadcast ? words : 1;
    typedef convmake::word<config::coarse, config::bits_a> word_a;
    typedef convmake::word<config::coarse, config::bits_b> word_b;
    typedef convmake::word<config::coarse, config::out_bits> out_word;

    const convmake::header h = convmake::read_header<config::bits_a>(in_a);
    const convmake::header other = convmake::read_header<config::bits_b>(in_b);
    CONVMAKE_REQUIRE(h.frames == other.frames, "the two inputs announce different numbers of frames");
    (void)other;
    convmake::write_header<config::out_bits>(out, h);
    // Written with the first pixel, read with all others: an address comes back `words` trips later.
    convmake::memory<word_b, 1, depth, depth> kept;
    convmake::counter<config::pixels> pixel;
    convmake::counter<words> i;
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            kept.step();
            const word_a a = in_a.read();
            word_b b;
            if (!broadcast || pixel.first()) {
                b = in_b.read();
                if (broadcast) kept.write(0, i.value(), b);
            } else {
                b = kept.read(0, i.value());
            }
            out_word result = convmake::zero_word<out_word>();
            for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                const convmake::integer<config::bits_a + config::bits_b> product =
                    convmake::multiply<config::bits_a, config::bits_b>(convmake::get_lane<config::bits_a>(a, l),
                                                                       convmake::get_lane<config::bits_b>(b, l));
                convmake::set_lane<config::out_bits>(
                    result, l,
                    convmake::shift_round<config::bits_a + config::bits_b, config::out_bits, config::shift>(product));
            }
            out.write(result);
            if (i.last()) pixel.next();
            i.next();
        }
    }
}

#endif
