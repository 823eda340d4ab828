// partition_0: one process a module, a FIFO between any two, one dataflow region.
#include "partition_0.hpp"

#include "stream.hpp"
#include "convolution.hpp"
#include "inner_product.hpp"
#include "memory_read.hpp"
#include "memory_write.hpp"
#include "pool.hpp"
#include "weights_read.hpp"
#include "weights_split.hpp"
#include "width_converter.hpp"

// 'x'
struct m0_memory_read_config {
    static const int pixels = 48;
    static const int channels = 3;
    static const int data_bits = 16;
    static const int port_bits = 64;
    static const int pixel_stride = 1;
};

// 'x'
struct m1_width_converter_config {
    static const int pixels = 48;
    static const int channels = 3;
    static const int lanes_in = 4;
    static const int lanes_out = 2;
    static const int data_bits = 16;
};

// ''
struct m9_weights_read_config {
    static const int port_bits = 64;
};

// 'c'
struct m10_weights_split_config {
    static const int port_bits = 64;
    static const int layers_after = 1;
};

// 'c'
struct m2_convolution_config {
    static const int channels = 3;
    static const int filters = 5;
    static const int groups = 1;
    static const int in_d = 1;
    static const int in_h = 8;
    static const int in_w = 6;
    static const int out_d = 1;
    static const int out_h = 8;
    static const int out_w = 6;
    static const int kernel_d = 1;
    static const int kernel_h = 3;
    static const int kernel_w = 3;
    static const int stride_d = 1;
    static const int stride_h = 1;
    static const int stride_w = 1;
    static const int pad_d0 = 0;
    static const int pad_h0 = 1;
    static const int pad_w0 = 1;
    static const int pad_d1 = 0;
    static const int pad_h1 = 1;
    static const int pad_w1 = 1;
    static const int coarse_in = 2;
    static const int coarse_out = 3;
    static const int coarse_group = 1;
    static const int fine = 4;
    static const int data_bits = 16;
    static const int weight_bits = 16;
    static const int acc_bits = 38;
    static const int shift = 15;
    static const int out_bits = 16;
    static const int activation = 1;
    static const int clip_min = 0;
    static const int clip_max = 0;
    static const int alpha = 0;
    static const int slices = 1;
    static const int tile = 1;
    static const int port_bits = 64;
    static const int weights_memory = 1;
};

// 'c'
struct m3_width_converter_config {
    static const int pixels = 48;
    static const int channels = 5;
    static const int lanes_in = 3;
    static const int lanes_out = 2;
    static const int data_bits = 16;
};

// 'p'
struct m4_pool_config {
    static const int kind = 0;
    static const int channels = 5;
    static const int coarse = 2;
    static const int in_d = 1;
    static const int in_h = 8;
    static const int in_w = 6;
    static const int out_d = 1;
    static const int out_h = 4;
    static const int out_w = 3;
    static const int kernel_d = 1;
    static const int kernel_h = 2;
    static const int kernel_w = 2;
    static const int stride_d = 1;
    static const int stride_h = 2;
    static const int stride_w = 2;
    static const int pad_d0 = 0;
    static const int pad_h0 = 0;
    static const int pad_w0 = 0;
    static const int pad_d1 = 0;
    static const int pad_h1 = 0;
    static const int pad_w1 = 0;
    static const int extra_d1 = 0;
    static const int extra_h1 = 0;
    static const int extra_w1 = 0;
    static const int count_include_pad = 0;
    static const int data_bits = 16;
};

// 'p'
struct m5_width_converter_config {
    static const int pixels = 12;
    static const int channels = 5;
    static const int lanes_in = 2;
    static const int lanes_out = 3;
    static const int data_bits = 16;
};

// 'g'
struct m6_inner_product_config {
    static const int pixels = 12;
    static const int channels = 5;
    static const int filters = 7;
    static const int coarse_in = 3;
    static const int coarse_out = 2;
    static const int data_bits = 16;
    static const int weight_bits = 16;
    static const int acc_bits = 39;
    static const int shift = 17;
    static const int out_bits = 16;
    static const int activation = 0;
    static const int clip_min = 0;
    static const int clip_max = 0;
    static const int alpha = 0;
    static const int slices = 1;
    static const int tile = 1;
    static const int port_bits = 64;
    static const int weights_memory = 0;
};

// 'g'
struct m7_width_converter_config {
    static const int pixels = 1;
    static const int channels = 7;
    static const int lanes_in = 2;
    static const int lanes_out = 4;
    static const int data_bits = 16;
};

// 'g'
struct m8_memory_write_config {
    static const int pixels = 1;
    static const int channels = 7;
    static const int data_bits = 16;
    static const int port_bits = 64;
    static const int pixel_stride = 2;
};

extern "C" void partition_0(
    const port_t *in_0, int in_0_frames, int in_0_tile,
    port_t *out_0,
    const port_t *weights, int weights_words) {
#pragma HLS INTERFACE m_axi port=in_0 bundle=gmem_in_0 offset=slave depth=48 latency=64 num_read_outstanding=8 max_read_burst_length=64 num_write_outstanding=1 max_write_burst_length=2
#pragma HLS INTERFACE s_axilite port=in_0 bundle=control
#pragma HLS INTERFACE s_axilite port=in_0_frames bundle=control
#pragma HLS INTERFACE s_axilite port=in_0_tile bundle=control
#pragma HLS INTERFACE m_axi port=out_0 bundle=gmem_out_0 offset=slave depth=2 latency=64 num_read_outstanding=1 max_read_burst_length=2 num_write_outstanding=8 max_write_burst_length=64
#pragma HLS INTERFACE s_axilite port=out_0 bundle=control
#pragma HLS INTERFACE m_axi port=weights bundle=gmem_weights offset=slave depth=280 latency=64 num_read_outstanding=8 max_read_burst_length=64 num_write_outstanding=1 max_write_burst_length=2
#pragma HLS INTERFACE s_axilite port=weights bundle=control
#pragma HLS INTERFACE s_axilite port=weights_words bundle=control
#pragma HLS INTERFACE s_axilite port=return bundle=control
#pragma HLS DATAFLOW
    hls::stream<convmake::word<4, 16> > s0("s0");
#pragma HLS STREAM variable=s0 depth=32
#pragma HLS BIND_STORAGE variable=s0 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s1("s1");
#pragma HLS STREAM variable=s1 depth=32
#pragma HLS BIND_STORAGE variable=s1 type=fifo impl=srl
    hls::stream<convmake::word<3, 16> > s2("s2");
#pragma HLS STREAM variable=s2 depth=32
#pragma HLS BIND_STORAGE variable=s2 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s3("s3");
#pragma HLS STREAM variable=s3 depth=32
#pragma HLS BIND_STORAGE variable=s3 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s4("s4");
#pragma HLS STREAM variable=s4 depth=32
#pragma HLS BIND_STORAGE variable=s4 type=fifo impl=srl
    hls::stream<convmake::word<3, 16> > s5("s5");
#pragma HLS STREAM variable=s5 depth=32
#pragma HLS BIND_STORAGE variable=s5 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s6("s6");
#pragma HLS STREAM variable=s6 depth=32
#pragma HLS BIND_STORAGE variable=s6 type=fifo impl=srl
    hls::stream<convmake::word<4, 16> > s7("s7");
#pragma HLS STREAM variable=s7 depth=32
#pragma HLS BIND_STORAGE variable=s7 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s8("s8");
#pragma HLS STREAM variable=s8 depth=2
#pragma HLS BIND_STORAGE variable=s8 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s9("s9");
#pragma HLS STREAM variable=s9 depth=2
#pragma HLS BIND_STORAGE variable=s9 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s10("s10");
#pragma HLS STREAM variable=s10 depth=2
#pragma HLS BIND_STORAGE variable=s10 type=fifo impl=srl

    memory_read<m0_memory_read_config>(in_0, in_0_frames, in_0_tile, s0);
    width_converter<m1_width_converter_config>(s0, s1);
    weights_read<m9_weights_read_config>(weights, weights_words, s8);
    weights_split<m10_weights_split_config>(s8, s9, s10);
    convolution<m2_convolution_config>(s1, s9, s2);
    width_converter<m3_width_converter_config>(s2, s3);
    pool<m4_pool_config>(s3, s4);
    width_converter<m5_width_converter_config>(s4, s5);
    inner_product<m6_inner_product_config>(s5, s10, s6);
    width_converter<m7_width_converter_config>(s6, s7);
    memory_write<m8_memory_write_config>(s7, out_0);
}
