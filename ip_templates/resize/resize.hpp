// Enlarges frames by whole factors, nearest neighbour or linear. One output word a trip. Trips of a frame:
//     output positions * ceil(channels / coarse)
//
// Along an axis an output position needs an input position and, for linear, the one before it; from one output to the
// next at most one new input position is needed. So every axis keeps its newest two values at each position of the axes
// inside it, and an input word is read in the very trip that first needs it.
#ifndef CONVMAKE_RESIZE_HPP
#define CONVMAKE_RESIZE_HPP

#include "counter.hpp"
#include "header.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

const int HALF_PIXEL = 1;  // values of the parameter coordinates; 0: asymmetric
const int ALIGN_CORNERS = 2;
const int ADDED_FRACTION = 3;  // weights of at most so many fraction bits are added up, wider ones multiplied

// Where output position y lies in the input: (slope * y + offset) / divisor.
template <int size, int factor, int coordinates, bool linear, int fraction> struct stretch {
    static const int outputs = size * factor;
    static constexpr int64_t slope = coordinates == HALF_PIXEL ? 2 : coordinates == ALIGN_CORNERS ? size - 1 : 1;
    static constexpr int64_t offset = coordinates == HALF_PIXEL ? 1 - factor : 0;
    static constexpr int64_t divisor = coordinates == HALF_PIXEL      ? 2 * factor
                                       : coordinates == ALIGN_CORNERS ? larger(1, outputs - 1)
                                                                      : factor;

    static constexpr int64_t position(int y) { return slope * y + offset > 0 ? slope * y + offset : 0; }
    // The last input position that output y needs.
    static constexpr int64_t needed(int y) {
        return !linear ? y / factor
                       : (position(y) + divisor - 1) / divisor < size - 1 ? (position(y) + divisor - 1) / divisor : size - 1;
    }
    // Its share of the divisor; the position before it has the rest.
    static constexpr int64_t share(int y) {
        return needed(y) * divisor <= position(y) ? divisor : position(y) - (needed(y) - 1) * divisor;
    }
    static constexpr int rounded(int y) {
        return !linear ? 1 : int(((share(y) << (fraction + 1)) + divisor) / (2 * divisor));
    }

    struct table {
        bool fresh[outputs];
        int weight[outputs];
        constexpr table() : fresh(), weight() {
            for (int y = 0; y < outputs; ++y) {
                fresh[y] = y == 0 || needed(y) != needed(y - 1);
                weight[y] = rounded(y);
            }
        }
    };
};

// value * weight, 0 <= weight <= 2^fraction.
template <int bits, int fraction> inline integer<bits + fraction + 2> weighted(integer<bits> value, int weight) {
#pragma HLS INLINE
    if (fraction > ADDED_FRACTION) return multiply<bits, fraction + 2>(value, integer<fraction + 2>(weight));
    integer<bits + fraction + 2> sum = 0;
    for (int b = 0; b <= fraction; ++b) {
#pragma HLS UNROLL
        if ((weight >> b) & 1) sum += integer<bits + fraction + 2>(value) * (1 << b);
    }
    return sum;
}

// One axis: the newest word and the one before it at `depth` places, each of which comes back every `reuse` trips.
template <int lanes, int bits, int fraction, int depth, int reuse, bool held, bool linear> class stretch_axis {
  public:
    typedef word<lanes, bits> in_word;
    typedef word<lanes, bits + fraction> out_word;

    out_word at(const in_word &next, bool fresh, int address, int weight) {
#pragma HLS INLINE
        in_word last = next;
        in_word before = next;
        if (held) {
            const in_word kept = newest.read(0, address);
            if (linear) before = older.read(0, address);
            if (fresh) {
                newest.write(0, address, next);
                if (linear) older.write(0, address, kept);
                before = kept;
            } else {
                last = kept;
            }
        }
        out_word result = zero_word<out_word>();
        for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
            const integer<bits> b = get_lane<bits>(last, l);
            if (held && linear) {
                typedef integer<bits + fraction + 3> wide;
                const integer<bits> a = get_lane<bits>(before, l);
                const wide step = weighted<bits + 1, fraction>(integer<bits + 1>(b) - integer<bits + 1>(a), weight);
                set_lane<bits + fraction>(result, l, wide(wide(a) * (1 << fraction) + step));
            } else {
                set_lane<bits + fraction>(result, l, b);
            }
        }
        return result;
    }

    // Once every iteration of the loop.
    void step() {
#pragma HLS INLINE
        newest.step();
        older.step();
    }

  private:
    memory<in_word, 1, held ? depth : 1, held ? reuse : 1> newest;
    memory<in_word, 1, held && linear ? depth : 1, held && linear ? reuse : 1> older;
};

template <class c> struct resize_layer {
    static const int lanes = c::coarse;
    static const int bits = c::data_bits;
    static const bool linear = c::linear == 1;
    static const int words = ceil_div(c::channels, lanes);
    static const int out_d = c::in_d * c::factor_d;
    static const int out_h = c::in_h * c::factor_h;
    static const int out_w = c::in_w * c::factor_w;
    static const int trips = out_d * out_h * out_w * words;
    static const int row = c::in_w * words;
    static const int plane = c::in_h * row;
    static const int bits_h = bits + c::fraction_d;
    static const int bits_w = bits_h + c::fraction_h;
    static const int fraction = c::fraction_d + c::fraction_h + c::fraction_w;

    typedef word<lanes, bits> word_t;
    typedef stretch<c::in_d, c::factor_d, c::coordinates, linear, c::fraction_d> line_d;
    typedef stretch<c::in_h, c::factor_h, c::coordinates, linear, c::fraction_h> line_h;
    typedef stretch<c::in_w, c::factor_w, c::coordinates, linear, c::fraction_w> line_w;
    typedef stretch_axis<lanes, bits, c::fraction_d, plane, out_h * out_w * words, (c::factor_d > 1), linear> axis_d;
    typedef stretch_axis<lanes, bits_h, c::fraction_h, row, out_w * words, (c::factor_h > 1), linear> axis_h;
    typedef stretch_axis<lanes, bits_w, c::fraction_w, words, words, (c::factor_w > 1), linear> axis_w;

    static void run(hls::stream<word_t> &in, hls::stream<word_t> &out) {
#pragma HLS INLINE
        CONVMAKE_PROCESS(c);
        static constexpr typename line_d::table table_d = {};
        static constexpr typename line_h::table table_h = {};
        static constexpr typename line_w::table table_w = {};
#pragma HLS BIND_STORAGE variable=table_d type=rom_np impl=lutram
#pragma HLS BIND_STORAGE variable=table_h type=rom_np impl=lutram
#pragma HLS BIND_STORAGE variable=table_w type=rom_np impl=lutram
        const header h = read_header<bits>(in);
        write_header<bits>(out, h);

        axis_d planes;
        axis_h rows;
        axis_w columns;
        typename axis_d::out_word from_d = zero_word<typename axis_d::out_word>();
        typename axis_h::out_word from_h = zero_word<typename axis_h::out_word>();
        counter<out_d> at_d;
        counter<out_h> at_h;
        counter<out_w> at_w;
        counter<words> i;
        counter<plane> in_plane;
        counter<row> in_row;

    frames:
        for (int frame = 0; frame < h.frames; ++frame) {
        steps:
            for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
                CONVMAKE_TICK();
                planes.step();
                rows.step();
                columns.step();
                const bool fresh_d = table_d.fresh[at_d.value()];
                const bool fresh_h = table_h.fresh[at_h.value()];
                const bool fresh_w = table_w.fresh[at_w.value()];
                word_t next = zero_word<word_t>();
                if (fresh_d && fresh_h && fresh_w) next = in.read();
                if (fresh_h && fresh_w) {
                    from_d = planes.at(next, fresh_d, in_plane.value(), table_d.weight[at_d.value()]);
                    in_plane.next();
                }
                if (fresh_w) {
                    from_h = rows.at(from_d, fresh_h, in_row.value(), table_h.weight[at_h.value()]);
                    in_row.next();
                }
                const typename axis_w::out_word exact =
                    columns.at(from_h, fresh_w, i.value(), table_w.weight[at_w.value()]);
                word_t result = zero_word<word_t>();
                for (int l = 0; l < lanes; ++l) {
#pragma HLS UNROLL
                    const integer<bits + fraction> v = get_lane<bits + fraction>(exact, l);
                    set_lane<bits>(result, l, shift_round<bits + fraction, bits, fraction>(v));
                }
                out.write(result);
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
void resize(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
            hls::stream<convmake::word<config::coarse, config::data_bits> > &out) {
    convmake::resize_layer<config>::run(in, out);
}

#endif
