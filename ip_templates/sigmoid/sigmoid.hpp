// Sigmoid, tanh, hard sigmoid, or their product with the input. Trips of a frame: pixels * ceil(channels / coarse).
#ifndef CONVMAKE_SIGMOID_HPP
#define CONVMAKE_SIGMOID_HPP

#include "counter.hpp"
#include "header.hpp"
#include "logistic.hpp"
#include "process.hpp"
#include "requantise.hpp"
#include "stream.hpp"
#include "types.hpp"

namespace convmake {

const int LOGISTIC = 0;  // values of the parameter kind
const int TANH = 1;
const int HARD = 2;

template <class config, int kind> struct curve {
    static integer<GATE_BITS> of(integer<config::data_bits> v) {
#pragma HLS INLINE
        const integer<GATE_BITS> gate = logistic<config::data_bits, config::gate_shift>(v);
        return kind == TANH ? integer<GATE_BITS>(int(gate) * 2 - (1 << UNIT_BITS)) : gate;
    }
};

template <class config> struct curve<config, HARD> {
    static integer<GATE_BITS> of(integer<config::data_bits> v) {
#pragma HLS INLINE
        return hard_sigmoid<config::data_bits, config::slope, config::offset, config::gate_shift>(v);
    }
};

template <class config, int gated> struct gate_output {
    static integer<config::out_bits> of(integer<config::data_bits>, integer<GATE_BITS> gate) {
#pragma HLS INLINE
        return shift_round<GATE_BITS, config::out_bits, config::shift>(gate);
    }
};

template <class config> struct gate_output<config, 1> {
    static integer<config::out_bits> of(integer<config::data_bits> v, integer<GATE_BITS> gate) {
#pragma HLS INLINE
        return shift_round<config::data_bits + GATE_BITS, config::out_bits, config::shift>(
            multiply<config::data_bits, GATE_BITS>(v, gate));
    }
};

}  // namespace convmake

template <class config>
void sigmoid(hls::stream<convmake::word<config::coarse, config::data_bits> > &in,
             hls::stream<convmake::word<config::coarse, config::out_bits> > &out) {
    CONVMAKE_PROCESS(config);
    const int words = convmake::ceil_div(config::channels, config::coarse);
    const int trips = config::pixels * words;
    typedef convmake::word<config::coarse, config::data_bits> in_word;
    typedef convmake::word<config::coarse, config::out_bits> out_word;
    typedef convmake::integer<config::data_bits> value_t;

    const convmake::header h = convmake::read_header<config::data_bits>(in);
    convmake::write_header<config::out_bits>(out, h);
    convmake::counter<words> i;
frames:
    for (int frame = 0; frame < h.frames; ++frame) {
    steps:
        for (int step = 0; step < trips; ++step) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_FLATTEN
            CONVMAKE_TICK();
            const in_word w = in.read();
            out_word result = convmake::zero_word<out_word>();
            for (int l = 0; l < config::coarse; ++l) {
#pragma HLS UNROLL
                const value_t v = convmake::get_lane<config::data_bits>(w, l);
                const convmake::integer<convmake::GATE_BITS> gate = convmake::curve<config, config::kind>::of(v);
                // The function of 0 need not be 0: lanes beyond the last channel stay so.
                if (convmake::times<config::coarse>(i.value()) + l < config::channels)
                    convmake::set_lane<config::out_bits>(
                        result, l, convmake::gate_output<config, config::gated>::of(v, gate));
            }
            out.write(result);
            i.next();
        }
    }
}

#endif
