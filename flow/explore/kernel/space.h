// What the kernel knows of a design space; flow/explore/kernel_tables.py fills it from the data sheets.
#pragma once
#include <cstdint>

typedef int64_t i64;

const int RESOURCES = 5, FIGURES = 9, CLASSES = 4, SHAPES = 6, POINTS = 6;
enum { INTERVAL, FILL, DRAIN, DEPTH, COST };  // a record of a module's figures

// A folding of a layer, one cache line. given_in, given_out: index of the lanes among all lanes.
struct Row {
    i64 interval, fill, drain;
    int32_t cost[RESOURCES], payload;
    uint16_t passes, lanes_in, lanes_out, given_in, given_out, table, depth, slices;
};

// Of a row that sees slices (tables.py); `place` of its tile, `all` words of all slices, `cycles` of these at their port.
struct Slices {
    i64 slices, tile, words, steps, front, replay, given, gather, depth, place, all, cycles;
};

struct Space {
    i64 positions, edges, tensors, inputs, tables, lanes;
    i64 stream_depth, register_depth, shift_depth, block_depth, margin_pixels, bram18, ports, batch, ahead, port_latency, weights_ready, slice_ready, tiles;
    i64 port_bits, capacity_bytes, max_partitions, has_energy, configuration_bits;
    double word_cycles;       // of the memory's time that a port word takes
    double clock_mhz, load_s, switch_s;           // load_s: of a word of weights
    double static_w, product_j, bit_j;            // flow/model/energy.py
    const Row *rows;
    const int32_t *row_table; // [row] its table: what needs no more of a row stays in a small array
    const i64 *limits;        // [RESOURCES]
    const double *cycle_j;    // [RESOURCES]
    const i64 *wait;          // [row] cycles that a frame of one pixel takes
    const double *trips;      // [row][3][POINTS]: read, write, need
    const i64 *variant;       // [position][table]: which of the position's numbers of passes a row stands for
    const i64 *variants;      // [position] how many there are
    const i64 *first_variant; // [tensor]: its first record in the arrays by variant
    const i64 *share;         // [variant] channels of a pass
    const i64 *reads;         // [variant][FIGURES]
    const i64 *writes;        // [variant][FIGURES]
    const i64 *read_burst;    // [variant] words of a burst
    const i64 *read_cycles, *write_cycles; // [variant] of a frame at the port, its bandwidth aside
    const i64 *write_rest;    // [variant] words of a frame's last burst
    const i64 *written;       // [variant] port words of a frame
    const i64 *live;          // [variant] bytes of a frame in memory
    const i64 *write_converters; // [variant] offset into `converters`, by source lanes
    const i64 *read_words;    // [tensor]
    const i64 *tensor_lanes;  // [tensor][lanes]: place among the lanes that the tensor may come with
    const i64 *port_lanes;    // [tensor]: place of the memory port's lanes
    const i64 *port_given;    // [tensor]: lanes of the memory port
    const i64 *forks;         // [tensor] offset into `fork_figures`, by source lanes
    const i64 *producer, *pixels, *channels, *bits, *is_output; // [tensor]; bits: index of the width
    const i64 *readers_at, *readers;                            // CSR by tensor
    const i64 *edge_tensor, *edge_reader;
    const i64 *edge_lanes;    // [edge][lanes]: place among the reader's lanes
    const i64 *edge_wanted;   // [edge] how many lanes the reader may have
    const i64 *edge_sources;  // [edge] how many lanes the tensor may come with
    const i64 *edge_converters; // [edge] offset into `converters`: [variant][source][wanted]
    const i64 *inputs_at;     // [position + 1] its first input edge: edges are numbered by their readers
    const i64 *weighted, *window, *tails_at, *tails;
    const double *needed, *lead;        // [position]
    const double *points;               // [tensor][POINTS]: shares of a frame in front of its points
    const i64 *header;                  // [tensor] words in front of the frames
    const i64 *low;                     // [position][POINTS], and what each output needs between and inside the input's points
    const double *between, *inside;
    const i64 *even, *header_in, *header_out;
    const i64 *stages_at;     // CSR by position into `stage_channels`; stages of a concatenation
    const i64 *stage_channels;
    const i64 *stage_figures; // [position] offset into `stage_paces`: [stage][wanted][4]
    const i64 *stage_bits;    // [position]
    const i64 *stage_headers; // like `stage_channels`, two each: of the first input and of the output
    const i64 *stage_paces;
    const i64 *is_concat;
    const i64 *bit_products;  // [position]
    const int32_t *converters, *fork_figures; // [..][FIGURES], FIFOs behind them included
    const i64 *stream_fifo;   // [bits][lanes][RESOURCES], the FIFO behind every layer
    const i64 *deep_fifo;     // [bits][lanes][CLASSES][RESOURCES]
    const i64 *fifo_blocks;   // [bits][lanes][SHAPES] block RAMs side by side in each aspect ratio
    const i64 *splits;        // [layers after][FIGURES]
    const i64 *weights_read;  // [FIGURES]
    const i64 *bram_depths;   // [SHAPES] depth of each aspect ratio, log2
    const int32_t *sliced;    // [row] its record of streamed weights, 0: none
    const Slices *streams;    // [record]
    const i64 *gather_cost;   // [record][tile][RESOURCES] of what puts slices together, by the place of the layer's tile
    const i64 *chain;         // [position] the position behind it that sees its slices, -1: none

    i64 variant_of(i64 position, i64 row) const { return variant[position * tables + row_table[row]]; }
};
