// Takes one layer's part off the weights stream and hands on the parts of the layers behind it.
//
// A part is a header word (low 32 bits: payload words) and its payload; the header goes along with its part.
#ifndef CONVMAKE_WEIGHTS_SPLIT_HPP
#define CONVMAKE_WEIGHTS_SPLIT_HPP

#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

template <class config>
void weights_split(hls::stream<convmake::port_word<config::port_bits> > &in,
                   hls::stream<convmake::port_word<config::port_bits> > &mine,
                   hls::stream<convmake::port_word<config::port_bits> > &rest) {
    CONVMAKE_PROCESS(config);
parts:
    for (int layer = 0; layer <= config::layers_after; ++layer) {
        CONVMAKE_STEP();
        const convmake::port_word<config::port_bits> head = in.read();
        const int words = int(uint32_t(convmake::low_bits<config::port_bits>(head)));
        if (layer == 0)
            mine.write(head);
        else
            rest.write(head);
    payload:
        for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK_LOAD();
            const convmake::port_word<config::port_bits> w = in.read();
            if (layer == 0)
                mine.write(w);
            else
                rest.write(w);
        }
    }
}

#endif
