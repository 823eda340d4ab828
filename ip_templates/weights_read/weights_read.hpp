// Streams a partition's weights blob from memory, word by word.
#ifndef CONVMAKE_WEIGHTS_READ_HPP
#define CONVMAKE_WEIGHTS_READ_HPP

#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void weights_read(const convmake::port_word<config::port_bits> *pointer, int words,
                  hls::stream<convmake::port_word<config::port_bits> > &out) {
    CONVMAKE_PROCESS(config);
weights_words:
    for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
        CONVMAKE_TICK_LOAD();
        CONVMAKE_READ_BEAT(i, words, true);
        out.write(pointer[i]);
    }
}

#endif
