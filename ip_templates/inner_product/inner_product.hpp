// Streaming inner product: every input word is held for m steps, one an output fold. Trips of a frame: n * m.
#ifndef CONVMAKE_INNER_PRODUCT_HPP
#define CONVMAKE_INNER_PRODUCT_HPP

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

namespace convmake {

template <class c> struct inner_product_layer {
    static const int ci = c::coarse_in;
    static const int co = c::coarse_out;
    static const int n = c::pixels * ceil_div(c::channels, ci);
    static const int m = ceil_div(c::filters, co);
    static const long long trips = (long long)n * m;

    typedef word<ci, c::data_bits> in_word;
    typedef word<co, c::out_bits> out_word;
    typedef weights_layout<co * ci, n * m, c::weight_bits, co, m, c::acc_bits, c::port_bits, (c::slices > 1 ? 2 : 1)>
        layout;

    static void run(hls::stream<in_word> &in, typename layout::weights_stream &weights, hls::stream<out_word> &out,
                    typename layout::weights_ram &ram, typename layout::bias_ram &bias) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        const header h = read_header<c::data_bits>(in);
        write_header<c::out_bits>(out, h);
        weights_source<c, layout, trips> source(h);
        source.first(weights, ram, bias);

        accumulator<co, m, 1, c::acc_bits> sums;
        integer<c::data_bits> values[ci];
#pragma HLS ARRAY_PARTITION variable=values complete
        counter<n> i;
        counter<m> j;
        counter<layout::rows> row;

    frames:
        for (int round = 0; source.more(round); ++round) {
            source.begin();
        steps:
            for (long long step = 0; step < source.trips(); ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                source.load(weights, ram, bias);
                sums.step();
                if (source.computes()) {
                    if (j.first()) {
                        const in_word w = in.read();
                        for (int ch = 0; ch < ci; ++ch) {
#pragma HLS UNROLL
                            values[ch] = get_lane<c::data_bits>(w, ch);
                        }
                    }
                    const typename layout::row_view row_weights = layout::fetch(ram, row.value() + source.row());
                    out_word result = zero_word<out_word>();
                    for (int o = 0; o < co; ++o) {
#pragma HLS UNROLL
                        const integer<c::acc_bits> total =
                            sums.add(o, j.value(), true, true, i.first(), bias[o][j.value() + source.bias_row()],
                                     dot<ci, c::data_bits, c::weight_bits>(values, row_weights, o * ci));
                        const bool padding = clips_zero<c>() && j.value() >= ceil_div(c::filters - o, co);
                        if (i.last() && !padding)
                            set_lane<c::out_bits>(result, o, requantise<c, c::acc_bits>(total));
                    }
                    if (i.last()) out.write(result);
                    row.next();
                    if (j.last()) i.next();
                    j.next();
                }
                source.next();
            }
        }
    }
};

}  // namespace convmake

template <class config>
void inner_product(hls::stream<convmake::word<config::coarse_in, config::data_bits> > &in,
                   hls::stream<convmake::port_word<config::port_bits> > &weights,
                   hls::stream<convmake::word<config::coarse_out, config::out_bits> > &out) {
    convmake::with_weights<convmake::inner_product_layer<config>, config::weights_memory>::run(in, weights, out);
}

#endif
