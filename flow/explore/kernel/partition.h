// A partition's figures: what connectors.py, pipelines.py and reloading.py say, one partition at a time.
#pragma once
#include <algorithm>
#include <vector>

#include "plan.h"
#include "space.h"
#include "timing.h"

// What the modules of a partition add up to; population.py says what each is.
struct Sums {
    i64 passes, interval, latency, last, resources[RESOURCES], first_words, later_words, words, products, illegal;
};

// Arrays are as long as the whole design's; those of a partition's own positions and edges are filled.
class Partition {
    const Space &s;
    const Plan *plan;
    const int32_t *rows;
    Sums sums;
    std::vector<i64> variant, before;
    std::vector<char> allowed;
    std::vector<Arrival> arrivals;
    std::vector<Flow> flows;
    std::vector<double> first, last;
    i64 layers, masters, read_total, asked, started;
    double cost;  // of a port word, cycles of the memory's time

public:
    explicit Partition(const Space &space)
        : s(space), variant(s.positions), before(s.edges), allowed(s.positions), arrivals(s.tensors), flows(s.tensors),
          first(s.edges), last(s.edges) {}

    // `design`: rows of all its positions.
    const Sums &run(const Plan &range, const int32_t *design) {
        plan = &range;
        rows = design;
        sums = Sums();
        layers = masters = read_total = asked = 0;
        started = INT64_MAX;
        for (const i64 p : plan->outside) variant[p] = s.variant_of(p, rows[p]);
        for (i64 p = plan->begin; p < plan->end; ++p) variant[p] = s.variant_of(p, rows[p]);
        for (i64 p = plan->begin; p < plan->end; ++p) layer(p);
        for (i64 e = plan->first_edge; e < plan->last_edge; ++e) link(e);
        weights_chain();
        cost = std::max(s.word_cycles, masters > s.ports ? 1.0 / double(s.ports) : 0.0);
        const i64 traffic = ceiled(rounded(double(sums.words) * cost, 1e6));
        sums.interval = std::max(sums.interval, traffic);
        for (i64 e = plan->first_edge; e < plan->last_edge; ++e) port(e);
        for (const i64 p : plan->leaving) sums.interval = std::max(sums.interval, write_interval(p));
        for (i64 p = plan->begin; p < plan->end; ++p) walk(p);
        if (sums.latency > 0) sums.latency += 1 - started, sums.last = std::max(sums.latency, traffic);
        sums.illegal = misplaced();
        for (i64 p = plan->begin; p < plan->end; ++p) sums.products += sums.passes / info(p).passes * s.bit_products[p];
        return sums;
    }

private:
    const Row &info(i64 p) const { return s.rows[rows[p]]; }
    const Tap &tap(i64 e) const { return plan->taps[e - plan->first_edge]; }
    bool leaves(i64 p) const { return plan->leaves[p - plan->begin]; }
    i64 variant_of(i64 t) const { return s.first_variant[t] + (s.producer[t] < 0 ? 0 : variant[s.producer[t]]); }

    template <class number> void charge(const number *record) {
        sums.interval = std::max(sums.interval, i64(record[INTERVAL]));
        add(record + COST);
    }
    template <class number> void add(const number *cost) {
        for (int r = 0; r < RESOURCES; ++r) sums.resources[r] += cost[r];
    }

    // A layer, the FIFO behind it, and how it is written.
    void layer(i64 p) {
        const i64 t = s.inputs + p;
        const Row &row = info(p);
        sums.interval = std::max(sums.interval, row.interval);
        add(row.cost);
        add(s.stream_fifo + (s.bits[t] * s.lanes + row.given_out) * RESOURCES);
        sums.passes = std::max(sums.passes, i64(row.passes));
        layers += s.weighted[p];
        sums.first_words += row.payload;
        if (s.weighted[p] && row.passes > 1) sums.later_words += row.payload;
        if (!leaves(p)) return;
        const i64 v = variant_of(t);
        if (row.lanes_out != s.port_given[t]) charge(write_converter(p));
        charge(s.writes + v * FIGURES);
        sums.words += s.written[v];
        ++masters;
    }

    const int32_t *write_converter(i64 p) const {
        const i64 t = s.inputs + p;
        return s.converters + (s.write_converters[variant_of(t)] + s.tensor_lanes[t * s.lanes + info(p).given_out]) * FIGURES;
    }

    i64 source(i64 e) const {  // place of the lanes that an edge's tensor comes with
        const i64 t = s.edge_tensor[e];
        if (tap(e).crossing) return s.port_lanes[t];
        return s.tensor_lanes[t * s.lanes + info(s.producer[t]).given_out];
    }
    i64 source_lanes(i64 e) const {
        const i64 t = s.edge_tensor[e];
        return tap(e).crossing ? s.port_given[t] : info(s.producer[t]).lanes_out;
    }
    const int32_t *fork(i64 e) const { return s.fork_figures + (s.forks[s.edge_tensor[e]] + source(e)) * FIGURES; }
    bool converts(i64 e) const { return source_lanes(e) != info(s.edge_reader[e]).lanes_in; }
    const int32_t *converter(i64 e) const {
        const i64 t = s.edge_tensor[e];
        const i64 which = tap(e).crossing || s.producer[t] < 0 ? 0 : variant[s.producer[t]];
        const i64 wanted = s.edge_lanes[e * s.lanes + info(s.edge_reader[e]).given_in];
        return s.converters + (s.edge_converters[e] + (which * s.edge_sources[e] + source(e)) * s.edge_wanted[e] + wanted) * FIGURES;
    }

    // What stands in front of a reader.
    void link(i64 e) {
        const i64 t = s.edge_tensor[e];
        if (tap(e).forks_module) charge(fork(e));
        if (converts(e)) charge(converter(e));
        if (tap(e).owns) {
            charge(s.reads + variant_of(t) * FIGURES);
            sums.words += s.read_words[t];
            read_total += s.read_words[t];
            ++masters;
        }
    }

    void weights_chain() {
        sums.first_words += layers;
        sums.later_words = sums.passes > 1 ? sums.later_words + layers : 0;
        for (i64 after = layers - 1; after > 0; --after) charge(s.splits + after * FIGURES);
        if (layers) charge(s.weights_read);
    }

    // The memory ports (memory.py, latency.py).
    // The first frame at an edge's reader, and what the port takes from frame to frame.
    void port(i64 e) {
        const i64 t = s.edge_tensor[e], v = variant_of(t);
        const i64 frame = s.reads[v * FIGURES + INTERVAL], burst = s.read_burst[v];
        if (tap(e).owns) {
            before[e] = asked;
            asked += std::min(frame, s.ahead);
        } else if (e != s.readers[s.readers_at[t]]) {
            i64 k = s.readers_at[t];
            while (s.readers[k + 1] != e) ++k;
            before[e] = before[s.readers[k]];
        } else {
            before[e] = asked;
        }
        if (!tap(e).crossing) return;
        const double late = std::max(cost - 1.0, 0.0) * double(std::min(frame, burst));
        first[e] = double(ceiled(rounded(double(before[e]) * cost + late, 1e6)));
        const i64 all = read_total + std::max(sums.words - read_total - s.ahead, i64(0));
        const double shared = double(floored(rounded(double(all) * cost, 1e6)));
        last[e] = std::max(first[e] + double(s.read_cycles[v]), shared) - 1.0;
        if (!tap(e).owns) return;
        started = std::min(started, s.header[t] + s.port_latency + 1 + i64(first[e]));
        const i64 moved = ceiled(rounded(double(frame) * cost, 1e6));
        sums.interval = std::max(sums.interval, std::max(s.read_cycles[v], moved) + s.port_latency);
    }

    i64 write_interval(i64 p) const {
        const i64 v = variant_of(s.inputs + p), rest = s.write_rest[v];
        const i64 answer = std::max(rest, ceiled(rounded(double(rest) * cost, 1e6)));
        return s.write_cycles[v] + s.writes[v * FIGURES + DEPTH] + answer + s.port_latency;
    }

    // When frames pass, and how deep FIFOs are (pipelines.py).
    Arrival arrival(i64 e) const {
        const i64 t = s.edge_tensor[e];
        const double *points = s.points + t * POINTS;
        Arrival came;
        if (tap(e).crossing) {
            const i64 begin = s.header[t] + s.port_latency + 1, delay = s.reads[variant_of(t) * FIGURES + DEPTH] + 1;
            const double from = double(begin) + first[e], to = double(begin) + last[e];
            for (int j = 0; j < POINTS; ++j) came.words[j] = points[j] * (to - from) + (from + double(delay));
            came.header = double(s.header[t] + delay);
        } else {
            came = arrivals[t];
        }
        return connected(forked(came, e, tap(e).forks), t, converts(e) ? converter(e) : nullptr);
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
            for (i64 e = begin; e < end; ++e) {
                const Arrival in = arrival(e);
                const Flow behind = flow_of(e);
                came = e == begin ? in : joined(came, in, s.header_in[p]);
                flow = e == begin ? behind : longest(flow, behind);
            }
            if (end - begin > 1)
                for (i64 e = begin; e < end; ++e) hold(p, e, flow);
            else if (s.window[p])
                windowed(p, begin);
            arrivals[t] = passed(came, p);
            flow = Flow{flow.lag + s.needed[p], flow.lead + s.lead[p], flow.wait + s.wait[rows[p]]};
        }
        flows[t] = flow;
        if (leaves(p)) sums.latency = std::max(sums.latency, departure(p));
    }

    Flow flow_of(i64 e) const {
        return tap(e).crossing ? Flow{0.0, 0.0, 0} : flows[s.edge_tensor[e]];
    }

    i64 departure(i64 p) const {
        const i64 t = s.inputs + p, v = variant_of(t);
        const Arrival came = forked(arrivals[t], s.readers[s.readers_at[t]], plan->written_forks[p - plan->begin]);
        const bool converts = info(p).lanes_out != s.port_given[t];
        const Arrival there = connected(came, t, converts ? write_converter(p) : nullptr);
        const i64 *write = s.writes + v * FIGURES;
        return ceiled(evenly(there, s.points + t * POINTS, s.write_cycles[v], 0, 0, write[DEPTH], 0).words[POINTS - 1]);
    }

    void concat(i64 p, Arrival &left, Flow &flow) {
        const i64 begin = s.inputs_at[p], lanes = info(p).lanes_in;
        const i64 wanted = s.edge_wanted[begin];
        const i64 place = s.edge_lanes[begin * s.lanes + info(p).given_in];
        left = arrival(begin);
        flow = flow_of(begin);
        for (i64 k = s.stages_at[p], stage = 1; k < s.stages_at[p + 1]; ++k, ++stage) {
            const i64 e = begin + stage;
            const Arrival in = arrival(e);
            const Flow behind = flow_of(e);
            const Flow latest = longest(flow, behind);
            if (stage == 1) {
                hold(p, begin, latest);
            } else {
                const i64 pixels = s.pixels[s.inputs + p];
                const i64 deep = join_words(flow, latest, pixels, up(s.stage_channels[k], lanes));
                deepen(s.stage_bits[p], info(p).given_in, deep, false);
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
        const i64 deep = tap(e).direct ? s.stream_depth : join_words(flow_of(e), latest, s.pixels[t], words);
        deepen(s.bits[t], info(p).given_in, deep, true);
    }

    void windowed(i64 p, i64 e) {
        const i64 t = s.edge_tensor[e];
        if (tap(e).direct) return;
        const i64 channels = tap(e).crossing || s.producer[t] < 0 ? s.channels[t] : s.share[variant_of(t)];
        const i64 deep = std::min(s.window[p], s.pixels[t]) * up(channels, info(p).lanes_in);
        deepen(s.bits[t], info(p).given_in, std::max(deep, s.stream_depth), true);
    }

    // A FIFO of `deep` words in place of the one that every stream has.
    void deepen(i64 bits, i64 given, i64 deep, bool charged) {
        const i64 *classes = s.deep_fifo + (bits * s.lanes + given) * CLASSES * RESOURCES;
        const i64 shift = deep <= s.register_depth ? s.register_depth : up_to(deep, 32);
        const i64 depth = deep <= s.shift_depth ? shift : up_to(deep, s.block_depth);
        const int kind = depth <= s.register_depth ? 0 : depth <= 32 ? 1 : depth <= s.shift_depth ? 2 : 3;
        i64 *total = sums.resources;
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
        const i64 begin = plan->begin, end = plan->end;
        if (sums.passes < 2) return 0;
        std::fill(allowed.begin() + begin, allowed.begin() + end, 0);
        i64 wrong = 0;
        for (i64 p = begin; p + 1 < end; ++p) wrong += leaves(p);
        for (i64 p = begin; p < end; ++p) {
            if (!s.weighted[p] || info(p).passes < 2) continue;
            i64 ends = p;
            for (i64 k = s.tails_at[p] - 1; k < s.tails_at[p + 1]; ++k) {
                const i64 q = k < s.tails_at[p] ? p : s.tails[k];
                if (!plan->holds(q)) continue;
                ends = std::max(ends, q);
                const bool same = info(q).passes == info(p).passes;
                if (same) allowed[q] = 1;
                wrong += !same;
            }
            wrong += ends + 1 != end;
        }
        for (i64 p = begin; p < end; ++p) wrong += info(p).passes > 1 && !allowed[p];
        return wrong;
    }
};
