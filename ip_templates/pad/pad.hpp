// A constant around a frame, in space and behind or in front of the channels; negative pads of space cut positions off.
// Trips of a frame, `size` being an axis with its positive pads:
//     size_d * size_h * size_w * ceil((front + channels + behind) / coarse)
#ifndef CONVMAKE_PAD_HPP
#define CONVMAKE_PAD_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

// One axis: where the scan stands, whether there is data, whether the position is given out.
template <int in, int pad0, int pad1> class padded_axis {
  public:
    static const int begin = larger(pad0, 0);
    static const int size = begin + in + larger(pad1, 0);
    bool inside() const { return at_.value() >= begin && at_.value() < begin + in; }
    bool given() const { return at_.value() >= larger(-pad0, 0) && at_.value() < size - larger(-pad1, 0); }
    bool last() const { return at_.last(); }
    void next() {
#pragma HLS INLINE
        at_.next();
    }

  private:
    counter<size> at_;
};

template <class c> struct pad_layer {
    static const int lanes = c::coarse;
    static const int bits = c::data_bits;
    static const int first = c::front / lanes;
    static const int in_words = ceil_div(c::channels, lanes);
    static const int channels = c::front + c::channels + c::behind;
    static const int words = ceil_div(channels, lanes);
    static_assert(c::front % lanes == 0, "the input's channels begin with a word");

    typedef word<lanes, bits> word_t;
    typedef padded_axis<c::in_d, c::pad_d0, c::pad_d1> axis_d;
    typedef padded_axis<c::in_h, c::pad_h0, c::pad_h1> axis_h;
    typedef padded_axis<c::in_w, c::pad_w0, c::pad_w1> axis_w;
    static const int trips = axis_d::size * axis_h::size * axis_w::size * words;

    static void run(hls::stream<word_t> &in, hls::stream<word_t> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        const header h = read_header<bits>(in);
        write_header<bits>(out, h);
        axis_d at_d;
        axis_h at_h;
        axis_w at_w;
        counter<words> i;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                const bool inside = at_d.inside() && at_h.inside() && at_w.inside();
                word_t data = zero_word<word_t>();
                if (inside && i.value() >= first && i.value() < first + in_words) data = in.read();
                word_t result = zero_word<word_t>();
                for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                    const int channel = times<lanes>(i.value()) + l;
                    if (inside && channel >= c::front && channel < c::front + c::channels)
                        set_lane<bits>(result, l, get_lane<bits>(data, l));
                    else if (channel < channels)
                        set_lane<bits>(result, l, int(c::value));
                }
                if (at_d.given() && at_h.given() && at_w.given()) out.write(result);
                const bool pixel_done = i.last();
                const bool line_done = pixel_done && at_w.last();
                const bool plane_done = line_done && at_h.last();
                i.next();
                if (pixel_done) at_w.next();
                if (line_done) at_h.next();
                if (plane_done) at_d.next();
            }
        }
    }
};

}  // namespace convmake

template <class config>
void pad(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
         hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    convmake::pad_layer<config>::run(in, out);
}

#endif
