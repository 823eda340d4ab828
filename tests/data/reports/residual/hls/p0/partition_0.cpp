// partition_0: one process a module, a FIFO between any two, one dataflow region.
#include "partition_0.hpp"

#include "stream.hpp"
#include "add.hpp"
#include "convolution.hpp"
#include "fork.hpp"
#include "global_pool.hpp"
#include "inner_product.hpp"
#include "memory_read.hpp"
#include "memory_write.hpp"
#include "weights_read.hpp"
#include "weights_split.hpp"
#include "width_converter.hpp"

// 'x'
struct m0_memory_read_config {
    static const int pixels = 25;
    static const int channels = 2;
    static const int data_bits = 16;
    static const int port_bits = 64;
    static const int pixel_stride = 1;
};

// 'x'
struct m1_width_converter_config {
    static const int pixels = 25;
    static const int channels = 2;
    static const int lanes_in = 4;
    static const int lanes_out = 1;
    static const int data_bits = 16;
};

// ''
struct m14_weights_read_config {
    static const int port_bits = 64;
};

// 'a'
struct m15_weights_split_config {
    static const int port_bits = 64;
    static const int layers_after = 2;
};

// 'a'
struct m2_convolution_config {
    static const int channels = 2;
    static const int filters = 4;
    static const int groups = 1;
    static const int in_d = 1;
    static const int in_h = 5;
    static const int in_w = 5;
    static const int out_d = 1;
    static const int out_h = 5;
    static const int out_w = 5;
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
    static const int coarse_in = 1;
    static const int coarse_out = 2;
    static const int coarse_group = 1;
    static const int fine = 3;
    static const int data_bits = 16;
    static const int weight_bits = 16;
    static const int acc_bits = 38;
    static const int shift = 16;
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

// 'a'
struct m3_fork_config {
    static const int pixels = 25;
    static const int channels = 4;
    static const int coarse = 2;
    static const int data_bits = 16;
};

// 'a'
struct m6_width_converter_config {
    static const int pixels = 25;
    static const int channels = 4;
    static const int lanes_in = 2;
    static const int lanes_out = 4;
    static const int data_bits = 16;
};

// 'b'
struct m16_weights_split_config {
    static const int port_bits = 64;
    static const int layers_after = 1;
};

// 'b'
struct m4_convolution_config {
    static const int channels = 4;
    static const int filters = 4;
    static const int groups = 1;
    static const int in_d = 1;
    static const int in_h = 5;
    static const int in_w = 5;
    static const int out_d = 1;
    static const int out_h = 5;
    static const int out_w = 5;
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
    static const int coarse_out = 2;
    static const int coarse_group = 1;
    static const int fine = 9;
    static const int data_bits = 16;
    static const int weight_bits = 16;
    static const int acc_bits = 39;
    static const int shift = 15;
    static const int out_bits = 16;
    static const int activation = 0;
    static const int clip_min = 0;
    static const int clip_max = 0;
    static const int alpha = 0;
    static const int slices = 1;
    static const int tile = 1;
    static const int port_bits = 64;
    static const int weights_memory = 1;
};

// 'b'
struct m5_width_converter_config {
    static const int pixels = 25;
    static const int channels = 4;
    static const int lanes_in = 2;
    static const int lanes_out = 4;
    static const int data_bits = 16;
};

// 's'
struct m7_add_config {
    static const int pixels = 25;
    static const int channels = 4;
    static const int coarse = 4;
    static const int bits_a = 16;
    static const int bits_b = 16;
    static const int left_a = 0;
    static const int left_b = 1;
    static const int shift = 0;
    static const int out_bits = 16;
    static const int activation = 1;
    static const int clip_min = 0;
    static const int clip_max = 0;
    static const int alpha = 0;
};

// 's'
struct m8_width_converter_config {
    static const int pixels = 25;
    static const int channels = 4;
    static const int lanes_in = 4;
    static const int lanes_out = 1;
    static const int data_bits = 16;
};

// 'v'
struct m9_global_pool_config {
    static const int kind = 1;
    static const int pixels = 25;
    static const int channels = 4;
    static const int coarse = 1;
    static const int data_bits = 16;
};

// 'v'
struct m10_width_converter_config {
    static const int pixels = 1;
    static const int channels = 4;
    static const int lanes_in = 1;
    static const int lanes_out = 2;
    static const int data_bits = 16;
};

// 'g'
struct m11_inner_product_config {
    static const int pixels = 1;
    static const int channels = 4;
    static const int filters = 5;
    static const int coarse_in = 2;
    static const int coarse_out = 5;
    static const int data_bits = 16;
    static const int weight_bits = 16;
    static const int acc_bits = 36;
    static const int shift = 15;
    static const int out_bits = 16;
    static const int activation = 0;
    static const int clip_min = 0;
    static const int clip_max = 0;
    static const int alpha = 0;
    static const int slices = 1;
    static const int tile = 1;
    static const int port_bits = 64;
    static const int weights_memory = 1;
};

// 'g'
struct m12_width_converter_config {
    static const int pixels = 1;
    static const int channels = 5;
    static const int lanes_in = 5;
    static const int lanes_out = 4;
    static const int data_bits = 16;
};

// 'g'
struct m13_memory_write_config {
    static const int pixels = 1;
    static const int channels = 5;
    static const int data_bits = 16;
    static const int port_bits = 64;
    static const int pixel_stride = 2;
};

extern "C" void partition_0(
    const port_t *in_0, int in_0_frames, int in_0_tile,
    port_t *out_0,
    const port_t *weights, int weights_words) {
#pragma HLS INTERFACE m_axi port=in_0 bundle=gmem_in_0 offset=slave depth=25 latency=64 num_read_outstanding=8 max_read_burst_length=64 num_write_outstanding=1 max_write_burst_length=2
#pragma HLS INTERFACE s_axilite port=in_0 bundle=control
#pragma HLS INTERFACE s_axilite port=in_0_frames bundle=control
#pragma HLS INTERFACE s_axilite port=in_0_tile bundle=control
#pragma HLS INTERFACE m_axi port=out_0 bundle=gmem_out_0 offset=slave depth=2 latency=64 num_read_outstanding=1 max_read_burst_length=2 num_write_outstanding=8 max_write_burst_length=64
#pragma HLS INTERFACE s_axilite port=out_0 bundle=control
#pragma HLS INTERFACE m_axi port=weights bundle=gmem_weights offset=slave depth=82 latency=64 num_read_outstanding=8 max_read_burst_length=64 num_write_outstanding=1 max_write_burst_length=2
#pragma HLS INTERFACE s_axilite port=weights bundle=control
#pragma HLS INTERFACE s_axilite port=weights_words bundle=control
#pragma HLS INTERFACE s_axilite port=return bundle=control
#pragma HLS DATAFLOW
    hls::stream<convmake::word<4, 16> > s0("s0");
#pragma HLS STREAM variable=s0 depth=32
#pragma HLS BIND_STORAGE variable=s0 type=fifo impl=srl
    hls::stream<convmake::word<1, 16> > s1("s1");
#pragma HLS STREAM variable=s1 depth=32
#pragma HLS BIND_STORAGE variable=s1 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s2("s2");
#pragma HLS STREAM variable=s2 depth=32
#pragma HLS BIND_STORAGE variable=s2 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s3("s3");
#pragma HLS STREAM variable=s3 depth=32
#pragma HLS BIND_STORAGE variable=s3 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s4("s4");
#pragma HLS STREAM variable=s4 depth=32
#pragma HLS BIND_STORAGE variable=s4 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s5("s5");
#pragma HLS STREAM variable=s5 depth=32
#pragma HLS BIND_STORAGE variable=s5 type=fifo impl=srl
    hls::stream<convmake::word<4, 16> > s6("s6");
#pragma HLS STREAM variable=s6 depth=32
#pragma HLS BIND_STORAGE variable=s6 type=fifo impl=srl
    hls::stream<convmake::word<4, 16> > s7("s7");
#pragma HLS STREAM variable=s7 depth=32
#pragma HLS BIND_STORAGE variable=s7 type=fifo impl=srl
    hls::stream<convmake::word<4, 16> > s8("s8");
#pragma HLS STREAM variable=s8 depth=32
#pragma HLS BIND_STORAGE variable=s8 type=fifo impl=srl
    hls::stream<convmake::word<1, 16> > s9("s9");
#pragma HLS STREAM variable=s9 depth=32
#pragma HLS BIND_STORAGE variable=s9 type=fifo impl=srl
    hls::stream<convmake::word<1, 16> > s10("s10");
#pragma HLS STREAM variable=s10 depth=32
#pragma HLS BIND_STORAGE variable=s10 type=fifo impl=srl
    hls::stream<convmake::word<2, 16> > s11("s11");
#pragma HLS STREAM variable=s11 depth=32
#pragma HLS BIND_STORAGE variable=s11 type=fifo impl=srl
    hls::stream<convmake::word<5, 16> > s12("s12");
#pragma HLS STREAM variable=s12 depth=32
#pragma HLS BIND_STORAGE variable=s12 type=fifo impl=srl
    hls::stream<convmake::word<4, 16> > s13("s13");
#pragma HLS STREAM variable=s13 depth=32
#pragma HLS BIND_STORAGE variable=s13 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s14("s14");
#pragma HLS STREAM variable=s14 depth=2
#pragma HLS BIND_STORAGE variable=s14 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s15("s15");
#pragma HLS STREAM variable=s15 depth=2
#pragma HLS BIND_STORAGE variable=s15 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s16("s16");
#pragma HLS STREAM variable=s16 depth=2
#pragma HLS BIND_STORAGE variable=s16 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s17("s17");
#pragma HLS STREAM variable=s17 depth=2
#pragma HLS BIND_STORAGE variable=s17 type=fifo impl=srl
    hls::stream<convmake::port_word<64> > s18("s18");
#pragma HLS STREAM variable=s18 depth=2
#pragma HLS BIND_STORAGE variable=s18 type=fifo impl=srl

    memory_read<m0_memory_read_config>(in_0, in_0_frames, in_0_tile, s0);
    width_converter<m1_width_converter_config>(s0, s1);
    weights_read<m14_weights_read_config>(weights, weights_words, s14);
    weights_split<m15_weights_split_config>(s14, s15, s16);
    convolution<m2_convolution_config>(s1, s15, s2);
    fork<m3_fork_config>(s2, s3, s4);
    width_converter<m6_width_converter_config>(s4, s7);
    weights_split<m16_weights_split_config>(s16, s17, s18);
    convolution<m4_convolution_config>(s3, s17, s5);
    width_converter<m5_width_converter_config>(s5, s6);
    add<m7_add_config>(s6, s7, s8);
    width_converter<m8_width_converter_config>(s8, s9);
    global_pool<m9_global_pool_config>(s9, s10);
    width_converter<m10_width_converter_config>(s10, s11);
    inner_product<m11_inner_product_config>(s11, s18, s12);
    width_converter<m12_width_converter_config>(s12, s13);
    memory_write<m13_memory_write_config>(s13, out_0);
}
