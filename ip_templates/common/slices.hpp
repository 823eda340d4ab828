// Where a layer's weights are while frames pass: all of them stay, or slices of them follow each other.
//
// A streamed layer takes a tile of frames once for every slice of its filters. While one slice multiplies, the next is
// loaded into the other half of the memories, a word every `every` trips. What a short tile leaves over is loaded behind
// its frames, and SAFE_REUSE trips let the last write land before its first read.
#ifndef CONVMAKE_SLICES_HPP
#define CONVMAKE_SLICES_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "weights.hpp"

namespace convmake {

// Frames of the next tile where `left` frames of slices are still to come: `tile`, or all that are left.
template <int slices, int tile> inline int tile_frames(int left) {
#pragma HLS INLINE
    if (left >= slices * tile) return tile;
    return quotient<slices, FRAMES_BITS>(left);
}

// All weights stay on chip: a round is a frame.
template <class c, class layout, long long frame_trips, bool streamed = (c::slices > 1)> class weights_source {
  public:
    explicit weights_source(const header &h) : frames_(h.frames) {}
    template <class stream_t, class ram_t, class bias_t> void first(stream_t &weights, ram_t &ram, bias_t &bias) {
#pragma HLS INLINE
        layout::template load<c>(weights, ram, bias);
    }
    bool more(int round) const { return round < frames_; }
    void begin() {}
    static long long trips() { return frame_trips; }
    template <class stream_t, class ram_t, class bias_t> void load(stream_t &, ram_t &, bias_t &) {}
    static bool computes() { return true; }
    static int row() { return 0; }
    static int bias_row() { return 0; }
    void next() {}

  private:
    int frames_;
};

// Slices follow each other: a round is a tile.
template <class c, class layout, long long frame_trips> class weights_source<c, layout, frame_trips, true> {
    static const int words = layout::payload_words;
    static const long long full = frame_trips * c::tile;
    static const bool tight = full < words + SAFE_REUSE;
    static const int every = tight ? 1 : int((full - SAFE_REUSE) / words);
    static const long long full_trips = full + (tight ? (words > full ? words - full : 0) + SAFE_REUSE : 0);

  public:
    explicit weights_source(const header &h) : left_(h.frames) {}

    template <class stream_t, class ram_t, class bias_t> void first(stream_t &weights, ram_t &ram, bias_t &bias) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        half_ = true;  // what is loaded goes to the other one
    load_first:
        for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
            CONVMAKE_TICK_LOAD();
            take(weights, ram, bias);
        }
        half_ = false;
    }

    bool more(int) const { return left_ > 0; }

    // The next tile.
    void begin() {
#pragma HLS INLINE
        const int frames = tile_frames<c::slices, c::tile>(left_);
        left_ -= times<c::slices>(frames);
        full_ = frames == c::tile;
        work_ = multiple<frame_trips>(frames);
        slice_trips_ = full_ ? full_trips : work_ + (words > work_ ? words - work_ : 0) + SAFE_REUSE;
        trips_ = multiple<c::slices>(slice_trips_) - (left_ == 0 ? slice_trips_ - work_ : 0);
        slice_ = 0;
        begin_slice();
    }
    long long trips() const { return trips_; }

    // Once a trip, in front of the words that it gives.
    template <class stream_t, class ram_t, class bias_t> void load(stream_t &weights, ram_t &ram, bias_t &bias) {
#pragma HLS INLINE
        if (missing_ > 0 && until_ == 0) {
            take(weights, ram, bias);
            --missing_;
        }
        until_ = until_ == 0 ? (full_ ? every : 1) - 1 : until_ - 1;
    }
    bool computes() const { return at_ < work_; }
    int row() const { return half_ ? layout::rows : 0; }
    int bias_row() const { return half_ ? layout::bias_rows : 0; }

    // At the end of a trip.
    void next() {
#pragma HLS INLINE
        ++at_;
        if (at_ == slice_trips_) {
            half_ = !half_;
            ++slice_;
            begin_slice();
        }
    }

  private:
    void begin_slice() {
#pragma HLS INLINE
        at_ = 0;
        until_ = 0;
        missing_ = left_ == 0 && slice_ == c::slices - 1 ? 0 : words;
    }

    // A word of the payload, into the half that does not multiply: rows of weights, then biases.
    template <class stream_t, class ram_t, class bias_t> void take(stream_t &weights, ram_t &ram, bias_t &bias) {
#pragma HLS INLINE
#pragma HLS DEPENDENCE variable=ram inter RAW distance=SAFE_REUSE true
#pragma HLS DEPENDENCE variable=bias inter RAW distance=SAFE_REUSE true
        const port_word<layout::port_bits> word = weights.read();
        if (!biases_) {
            layout::store(ram, row_.value() + (half_ ? 0 : layout::rows), chunk_.value(), word);
            if (chunk_.last() && row_.last()) biases_ = true;
            if (chunk_.last()) row_.next();
            chunk_.next();
        } else {
            layout::store_bias(bias, lane_.value(), bias_row_.value() + (half_ ? 0 : layout::bias_rows), word);
            if (lane_.last() && bias_row_.last()) biases_ = false;
            if (lane_.last()) bias_row_.next();
            lane_.next();
        }
    }

    int left_;  // frames of slices behind this tile
    int slice_ = 0;
    int missing_ = 0;  // words of the next slice
    int until_ = 0;    // trips
    bool full_ = true, half_ = false, biases_ = false;
    long long work_ = 0;  // trips of a slice that multiply
    long long slice_trips_ = 0, trips_ = 0, at_ = 0;
    counter<layout::row_words> chunk_;
    counter<layout::rows> row_;
    counter<layout::bias_lanes> lane_;
    counter<layout::bias_rows> bias_row_;
};

}  // namespace convmake

#endif
