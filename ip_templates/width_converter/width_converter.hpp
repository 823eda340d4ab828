// Changes the number of lanes: a buffer of channels that, in one trip, takes at most one word and gives at most one.
//
// It takes a word when fewer channels wait than an output word needs, and gives one when enough wait or the pixel's last
// have come. With a and b the pixel's input and output words, that is b trips a pixel to fewer lanes; to more lanes a, or
// a + 1 where the last two output words both need the last input word (never if one lane count divides the other).
#ifndef CONVMAKE_WIDTH_CONVERTER_HPP
#define CONVMAKE_WIDTH_CONVERTER_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

constexpr int greatest_divisor(int a, int b) { return b == 0 ? a : greatest_divisor(b, a % b); }

template <class c> struct width_conversion {
    static const int in_lanes = c::lanes_in;
    static const int out_lanes = c::lanes_out;
    static const int in_words = ceil_div(c::channels, in_lanes);
    static const int out_words = ceil_div(c::channels, out_lanes);
    static const bool late = in_lanes < out_lanes && ceil_div((out_words - 1) * out_lanes, in_lanes) == in_words;
    static const int pixel_trips = in_lanes >= out_lanes ? out_words : in_words + (late ? 1 : 0);
    static const int trips = c::pixels * pixel_trips;
    // Channels wait in multiples of the lane counts' greatest divisor; so many positions an input word can land at.
    static const int unit = greatest_divisor(in_lanes, out_lanes);
    static const int capacity = in_lanes + out_lanes;
    static const int positions = out_lanes / unit;

    typedef word<in_lanes, c::data_bits> in_word;
    typedef word<out_lanes, c::data_bits> out_word;

    static void run(hls::stream<in_word> &in, hls::stream<out_word> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        const header h = read_header<c::data_bits>(in);
        write_header<c::data_bits>(out, h);

        integer<c::data_bits> waiting[capacity];
#pragma HLS ARRAY_PARTITION variable=waiting complete
        for (int l = 0; l < capacity; ++l) {
#pragma HLS UNROLL
            waiting[l] = 0;
        }
        int level = 0;  // units that wait; at most out_lanes / unit - 1 before a word is taken
        counter<in_words + 1> taken;
        counter<pixel_trips> trip;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                if (level < positions && !taken.last()) {
                    const in_word w = in.read();
                    for (int p = 0; p < positions; ++p) {
#pragma HLS UNROLL
                        for (int l = 0; l < in_lanes; ++l) {
#pragma HLS UNROLL
                            if (level == p) waiting[p * unit + l] = get_lane<c::data_bits>(w, l);
                        }
                    }
                    level += in_lanes / unit;
                    taken.next();
                }
                if (level >= positions || taken.last()) {
                    out_word result = zero_word<out_word>();
                    for (int l = 0; l < out_lanes; ++l) {
#pragma HLS UNROLL
                        set_lane<c::data_bits>(result, l, waiting[l]);
                    }
                    out.write(result);
                    for (int l = 0; l < capacity; ++l) {
#pragma HLS UNROLL
                        if (l + out_lanes < capacity)
                            waiting[l] = waiting[l + out_lanes];
                        else
                            waiting[l] = 0;
                    }
                    level -= positions;
                }
                if (trip.last()) {  // input lanes beyond the last channel are dropped
                    level = 0;
                    taken.next();
                    for (int l = 0; l < capacity; ++l) {
#pragma HLS UNROLL
                        waiting[l] = 0;
                    }
                }
                trip.next();
            }
        }
    }
};

}  // namespace convmake

template <class config>
void width_converter(hls::stream<convmake::word<config::lanes_in, config::data_bits> > &in,
                     hls::stream<convmake::word<config::lanes_out, config::data_bits> > &out) {
    convmake::width_conversion<config>::run(in, out);
}

#endif
