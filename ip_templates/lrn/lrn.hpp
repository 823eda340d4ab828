// Local response normalisation across channels: x * s^-beta, s = bias + scale * (squares of neighbouring channels).
//
// A shift register holds the words of a pixel that a window reaches. s = m * 2^q: m^-beta is linear between tabled values,
// 2^-(beta * q) comes from a table of q. Trips of a frame, the words ahead being ceil((size / 2) / coarse):
//     pixels * (ceil(channels / coarse) + ahead)
#ifndef CONVMAKE_LRN_HPP
#define CONVMAKE_LRN_HPP

#include "counter.hpp"
#include "header.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

template <class c> struct lrn_layer {
    static const int lanes = c::coarse;
    static const int bits = c::data_bits;
    static const int words = ceil_div(c::channels, lanes);
    static const int before = (c::size - 1) / 2;  // channels of the window in front and behind
    static const int behind = c::size / 2;
    static const int ahead = ceil_div(behind, lanes);
    static const int held = ahead + 1 + ceil_div(before, lanes);
    static const int trips = c::pixels * (words + ahead);

    static const int mantissa = 16;  // fraction bits of s below its leading one, and of m^-beta
    static const int power = 24;     // of s^-beta
    static const int fall = 30;      // of 2^-beta
    static const int segment = 4;    // bits that choose a segment of the mantissa's table
    static const int rest = mantissa - segment;
    // The highest bits of the data are squared: all of them up to 20, so that 64 bits hold what follows.
    static const int squared = smaller(bits, (48 - log2_ceil(c::size)) / 2);
    static const int square_bits = 2 * squared;
    static const int sum_bits = square_bits + log2_ceil(c::size);
    static const int share_bits = larger(larger(c::sum_bits, mantissa + 1) + 1, 32);

    typedef word<lanes, bits> in_word;
    typedef word<lanes, c::out_bits> out_word;
    typedef integer<square_bits> square_t;

    struct table {
        int value[(1 << segment) + 1];
        int powers[c::sum_bits];
        int drops[c::sum_bits];
        constexpr table()
            : value{c::mantissa_0,  c::mantissa_1,  c::mantissa_2,  c::mantissa_3,  c::mantissa_4,  c::mantissa_5,
                    c::mantissa_6,  c::mantissa_7,  c::mantissa_8,  c::mantissa_9,  c::mantissa_10, c::mantissa_11,
                    c::mantissa_12, c::mantissa_13, c::mantissa_14, c::mantissa_15, c::mantissa_16},
              powers(),
              drops() {
            for (int q = 0; q < c::sum_bits; ++q) {
                if (q <= c::lowest) {
                    powers[q] = c::first;
                    drops[q] = 0;
                } else {
                    const int64_t product = int64_t(powers[q - 1]) * c::fall;
                    const int halved = product < int64_t(1) << (fall + power - 1) ? 1 : 0;
                    powers[q] = int((product + (int64_t(1) << (fall - 1 - halved))) >> (fall - halved));
                    drops[q] = drops[q - 1] + halved;
                }
            }
        }
    };

    // value * 2^-(config's shift + drop), rounded half up, saturated.
    template <int value_bits> static integer<c::out_bits> rounded(integer<value_bits> value, int drop) {
#pragma HLS INLINE
        const int shift = c::shift + drop;
        typedef integer<value_bits + 2> wide;
        typedef integer<2 * c::out_bits> raised;
        if (shift >= 0) {
            const int right = shift > value_bits + 1 ? value_bits + 1 : shift;
            const wide half = right > 0 ? wide(wide(1) << (right > 0 ? right - 1 : 0)) : wide(0);
            return saturate<c::out_bits>(wide(wide(wide(value) + half) >> right));
        }
        const int left = -shift > c::out_bits - 1 ? c::out_bits - 1 : -shift;
        return saturate<c::out_bits>(raised(raised(saturate<c::out_bits>(value)) * (raised(1) << left)));
    }

    static integer<c::out_bits> normalised(integer<bits> x, integer<sum_bits> squares, const table &t) {
#pragma HLS INLINE
        typedef integer<share_bits> share_t;
        const integer<sum_bits + 18> product = multiply<sum_bits, 18>(squares, integer<18>(int(c::scale)));
        const share_t s = share_t(product >> c::drop) + share_t(int(c::bias));
        int q = 0;
        for (int b = 1; b < c::sum_bits; ++b) {
#pragma HLS UNROLL
            if ((s >> b) != 0) q = b;
        }
        const int m = q >= mantissa ? int(share_t(s >> (q - mantissa))) : int(share_t(s << (mantissa - q)));
        const int at = (m >> rest) & ((1 << segment) - 1);
        const int slope = t.value[at + 1] - t.value[at];
        const int half = 1 << (rest - 1);
        const int step = int(multiply<18, rest + 2>(slope, m & ((1 << rest) - 1)));
        const int value = t.value[at] + ((step + half) >> rest);
        const integer<mantissa + power + 4> scaled = multiply<mantissa + 2, power + 2>(value, t.powers[q]);
        const integer<power + 2> factor = integer<power + 2>((scaled + (1 << (mantissa - 1))) >> mantissa);
        return rounded<bits + power + 2>(multiply<bits, power + 2>(x, factor), t.drops[q]);
    }

    static void run(hls::stream<in_word> &in, hls::stream<out_word> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        static constexpr table constants = {};
#pragma HLS BIND_STORAGE variable=constants type=rom_np impl=lutram
        const header h = read_header<bits>(in);
        write_header<c::out_bits>(out, h);
        in_word pixel[held];  // the newest first
        square_t squares[held * lanes];
#pragma HLS ARRAY_PARTITION variable=pixel complete
#pragma HLS ARRAY_PARTITION variable=squares complete
        for (int k = 0; k < held; ++k) {
#pragma HLS UNROLL
            pixel[k] = zero_word<in_word>();
        }
        for (int k = 0; k < held * lanes; ++k) {
#pragma HLS UNROLL
            squares[k] = 0;
        }
        counter<words + ahead> i;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                in_word w = zero_word<in_word>();
                if (i.value() < words) w = in.read();
                for (int k = held - 1; k > 0; --k) {
#pragma HLS UNROLL
                    pixel[k] = pixel[k - 1];
                    for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                        if (i.first())
                            squares[k * lanes + l] = 0;  // of the pixel before
                        else
                            squares[k * lanes + l] = squares[(k - 1) * lanes + l];
                    }
                }
                pixel[0] = w;
                for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                    const integer<bits> x = get_lane<bits>(w, l);
                    const integer<squared> high = integer<squared>(x >> (bits - squared));
                    squares[l] = multiply<squared, squared>(high, high);
                }
                if (i.value() >= ahead) {
                    out_word result = zero_word<out_word>();
                    for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                        integer<sum_bits> sum = 0;
                        for (int o = -before; o <= behind; ++o) {
#pragma HLS UNROLL
                            // Lane l + o of the word that leaves; lanes beyond it are the next word's.
                            const int place = held * lanes + l + o;
                            sum += squares[(ahead + held - place / lanes) * lanes + place % lanes];
                        }
                        set_lane<c::out_bits>(result, l, normalised(get_lane<bits>(pixel[ahead], l), sum, constants));
                    }
                    out.write(result);
                }
                i.next();
            }
        }
    }
};

}  // namespace convmake

template <class config>
void lrn(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
         hls::stream<convmake::word<config::coarse, config::out_bits> > &out) {
    convmake::lrn_layer<config>::run(in, out);
}

#endif
