// In-band header: what a process must know of an invocation travels ahead of the frames, so that no scalar has two
// readers. 32 bits (tile: 12, frames: 20), sent in lane 0 of as many words as they need, low bits first.
#ifndef CONVMAKE_HEADER_HPP
#define CONVMAKE_HEADER_HPP

#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

const int TILE_BITS = 12;
const int FRAMES_BITS = 20;

struct header {
    int tile;    // which pass of a layer whose weights are reloaded
    int frames;  // how many frames follow; of a streamed layer, once for every slice
};

constexpr int header_words(int bits) { return bits >= 32 ? 1 : ceil_div(32, bits); }

template <int bits, class word_t> inline header read_header(hls::stream<word_t> &in) {
    uint32_t raw = 0;
read_header_words:
    for (int i = 0; i < header_words(bits); ++i) {
#pragma HLS PIPELINE II=1
        CONVMAKE_STEP();
        const word_t w = in.read();
        const uint32_t mask = bits >= 32 ? ~uint32_t(0) : (uint32_t(1) << (bits & 31)) - 1;
        const uint32_t chunk = uint32_t(int(get_lane<bits>(w, 0))) & mask;
        raw |= chunk << (i * bits);
    }
    header h;
    h.tile = int(raw & ((1u << TILE_BITS) - 1));
    h.frames = int(raw >> TILE_BITS);
    return h;
}

template <int bits, class word_t> inline void write_header(hls::stream<word_t> &out, const header &h) {
    uint32_t raw = (uint32_t(h.frames) << TILE_BITS) | (uint32_t(h.tile) & ((1u << TILE_BITS) - 1));
write_header_words:
    for (int i = 0; i < header_words(bits); ++i) {
#pragma HLS PIPELINE II=1
        CONVMAKE_STEP();
        word_t w = zero_word<word_t>();
        const uint32_t chunk = raw >> (i * bits);
        const uint32_t mask = bits >= 32 ? ~uint32_t(0) : (uint32_t(1) << (bits & 31)) - 1;
        set_lane<bits>(w, 0, int(chunk & mask));
        out.write(w);
    }
}

}  // namespace convmake

#endif
