// Writes a tensor's frames to memory; the header's tile says which part of each pixel this invocation fills.
//
// Memory: frame-major, then pixels; a pixel is `pixel_stride` port words apart, tile t begins at word t * ceil(C / lanes).
#ifndef CONVMAKE_MEMORY_WRITE_HPP
#define CONVMAKE_MEMORY_WRITE_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void memory_write(
    hls::stream<convmake::word<config::port_bits / convmake::slot_bits(config::data_bits), config::data_bits> > &in,
    convmake::port_word<config::port_bits> *pointer) {
    CONVMAKE_PROCESS(config);
    const int lanes = config::port_bits / convmake::slot_bits(config::data_bits);
    const int words = convmake::ceil_div(config::channels, lanes);
    const int trips = config::pixels * words;
    // Then the address follows the loop: one long burst.
    const bool contiguous = config::pixel_stride == words || config::pixels == 1;
    typedef convmake::word<lanes, config::data_bits> in_word;

    const convmake::header h = convmake::read_header<config::data_bits>(in);
    convmake::counter<words> word_of_pixel;
    const int word_bits = convmake::log2_ceil(words + 1) + 1;
    long long start = (long long)convmake::multiply_in_fabric<17, word_bits>(h.tile, words);
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
        int pixel = 0;
    words:
        for (int i = 0; i < trips; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK();
            const int offset = contiguous ? i : pixel + word_of_pixel.value();
            const in_word w = in.read();
            convmake::port_word<config::port_bits> to = convmake::port_word_of<config::port_bits>(0);
            for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                convmake::set_slot<config::data_bits, config::port_bits>(to, l,
                                                                         convmake::get_lane<config::data_bits>(w, l));
            }
            CONVMAKE_WRITE_BEAT(i, trips, contiguous);
            pointer[start + offset] = to;
            if (word_of_pixel.last()) pixel += config::pixel_stride;
            word_of_pixel.next();
        }
        start += config::pixels * config::pixel_stride;
    }
}

#endif
