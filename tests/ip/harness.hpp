// Reads the stimuli of many cases from one file of 64-bit integers and writes all results to another.
#ifndef CONVMAKE_HARNESS_HPP
#define CONVMAKE_HARNESS_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

namespace harness {

static long now = 0;
static std::map<const void *, std::vector<long> > accesses;
inline void access(const void *stream) { accesses[stream].push_back(now); }

}  // namespace harness

#define CONVMAKE_ON_TICK() ++harness::now
#define CONVMAKE_ON_READ(stream) harness::access(stream)
#define CONVMAKE_ON_WRITE(stream) harness::access(stream)

#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace harness {

static std::vector<int64_t> input;
static size_t next_input = 0;
static std::vector<int64_t> output;

inline void open(const char *path) {
    std::FILE *file = std::fopen(path, "rb");
    std::fseek(file, 0, SEEK_END);
    input.resize(std::ftell(file) / sizeof(int64_t));
    std::rewind(file);
    if (std::fread(input.data(), sizeof(int64_t), input.size(), file) != input.size()) std::abort();
    std::fclose(file);
}

inline void close(const char *path) {
    std::FILE *file = std::fopen(path, "wb");
    std::fwrite(output.data(), sizeof(int64_t), output.size(), file);
    std::fclose(file);
    if (next_input != input.size()) std::abort();
}

inline int64_t take() { return input.at(next_input++); }
inline void give(int64_t value) { output.push_back(value); }

// tile, frames, words, then the words' lanes.
template <int lanes, int bits, class word_t> void fill(hls::stream<word_t> &stream) {
    convmake::header h;
    h.tile = int(take());
    h.frames = int(take());
    convmake::write_header<bits>(stream, h);
    const int64_t words = take();
    for (int64_t i = 0; i < words; ++i) {
        word_t w = convmake::zero_word<word_t>();
        for (int l = 0; l < lanes; ++l) convmake::set_lane<bits>(w, l, int(take()));
        stream.write(w);
    }
    accesses[&stream].clear();
}

// tile, frames, words, then the words' lanes; empties the stream. Reading back is not an access of the process.
template <int lanes, int bits, class word_t> void drain(hls::stream<word_t> &stream) {
    const std::vector<long> kept = accesses[&stream];
    const convmake::header h = convmake::read_header<bits>(stream);
    give(h.tile);
    give(h.frames);
    give(int64_t(stream.size()));
    while (!stream.empty()) {
        const word_t w = stream.read();
        for (int l = 0; l < lanes; ++l) give(int(convmake::get_lane<bits>(w, l)));
    }
    accesses[&stream] = kept;
}

template <int port_bits> convmake::port_word<port_bits> take_port_word() {
    convmake::port_word<port_bits> w = convmake::port_word_of<port_bits>(0);
    for (int c = 0; c < port_bits / 64; ++c) convmake::set_chunk<port_bits>(w, c, uint64_t(take()));
    return w;
}

template <int port_bits> void give_port_word(const convmake::port_word<port_bits> &w) {
    for (int c = 0; c < port_bits / 64; ++c) give(int64_t(convmake::get_chunk<port_bits>(w, c)));
}

template <int port_bits> void fill_port(hls::stream<convmake::port_word<port_bits> > &stream) {
    const int64_t words = take();
    for (int64_t i = 0; i < words; ++i) stream.write(take_port_word<port_bits>());
}

template <int port_bits> void drain_port(hls::stream<convmake::port_word<port_bits> > &stream) {
    give(int64_t(stream.size()));
    while (!stream.empty()) give_port_word<port_bits>(stream.read());
}

template <int port_bits> std::vector<convmake::port_word<port_bits> > fill_memory() {
    std::vector<convmake::port_word<port_bits> > memory(take());
    for (auto &w : memory) w = take_port_word<port_bits>();
    return memory;
}

template <int port_bits> void drain_memory(const std::vector<convmake::port_word<port_bits> > &memory) {
    for (const auto &w : memory) give_port_word<port_bits>(w);
}

// Trips so far, and the trip of the first access after the header.
inline void give_trips(const char *name) {
    const convmake::trip_count count = convmake::trip_counts()[name];
    give(int64_t(count.frame));
    give(int64_t(count.load));
}

template <int bits, class word_t> void give_first(const hls::stream<word_t> &stream) {
    give(accesses[&stream].at(convmake::header_words(bits)));
}

template <class word_t> void give_last(const hls::stream<word_t> &stream) { give(accesses[&stream].back()); }

}  // namespace harness

#endif
