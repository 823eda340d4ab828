// Evaluates a population of designs: what flow/explore/connectors.py, pipelines.py and reloading.py say, a design at a
// time. Every figure of a module comes from tables that flow/explore/compiled.py fills from the data sheets.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

typedef int64_t i64;

namespace {

const int RESOURCES = 5, FIGURES = 9, CLASSES = 4, SHAPES = 6, POINTS = 6;
enum { INTERVAL, FILL, DRAIN, DEPTH, COST };  // a record of a module's figures

// A folding of a layer, one cache line. given_in, given_out: index of the lanes among all lanes.
struct Row {
    i64 interval, fill, drain;
    int32_t cost[RESOURCES], payload;
    uint16_t passes, lanes_in, lanes_out, given_in, given_out, table, depth;
};

struct Space {
    i64 positions, edges, tensors, inputs, tables, lanes;
    i64 stream_depth, register_depth, shift_depth, block_depth, margin_pixels, bram18, ports, batch, ahead, port_latency, weights_ready;
    double word_cycles;       // of the memory's time that a port word takes
    const Row *rows;
    const i64 *wait;          // [row] cycles that a frame of one pixel takes
    const double *trips;      // [row][3][POINTS]: read, write, need
    const i64 *variant;       // [position][table]: which of the position's numbers of passes a row stands for
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
    const i64 *inputs_at, *input_edges; // CSR by position
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
};

// When the words at a stream's points can be read, and its header's last word (timing.py).
struct Arrival {
    double words[POINTS];
    double header;
};
struct Flow { double lag, lead; i64 wait; };

Flow longest(const Flow &a, const Flow &b) {
    return Flow{std::max(a.lag, b.lag), std::max(a.lead, b.lead), std::max(a.wait, b.wait)};
}

i64 up(i64 a, i64 b) { return i64(uint32_t(a + b - 1) / uint32_t(b)); }  // of numbers below 2^31
i64 up_to(i64 a, i64 power) { return (a + power - 1) & ~(power - 1); }   // multiple of a power of two

// Sums with this number drop everything behind the point, to the nearest even: what rint does, without a call.
const double POINT = 6755399441055744.0;
double nearest(double value) { return (value + POINT) - POINT; }
double rounded(double value, double scale) { return nearest(value * scale) / scale; }
i64 floored(double value) { const i64 whole = i64(value); return whole - (double(whole) > value); }
i64 ceiled(double value) { const i64 whole = i64(value); return whole + (double(whole) < value); }

void rising(double (&values)[POINTS]) {
    for (int j = 1; j < POINTS; ++j) values[j] = std::max(values[j], values[j - 1]);
}

Arrival joined(const Arrival &a, const Arrival &b, i64 header) {
    Arrival both;
    for (int j = 0; j < POINTS; ++j) both.words[j] = std::max(a.words[j], b.words[j]);
    both.header = std::max(a.header + double(header), b.header);
    return both;
}

Arrival evenly(const Arrival &came, const double *inputs, i64 interval, i64 fill, i64 drain, i64 delay, i64 header) {
    const double ready = came.header + double(header);
    double trips[POINTS];
    Arrival out;
    for (int j = 0; j < POINTS; ++j) {
        trips[j] = inputs[j] * double(interval);
        out.words[j] = came.words[j] - trips[j];
    }
    out.words[POINTS - 1] += double(drain + 1);
    rising(out.words);
    for (int j = 0; j < POINTS; ++j)
        out.words[j] = std::max(out.words[j], ready + 1.0) + trips[j] + double(fill + delay);
    out.words[POINTS - 1] -= double(fill + 1);
    out.header = ready + double(delay);
    return out;
}

Arrival evenly(const Arrival &came, const double *inputs, const int32_t *figures, i64 header) {
    return evenly(came, inputs, figures[INTERVAL], figures[FILL], figures[DRAIN], figures[DEPTH] + 1, header);
}

struct Tap { bool crossing, owns, direct, forks_module; i64 forks; };

struct Design {
    const Space &s;
    const i64 *rows;
    std::vector<i64> part, variant, order;
    std::vector<Tap> taps;
    std::vector<char> leaves, allowed;
    std::vector<i64> written_forks, first_edge, masters, layers, change, read, written, homes;
    std::vector<Arrival> arrivals;
    std::vector<Flow> flows;
    std::vector<double> cost, first, last;
    std::vector<i64> started, read_total, asked, traffic, before;
    // Results, [partition] and [partition][RESOURCES].
    i64 *passes, *interval, *latency, *resources, *first_words, *later_words, *live, *spare, *words;
    i64 count, illegal, products;

    explicit Design(const Space &space)
        : s(space), part(s.positions), variant(s.positions), taps(s.edges), leaves(s.positions), allowed(s.positions),
          written_forks(s.positions), first_edge(s.positions),
          masters(s.positions), layers(s.positions), change(s.positions + 1), read(s.positions), written(s.positions), homes(s.edges), arrivals(s.tensors),
          flows(s.tensors), cost(s.positions), first(s.edges), last(s.edges), started(s.positions),
          read_total(s.positions), asked(s.positions), traffic(s.positions), before(s.edges) {}

    const Row &info(i64 p) const { return s.rows[rows[p]]; }
    i64 variant_of(i64 t) const { return s.first_variant[t] + (s.producer[t] < 0 ? 0 : variant[s.producer[t]]); }

    void run(const uint8_t *cuts) {
        i64 number = 0;
        for (i64 p = 0; p < s.positions; ++p) {
            if (p && cuts[p]) ++number;
            part[p] = number;
            variant[p] = s.variant[p * s.tables + info(p).table];
        }
        count = number + 1;
        std::fill(masters.begin(), masters.begin() + count, 0);
        std::fill(layers.begin(), layers.begin() + count, 0);
        std::fill(read_total.begin(), read_total.begin() + count, 0);
        std::fill(asked.begin(), asked.begin() + count, 0);
        std::fill(started.begin(), started.begin() + count, INT64_MAX);
        std::fill(read.begin(), read.begin() + count, 0);
        std::fill(written.begin(), written.begin() + count, 0);
        std::fill(change.begin(), change.begin() + count + 1, 0);
        for (i64 t = 0; t < s.tensors; ++t) tap(t);
        for (i64 p = 0; p < s.positions; ++p) layer(p);
        for (i64 e = 0; e < s.edges; ++e) link(e);
        weights_chain();
        for (i64 t = 0; t < s.tensors; ++t) store(t);
        for (i64 n = 0, bytes = 0; n < count; ++n) {
            bytes += change[n];
            live[n] = bytes;
            const i64 saved = std::min(read[n], written[n]);
            if (passes[n] == 1 && saved * s.batch > read[n]) {
                live[n] -= saved;
                spare[n] = read[n];
            }
            cost[n] = std::max(s.word_cycles, masters[n] > s.ports ? 1.0 / double(s.ports) : 0.0);
            traffic[n] = ceiled(rounded(double(words[n]) * cost[n], 1e6));
            interval[n] = std::max(interval[n], traffic[n]);
        }
        for (i64 e = 0; e < s.edges; ++e) port(e);
        for (i64 p = 0; p < s.positions; ++p)
            if (leaves[p]) interval[part[p]] = std::max(interval[part[p]], write_interval(p));
        for (i64 p = 0; p < s.positions; ++p) walk(p);
        for (i64 n = 0; n < count; ++n)
            if (latency[n] > 0) latency[n] = std::max(latency[n] + 1 - started[n], traffic[n]);
        illegal = misplaced();
        products = 0;
        for (i64 p = 0; p < s.positions; ++p) products += passes[part[p]] / info(p).passes * s.bit_products[p];
    }

    template <class number> void charge(i64 n, const number *record) {
        interval[n] = std::max(interval[n], i64(record[INTERVAL]));
        for (int r = 0; r < RESOURCES; ++r) resources[n * RESOURCES + r] += record[COST + r];
    }
    template <class number> void add(i64 n, const number *cost) {
        for (int r = 0; r < RESOURCES; ++r) resources[n * RESOURCES + r] += cost[r];
    }

    // Who reads a tensor from where (taps.py).
    void tap(i64 t) {
        const i64 begin = s.readers_at[t], end = s.readers_at[t + 1], producer = s.producer[t];
        bool all = true, any = false;
        for (i64 k = begin; k < end; ++k) {
            const i64 home = part[s.edge_reader[s.readers[k]]];
            homes[k] = home;
            const bool inside = producer >= 0 && home == part[producer];
            all = all && inside;
            any = any || inside;
        }
        bool leaving = false;
        if (producer >= 0) {
            leaving = !all || s.is_output[t];
            leaves[producer] = leaving;
            written_forks[producer] = leaving && any;
            first_edge[producer] = begin < end ? s.readers[begin] : 0;
        }
        for (i64 k = begin; k < end; ++k) {
            const bool inside = producer >= 0 && homes[k] == part[producer];
            i64 before = leaving && inside, mates = before;
            for (i64 other = begin; other < end; ++other)
                if (homes[other] == homes[k]) {
                    ++mates;
                    before += other < k;
                }
            Tap &tap = taps[s.readers[k]];
            tap.crossing = !inside;
            tap.owns = !inside && before == 0;
            tap.direct = !inside && mates == 1;
            tap.forks = std::min(before + 1, mates - 1);
            tap.forks_module = before > 0;
        }
    }

    // A layer, the FIFO behind it, and how it is written.
    void layer(i64 p) {
        const i64 n = part[p], t = s.inputs + p;
        const Row &row = info(p);
        interval[n] = std::max(interval[n], row.interval);
        add(n, row.cost);
        add(n, s.stream_fifo + (s.bits[t] * s.lanes + row.given_out) * RESOURCES);
        passes[n] = std::max(passes[n], i64(row.passes));
        if (s.weighted[p]) ++layers[n];
        first_words[n] += row.payload;
        if (s.weighted[p] && row.passes > 1) later_words[n] += row.payload;
        if (!leaves[p]) return;
        const i64 v = variant_of(t);
        if (row.lanes_out != s.port_given[t]) charge(n, write_converter(p));
        charge(n, s.writes + v * FIGURES);
        words[n] += s.written[v];
        ++masters[n];
    }

    const int32_t *write_converter(i64 p) const {
        const i64 t = s.inputs + p;
        return s.converters + (s.write_converters[variant_of(t)] + s.tensor_lanes[t * s.lanes + info(p).given_out]) * FIGURES;
    }

    i64 source(i64 e) const {  // place of the lanes that an edge's tensor comes with
        const i64 t = s.edge_tensor[e];
        if (taps[e].crossing) return s.port_lanes[t];
        return s.tensor_lanes[t * s.lanes + info(s.producer[t]).given_out];
    }
    i64 source_lanes(i64 e) const {
        const i64 t = s.edge_tensor[e];
        return taps[e].crossing ? s.port_given[t] : info(s.producer[t]).lanes_out;
    }
    const int32_t *fork(i64 e) const { return s.fork_figures + (s.forks[s.edge_tensor[e]] + source(e)) * FIGURES; }
    bool converts(i64 e) const { return source_lanes(e) != info(s.edge_reader[e]).lanes_in; }
    const int32_t *converter(i64 e) const {
        const i64 t = s.edge_tensor[e];
        const i64 which = taps[e].crossing || s.producer[t] < 0 ? 0 : variant[s.producer[t]];
        const i64 wanted = s.edge_lanes[e * s.lanes + info(s.edge_reader[e]).given_in];
        return s.converters + (s.edge_converters[e] + (which * s.edge_sources[e] + source(e)) * s.edge_wanted[e] + wanted) * FIGURES;
    }

    // What stands in front of a reader.
    void link(i64 e) {
        const i64 n = part[s.edge_reader[e]], t = s.edge_tensor[e];
        if (taps[e].forks_module) charge(n, fork(e));
        if (converts(e)) charge(n, converter(e));
        if (taps[e].owns) {
            charge(n, s.reads + variant_of(t) * FIGURES);
            words[n] += s.read_words[t];
            read_total[n] += s.read_words[t];
            ++masters[n];
        }
    }

    void weights_chain() {
        i64 n = -1, after = 0;
        for (i64 p = 0; p < s.positions; ++p) {
            if (part[p] != n) {
                n = part[p];
                after = layers[n];
                first_words[n] += layers[n];
                later_words[n] = passes[n] > 1 ? later_words[n] + layers[n] : 0;
            }
            if (!s.weighted[p]) continue;
            --after;
            charge(n, after > 0 ? s.splits + after * FIGURES : s.weights_read);
        }
    }

    void store(i64 t) {
        const i64 producer = s.producer[t];
        if (producer >= 0 && !leaves[producer]) return;
        const i64 first = producer >= 0 ? part[producer] : 0;
        i64 last = first;
        if (s.readers_at[t] < s.readers_at[t + 1]) {
            last = 0;
            for (i64 k = s.readers_at[t]; k < s.readers_at[t + 1]; ++k) last = std::max(last, homes[k]);
        }
        if (s.is_output[t]) last = count - 1;
        const i64 size = s.live[variant_of(t)];
        change[first] += size;
        change[last + 1] -= size;
        if (producer >= 0) written[first] = std::max(written[first], size);
        if (!s.is_output[t]) read[last] = std::max(read[last], size);
    }

    // The memory ports (memory.py, latency.py).
    // The first frame at an edge's reader, and what the port takes from frame to frame.
    void port(i64 e) {
        const i64 n = part[s.edge_reader[e]], t = s.edge_tensor[e], v = variant_of(t);
        const i64 frame = s.reads[v * FIGURES + INTERVAL], burst = s.read_burst[v];
        if (taps[e].owns) {
            before[e] = asked[n];
            asked[n] += std::min(frame, s.ahead);
        } else if (e != s.readers[s.readers_at[t]]) {
            i64 k = s.readers_at[t];
            while (s.readers[k + 1] != e) ++k;
            before[e] = before[s.readers[k]];
        } else {
            before[e] = asked[n];
        }
        if (!taps[e].crossing) return;
        const double late = std::max(cost[n] - 1.0, 0.0) * double(std::min(frame, burst));
        first[e] = double(ceiled(rounded(double(before[e]) * cost[n] + late, 1e6)));
        const i64 all = read_total[n] + std::max(words[n] - read_total[n] - s.ahead, i64(0));
        const double shared = double(floored(rounded(double(all) * cost[n], 1e6)));
        last[e] = std::max(first[e] + double(s.read_cycles[v]), shared) - 1.0;
        if (!taps[e].owns) return;
        started[n] = std::min(started[n], s.header[t] + s.port_latency + 1 + i64(first[e]));
        const i64 moved = ceiled(rounded(double(frame) * cost[n], 1e6));
        interval[n] = std::max(interval[n], std::max(s.read_cycles[v], moved) + s.port_latency);
    }

    i64 write_interval(i64 p) const {
        const i64 v = variant_of(s.inputs + p), rest = s.write_rest[v];
        const i64 answer = std::max(rest, ceiled(rounded(double(rest) * cost[part[p]], 1e6)));
        return s.write_cycles[v] + s.writes[v * FIGURES + DEPTH] + answer + s.port_latency;
    }

    // When frames pass, and how deep FIFOs are (pipelines.py).
    Arrival arrival(i64 e) const {
        const i64 t = s.edge_tensor[e];
        const double *points = s.points + t * POINTS;
        Arrival came;
        if (taps[e].crossing) {
            const i64 begin = s.header[t] + s.port_latency + 1, delay = s.reads[variant_of(t) * FIGURES + DEPTH] + 1;
            const double from = double(begin) + first[e], to = double(begin) + last[e];
            for (int j = 0; j < POINTS; ++j) came.words[j] = points[j] * (to - from) + (from + double(delay));
            came.header = double(s.header[t] + delay);
        } else {
            came = arrivals[t];
        }
        return connected(forked(came, e, taps[e].forks), t, converts(e) ? converter(e) : nullptr);
    }

    Arrival forked(Arrival came, i64 e, i64 times) const {
        if (!times) return came;
        const double delay = double(times * (fork(e)[DEPTH] + 1));
        for (int j = 0; j < POINTS; ++j) came.words[j] += delay;
        came.header = came.header + delay + double(times * 2 * s.header[s.edge_tensor[e]]);
        return came;
    }

    Arrival connected(const Arrival &came, i64 t, const int32_t *converter) const {
        return converter ? evenly(came, s.points + t * POINTS, converter, s.header[t]) : came;
    }

    // What comes out of a layer.
    Arrival passed(const Arrival &came, i64 p) const {
        const double *read = s.trips + rows[p] * 3 * POINTS, *write = read + POINTS, *need = write + POINTS;
        const double delay = double(info(p).depth + 1), ready = came.header + double(s.header_out[p]);
        double ahead[POINTS];
        for (int j = 0; j < POINTS; ++j) ahead[j] = came.words[j] - read[j];
        rising(ahead);
        const double start = std::max(ready, s.weighted[p] ? double(s.weights_ready) : 0.0) + 1.0;
        for (int j = 0; j < POINTS; ++j) ahead[j] = std::max(ahead[j], start);
        Arrival out;
        out.header = ready + delay;
        if (s.even[p]) {
            for (int j = 0; j < POINTS; ++j) out.words[j] = ahead[j] + write[j] + delay;
            return out;
        }
        const i64 *low = s.low + p * POINTS;
        const double row = came.words[POINTS - 1] - came.words[POINTS - 2];
        double held[POINTS];
        for (int i = 0; i < POINTS; ++i) {
            const double nearest = came.words[low[i]], next = came.words[std::min(low[i] + 1, i64(POINTS - 1))];
            const double needed = nearest + (next - nearest) * s.between[p * POINTS + i] + row * s.inside[p * POINTS + i];
            held[i] = std::max(ahead[low[i]], needed - need[i]);
        }
        rising(held);
        for (int i = 0; i < POINTS; ++i) out.words[i] = held[i] + write[i] + delay;
        return out;
    }

    void walk(i64 p) {
        const i64 begin = s.inputs_at[p], end = s.inputs_at[p + 1], t = s.inputs + p;
        Arrival came;
        Flow flow{0.0, 0.0, 0};
        if (s.is_concat[p]) {
            concat(p, came, flow);
            arrivals[t] = came;
        } else {
            for (i64 k = begin; k < end; ++k) {
                const i64 e = s.input_edges[k];
                const Arrival in = arrival(e);
                const Flow behind = flow_of(e);
                came = k == begin ? in : joined(came, in, s.header_in[p]);
                flow = k == begin ? behind : longest(flow, behind);
            }
            if (end - begin > 1)
                for (i64 k = begin; k < end; ++k) hold(p, s.input_edges[k], flow);
            else if (s.window[p])
                windowed(p, s.input_edges[begin]);
            arrivals[t] = passed(came, p);
            flow = Flow{flow.lag + s.needed[p], flow.lead + s.lead[p], flow.wait + s.wait[rows[p]]};
        }
        flows[t] = flow;
        if (leaves[p]) latency[part[p]] = std::max(latency[part[p]], departure(p));
    }

    Flow flow_of(i64 e) const {
        return taps[e].crossing ? Flow{0.0, 0.0, 0} : flows[s.edge_tensor[e]];
    }

    i64 departure(i64 p) const {
        const i64 t = s.inputs + p, v = variant_of(t);
        const Arrival came = forked(arrivals[t], first_edge[p], written_forks[p]);
        const bool converts = info(p).lanes_out != s.port_given[t];
        const Arrival there = connected(came, t, converts ? write_converter(p) : nullptr);
        const i64 *write = s.writes + v * FIGURES;
        return ceiled(evenly(there, s.points + t * POINTS, s.write_cycles[v], 0, 0, write[DEPTH], 0).words[POINTS - 1]);
    }

    void concat(i64 p, Arrival &left, Flow &flow) {
        const i64 begin = s.inputs_at[p], lanes = info(p).lanes_in;
        const i64 wanted = s.edge_wanted[s.input_edges[begin]];
        const i64 place = s.edge_lanes[s.input_edges[begin] * s.lanes + info(p).given_in];
        left = arrival(s.input_edges[begin]);
        flow = flow_of(s.input_edges[begin]);
        for (i64 k = s.stages_at[p], stage = 1; k < s.stages_at[p + 1]; ++k, ++stage) {
            const i64 e = s.input_edges[begin + stage];
            const Arrival in = arrival(e);
            const Flow behind = flow_of(e);
            const Flow latest = longest(flow, behind);
            if (stage == 1) {
                hold(p, s.input_edges[begin], latest);
            } else {
                const i64 pixels = s.pixels[s.inputs + p];
                const i64 deep = join_words(flow, latest, pixels, up(s.stage_channels[k], lanes));
                deepen(part[p], s.stage_bits[p], info(p).given_in, deep, false);
            }
            hold(p, e, latest);
            const i64 *pace = s.stage_paces + (s.stage_figures[p] + (stage - 1) * wanted + place) * 4;
            const Arrival both = joined(left, in, s.stage_headers[2 * k]);
            left = evenly(both, s.points + (s.inputs + p) * POINTS, pace[INTERVAL], pace[FILL], pace[DRAIN],
                          pace[DEPTH] + 1, s.stage_headers[2 * k + 1]);
            flow = latest;
        }
    }

    i64 join_words(const Flow &flow, const Flow &latest, i64 pixels, i64 pixel_words) const {
        const double behind = latest.lag - flow.lag + flow.lead;
        i64 held = ceiled(rounded(behind * double(pixels), 1e6)) + s.margin_pixels;
        if (behind < 1.0) held = std::min(held, pixels);
        return std::max(held * pixel_words + latest.wait - flow.wait, s.stream_depth);
    }

    void hold(i64 p, i64 e, const Flow &latest) {
        const i64 t = s.edge_tensor[e], words = up(s.channels[t], info(p).lanes_in);
        const i64 deep = taps[e].direct ? s.stream_depth : join_words(flow_of(e), latest, s.pixels[t], words);
        deepen(part[p], s.bits[t], info(p).given_in, deep, true);
    }

    void windowed(i64 p, i64 e) {
        const i64 t = s.edge_tensor[e];
        if (taps[e].direct) return;
        const i64 channels = taps[e].crossing || s.producer[t] < 0 ? s.channels[t] : s.share[variant_of(t)];
        const i64 deep = std::min(s.window[p], s.pixels[t]) * up(channels, info(p).lanes_in);
        deepen(part[p], s.bits[t], info(p).given_in, std::max(deep, s.stream_depth), true);
    }

    // A FIFO of `deep` words in place of the one that every stream has.
    void deepen(i64 n, i64 bits, i64 given, i64 deep, bool charged) {
        const i64 *classes = s.deep_fifo + (bits * s.lanes + given) * CLASSES * RESOURCES;
        const i64 shift = deep <= s.register_depth ? s.register_depth : up_to(deep, 32);
        const i64 depth = deep <= s.shift_depth ? shift : up_to(deep, s.block_depth);
        const int kind = depth <= s.register_depth ? 0 : depth <= 32 ? 1 : depth <= s.shift_depth ? 2 : 3;
        i64 *total = resources + n * RESOURCES;
        for (int r = 0; r < RESOURCES; ++r) total[r] += classes[kind * RESOURCES + r];
        if (kind == 3) total[s.bram18] += blocks(depth, s.fifo_blocks + (bits * s.lanes + given) * SHAPES);
        if (charged)
            for (int r = 0; r < RESOURCES; ++r) total[r] -= classes[1 * RESOURCES + r];
    }

    // In the aspect ratio that needs the fewest; `across`: blocks side by side in each.
    i64 blocks(i64 depth, const i64 *across) const {
        i64 least = INT64_MAX;
        for (int k = 0; k < SHAPES; ++k)
            least = std::min(least, (up_to(depth, i64(1) << s.bram_depths[k]) >> s.bram_depths[k]) * across[k]);
        return least;
    }

    // Rows that stand for passes where there can be none (reloading.py).
    i64 misplaced() {
        i64 wrong = 0;
        bool any = false;
        for (i64 p = 0; p < s.positions; ++p) any = any || info(p).passes > 1;
        if (!any) return 0;
        std::fill(allowed.begin(), allowed.end(), 0);
        const auto last = [&](i64 p) { return p + 1 == s.positions || part[p + 1] != part[p]; };
        for (i64 p = 0; p < s.positions; ++p) wrong += leaves[p] && passes[part[p]] > 1 && !last(p);
        for (i64 p = 0; p < s.positions; ++p) {
            if (!s.weighted[p]) continue;
            const bool reloaded = info(p).passes > 1;
            i64 ends = p;
            for (i64 k = s.tails_at[p] - 1; k < s.tails_at[p + 1]; ++k) {
                const i64 q = k < s.tails_at[p] ? p : s.tails[k];
                const bool here = part[q] == part[p], same = info(q).passes == info(p).passes;
                if (here) ends = std::max(ends, q);
                if (reloaded && here && same) allowed[q] = 1;
                wrong += reloaded && here && !same;
            }
            wrong += reloaded && !last(ends);
        }
        for (i64 p = 0; p < s.positions; ++p) wrong += info(p).passes > 1 && !allowed[p];
        return wrong;
    }
};

}  // namespace

// `cuts` [designs][positions] bytes, `rows` [designs][positions]; results are zeroed by the caller, [designs][most][…].
extern "C" void convmake_evaluate(
    const Space *space, i64 designs, i64 most, const uint8_t *cuts, const i64 *rows, i64 *count, i64 *illegal, i64 *passes,
    i64 *interval, i64 *latency, i64 *resources, i64 *first_words, i64 *later_words, i64 *live, i64 *spare, i64 *words, i64 *products) {
    Design design(*space);
    for (i64 d = 0; d < designs; ++d) {
        const i64 at = d * most;
        design.rows = rows + d * space->positions;
        design.passes = passes + at;
        design.interval = interval + at;
        design.latency = latency + at;
        design.resources = resources + at * RESOURCES;
        design.first_words = first_words + at;
        design.later_words = later_words + at;
        design.live = live + at;
        design.spare = spare + at;
        design.words = words + at;
        design.run(cuts + d * space->positions);
        count[d] = design.count;
        illegal[d] = design.illegal;
        products[d] = design.products;
    }
}
