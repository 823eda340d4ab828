// Reads a tensor's frames from memory and starts the stream with the invocation's header.
//
// Memory: frame-major, then pixels; a pixel is `pixel_stride` port words apart and its channels fill the first of them.
#ifndef CONVMAKE_MEMORY_READ_HPP
#define CONVMAKE_MEMORY_READ_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void memory_read(
    const convmake::port_word<config::port_bits> *pointer, int frames, int tile,
    hls::stream<convmake::word<config::port_bits / convmake::slot_bits(config::data_bits), config::data_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int lanes = config::port_bits / convmake::slot_bits(config::data_bits);
    const int words = convmake::ceil_div(config::channels, lanes);
    const int trips = config::pixels * words;
    // Then the address follows the loop: one long burst.
    const bool contiguous = config::pixel_stride == words || config::pixels == 1;
    typedef convmake::word<lanes, config::data_bits> out_word;

    convmake::header h;
    h.tile = tile;
    h.frames = frames;
    convmake::write_header<config::data_bits>(out, h);
    convmake::counter<words> word_of_pixel;
    long long start = 0;
frames:
    for (int frame = 0; frame < frames; ++frame) {
        int pixel = 0;
    words:
        for (int i = 0; i < trips; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK();
            const int offset = contiguous ? i : pixel + word_of_pixel.value();
            CONVMAKE_READ_BEAT(i, trips, contiguous);
            const convmake::port_word<config::port_bits> from = pointer[start + offset];
            out_word w = convmake::zero_word<out_word>();
            for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                convmake::set_lane<config::data_bits>(w, l,
                                                      convmake::get_slot<config::data_bits, config::port_bits>(from, l));
            }
            out.write(w);
            if (word_of_pixel.last()) pixel += config::pixel_stride;
            word_of_pixel.next();
        }
        start += config::pixels * config::pixel_stride;
    }
}

#endif
