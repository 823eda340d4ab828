// Streaming maximum and average pooling: one word a trip through the sliding window. Trips of a frame:
//     padded * ceil(channels / coarse)
#ifndef CONVMAKE_POOL_HPP
#define CONVMAKE_POOL_HPP

#include "counter.hpp"
#include "header.hpp"
#include "mean.hpp"
#include "process.hpp"
#include "stream.hpp"
#include "types.hpp"
#include "window.hpp"

namespace convmake {

const int MAXIMUM = 0;  // values of the parameter kind
const int AVERAGE = 1;

// Bits of a number of positions along an axis.
constexpr int count_bits(int kernel) { return log2_ceil(kernel + 1) + 1; }

// Positions of a window that ends at `position` which lie in [first, end).
template <int kernel, int first, int end> inline integer<count_bits(kernel)> counted(int position) {
#pragma HLS INLINE
    const int low = position - (kernel - 1) > first ? position - (kernel - 1) : first;
    const int high = position + 1 < end ? position + 1 : end;
    return integer<count_bits(kernel)>(high - low);
}

template <class c> struct pool_layer {
    static const int kernel = c::kernel_d * c::kernel_h * c::kernel_w;
    static const int words = ceil_div(c::channels, c::coarse);
    static const int padded_d = c::in_d + c::pad_d0 + c::pad_d1;
    static const int padded_h = c::in_h + c::pad_h0 + c::pad_h1;
    static const int padded_w = c::in_w + c::pad_w0 + c::pad_w1;
    static const int trips = padded_d * padded_h * padded_w * words;
    static const bool all_count =
        c::count_include_pad ? c::extra_d1 + c::extra_h1 + c::extra_w1 == 0
                             : padded_d * padded_h * padded_w == c::in_d * c::in_h * c::in_w;

    typedef word<c::coarse, c::data_bits> word_t;
    typedef rounded_mean<c::data_bits, kernel> mean;

    static integer<c::data_bits> maximum(const word_t (&taps)[kernel], int lane) {
#pragma HLS INLINE
        integer<c::data_bits> best = get_lane<c::data_bits>(taps[0], lane);
        for (int t = 1; t < kernel; ++t) {
#pragma HLS UNROLL
            const integer<c::data_bits> v = get_lane<c::data_bits>(taps[t], lane);
            if (v > best) best = v;
        }
        return best;
    }

    static integer<mean::sum_bits> sum(const word_t (&taps)[kernel], int lane) {
#pragma HLS INLINE
        integer<mean::sum_bits> total = 0;
        for (int t = 0; t < kernel; ++t) {
#pragma HLS UNROLL
            total += get_lane<c::data_bits>(taps[t], lane);
        }
        return total;
    }

    static integer<c::data_bits> average(const word_t (&taps)[kernel], int lane, int divisor,
                                         integer<mean::shift + 1> factor) {
#pragma HLS INLINE
        if (all_count) return mean::quotient(sum(taps, lane));
        return mean::quotient(sum(taps, lane), divisor, factor);
    }

    static void run(hls::stream<word_t> &in, hls::stream<word_t> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        const header h = read_header<c::data_bits>(in);
        write_header<c::data_bits>(out, h);

        word_t outside = zero_word<word_t>();
        if (c::kind == MAXIMUM) {
            for (int l = 0; l < c::coarse; ++l) {
#pragma HLS UNROLL
                set_lane<c::data_bits>(outside, l, -(int64_t(1) << (c::data_bits - 1)));
            }
        }
        sliding_window<word_t, words, padded_h, padded_w, c::kernel_d, c::kernel_h, c::kernel_w> window;
        word_t taps[kernel];
#pragma HLS ARRAY_PARTITION variable=taps complete
        axis<c::in_d, c::pad_d0, padded_d, c::kernel_d, c::stride_d, c::out_d> at_d;
        axis<c::in_h, c::pad_h0, padded_h, c::kernel_h, c::stride_h, c::out_h> at_h;
        axis<c::in_w, c::pad_w0, padded_w, c::kernel_w, c::stride_w, c::out_w> at_w;
        counter<words> i;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                window.step();
                word_t newest = outside;
                if (at_d.inside() && at_h.inside() && at_w.inside()) newest = in.read();
                window.push(newest, taps);
                if (at_d.window_end() && at_h.window_end() && at_w.window_end()) {
                    word_t result = zero_word<word_t>();
                    const int divisor = divisor_at(at_d.position(), at_h.position(), at_w.position());
                    const integer<mean::shift + 1> factor = mean::factor_of(divisor);
                    for (int l = 0; l < c::coarse; ++l) {
#pragma HLS UNROLL
                        if (c::kind == MAXIMUM)
                            set_lane<c::data_bits>(result, l, maximum(taps, l));
                        else
                            set_lane<c::data_bits>(result, l, average(taps, l, divisor, factor));
                    }
                    out.write(result);
                }
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

    // Padding counts if count_include_pad says so; what ceil_mode added behind it never does.
    static int divisor_at(int d, int h, int w) {
#pragma HLS INLINE
        if (c::kind == MAXIMUM || all_count) return kernel;
        if (c::count_include_pad)
            return volume(counted<c::kernel_d, 0, padded_d - c::extra_d1>(d),
                          counted<c::kernel_h, 0, padded_h - c::extra_h1>(h),
                          counted<c::kernel_w, 0, padded_w - c::extra_w1>(w));
        return volume(counted<c::kernel_d, c::pad_d0, c::pad_d0 + c::in_d>(d),
                      counted<c::kernel_h, c::pad_h0, c::pad_h0 + c::in_h>(h),
                      counted<c::kernel_w, c::pad_w0, c::pad_w0 + c::in_w>(w));
    }

    static int volume(integer<count_bits(c::kernel_d)> d, integer<count_bits(c::kernel_h)> h,
                      integer<count_bits(c::kernel_w)> w) {
#pragma HLS INLINE
        const int bits_d = count_bits(c::kernel_d), bits_h = count_bits(c::kernel_h), bits_w = count_bits(c::kernel_w);
        return int(multiply_in_fabric<bits_d + bits_h, bits_w>(multiply_in_fabric<bits_d, bits_h>(d, h), w));
    }
};

}  // namespace convmake

template <class config>
void pool(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
          hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    convmake::pool_layer<config>::run(in, out);
}

#endif
