// Streams a layer's weights from memory, all slices once for every tile of frames.
#ifndef CONVMAKE_SLICES_READ_HPP
#define CONVMAKE_SLICES_READ_HPP

#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void slices_read(const convmake::port_word<config::port_bits> *pointer, int frames,
                 hls::stream<convmake::port_word<config::port_bits> > &out) {
    CONVMAKE_PROCESS(config);
tiles:
    for (int left = frames; left > 0; left -= config::tile) {
    words:
        for (int i = 0; i < config::words; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK_LOAD();
            CONVMAKE_READ_BEAT(i, config::words, true);
            out.write(pointer[i]);
        }
    }
}

#endif
