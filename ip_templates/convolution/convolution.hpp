// Streaming convolution: padding, sliding window, multipliers and accumulators in one pipelined process.
//
// The loop visits every padded position and, there, every word of its pixel (group fold g, input fold i). A word enters
// the window; where a window ends, the word is held for m * q steps (output fold j, window fold s). Trips of a frame:
//     padded * gf * n + outputs * gf * n * (m * q - 1)
#ifndef CONVMAKE_CONVOLUTION_HPP
#define CONVMAKE_CONVOLUTION_HPP

#include "accumulator.hpp"
#include "counter.hpp"
#include "header.hpp"
#include "multiply_accumulate.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "slices.hpp"
#include "stream.hpp"
#include "types.hpp"
#include "weights.hpp"
#include "window.hpp"

namespace convmake {

template <class c> struct convolution_layer {
    static const int ci = c::coarse_in;
    static const int co = c::coarse_out;
    static const int cg = c::coarse_group;
    static const int fine = c::fine;
    static const int kernel = c::kernel_d * c::kernel_h * c::kernel_w;
    static const int gf = ceil_div(c::groups, cg);              // group folds
    static const int n = ceil_div(c::channels / c::groups, ci); // input folds
    static const int m = ceil_div(c::filters / c::groups, co);  // output folds
    static const int q = ceil_div(kernel, fine);                // window folds
    static const int in_words = gf * n;
    static const int out_lanes = cg * co;
    static const int padded_d = c::in_d + c::pad_d0 + c::pad_d1;
    static const int padded_h = c::in_h + c::pad_h0 + c::pad_h1;
    static const int padded_w = c::in_w + c::pad_w0 + c::pad_w1;
    static const int padded = padded_d * padded_h * padded_w;
    static const int outputs = c::out_d * c::out_h * c::out_w;
    static const long long trips = (long long)padded * in_words + (long long)outputs * in_words * (m * q - 1);

    static_assert(c::channels % c::groups == 0 && c::filters % c::groups == 0, "groups divide channels and filters");
    static_assert(cg == 1 || (n == 1 && m == 1 && ci == c::channels / c::groups && co == c::filters / c::groups &&
                              c::groups % cg == 0), "parallel groups take whole groups");
    static_assert(cg > 1 || c::groups == 1 || (c::channels / c::groups % ci == 0 && c::filters / c::groups % co == 0),
                  "the folding of a grouped convolution divides its groups");
    static_assert(fine <= kernel, "no more multipliers than window positions");

    typedef word<cg * ci, c::data_bits> in_word;
    typedef word<out_lanes, c::out_bits> out_word;
    typedef weights_layout<cg * co * ci * fine, gf * n * m * q, c::weight_bits, out_lanes, gf * m, c::acc_bits,
                           c::port_bits, (c::slices > 1 ? 2 : 1)> layout;
    typedef integer<c::data_bits> operands[q][cg][ci * fine];

    // Order the window as the multipliers take it, window positions beyond the kernel being 0.
    static void unpack(const in_word (&taps)[kernel], operands &values) {
#pragma HLS INLINE
        for (int s = 0; s < q; ++s)
            for (int gl = 0; gl < cg; ++gl)
                for (int ch = 0; ch < ci; ++ch)
                    for (int t = 0; t < fine; ++t) {
#pragma HLS UNROLL
                        const int at = s * fine + t;
                        if (at < kernel)
                            values[s][gl][ch * fine + t] = get_lane<c::data_bits>(taps[at], gl * ci + ch);
                        else
                            values[s][gl][ch * fine + t] = 0;
                    }
    }

    static void run(hls::stream<in_word> &in, typename layout::weights_stream &weights, hls::stream<out_word> &out,
                    typename layout::weights_ram &ram, typename layout::bias_ram &bias) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        const header h = read_header<c::data_bits>(in);
        write_header<c::out_bits>(out, h);
        weights_source<c, layout, trips> source(h);
        source.first(weights, ram, bias);

        sliding_window<in_word, in_words, padded_h, padded_w, c::kernel_d, c::kernel_h, c::kernel_w> window;
        accumulator<out_lanes, m, q, c::acc_bits> sums;
        in_word taps[kernel];
        operands values;
#pragma HLS ARRAY_PARTITION variable=taps complete
#pragma HLS ARRAY_PARTITION variable=values complete dim=0
        axis<c::in_d, c::pad_d0, padded_d, c::kernel_d, c::stride_d, c::out_d> at_d;
        axis<c::in_h, c::pad_h0, padded_h, c::kernel_h, c::stride_h, c::out_h> at_h;
        axis<c::in_w, c::pad_w0, padded_w, c::kernel_w, c::stride_w, c::out_w> at_w;
        counter<gf> g;
        counter<n> i;
        counter<m> j;
        counter<q> s;
        counter<layout::rows> row;
        counter<gf * m> bias_row;

    frames:
        for (int round = 0; source.more(round); ++round) {
            source.begin();
        steps:
            for (long long step = 0; step < source.trips(); ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                source.load(weights, ram, bias);
                window.step();
                sums.step();
                if (source.computes()) {
                    const bool computes = at_d.window_end() && at_h.window_end() && at_w.window_end();
                    if (j.first() && s.first()) {
                        in_word newest = zero_word<in_word>();
                        if (at_d.inside() && at_h.inside() && at_w.inside()) newest = in.read();
                        window.push(newest, taps);
                        if (computes) unpack(taps, values);
                    }
                    if (computes) {
                        const typename layout::row_view row_weights = layout::fetch(ram, row.value() + source.row());
                        out_word result = zero_word<out_word>();
                        for (int gl = 0; gl < cg; ++gl) {
#pragma HLS UNROLL
                            for (int o = 0; o < co; ++o) {
#pragma HLS UNROLL
                                const int lane = gl * co + o;
                                const integer<c::acc_bits> total = sums.add(
                                    lane, j.value(), s.first(), s.last(), i.first(), bias[lane][bias_row.value() + source.bias_row()],
                                    dot<ci * fine, c::data_bits, c::weight_bits>(values[s.value()][gl], row_weights,
                                                                                 lane * ci * fine));
                                const bool padding = clips_zero<c>() && j.value() >= ceil_div(c::filters / c::groups - o, co);
                                if (i.last() && s.last() && !padding)
                                    set_lane<c::out_bits>(result, lane, requantise<c, c::acc_bits>(total));
                            }
                        }
                        if (i.last() && s.last()) out.write(result);
                        if (i.first() && s.last()) bias_row.next();
                        row.next();
                    }
                    const bool word_done = !computes || (j.last() && s.last());
                    const bool pixel_done = word_done && i.last() && g.last();
                    const bool line_done = pixel_done && at_w.last();
                    const bool plane_done = line_done && at_h.last();
                    if (computes && s.last()) j.next();
                    if (computes) s.next();
                    if (word_done && i.last()) g.next();
                    if (word_done) i.next();
                    if (pixel_done) at_w.next();
                    if (line_done) at_h.next();
                    if (plane_done) at_d.next();
                }
                source.next();
            }
        }
    }
};

}  // namespace convmake

template <class config>
void convolution(hls::stream<convmake::word<config::coarse_group * config::coarse_in, config::data_bits> > &in,
                 hls::stream<convmake::port_word<config::port_bits> > &weights,
                 hls::stream<convmake::word<config::coarse_group * config::coarse_out, config::out_bits> > &out) {
    convmake::with_weights<convmake::convolution_layer<config>, config::weights_memory>::run(in, weights, out);
}

#endif
