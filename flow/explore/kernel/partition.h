// A partition's figures: what connectors.py, pipelines.py and reloading.py say, one partition at a time.
#pragma once
#include <algorithm>
#include <vector>

#include "plan.h"
#include "space.h"
#include "timing.h"

// What the modules of a partition add up to; population.py says what each is.
struct Sums {
    i64 passes, interval, latency, last, resources[RESOURCES], first_words, later_words, streamed, words, products, illegal;
};

// Arrays are as long as the whole design's; those of a partition's own positions and edges are filled.
const i64 TILES_BEHIND = 2;  // flow/model/fifos.py

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
    std::vector<Batch> batches;
    std::vector<i64> heads;
    bool tiled;    // whether weights are streamed
    double ended;  // of a batch
    i64 layers, masters, read_total, asked, started, traffic;
    double cost;  // of a port word, cycles of the memory's time

public:
    explicit Partition(const Space &space)
        : s(space), variant(s.positions), before(s.edges), allowed(s.positions), arrivals(s.tensors), flows(s.tensors),
          first(s.edges), last(s.edges), batches(s.tensors), heads(s.positions) {}

    // `design`: rows of all its positions.
    const Sums &run(const Plan &range, const int32_t *design) {
        plan = &range;
        rows = design;
        sums = Sums();
        layers = masters = read_total = asked = 0;
        tiled = false;
        ended = 0.0;
        started = INT64_MAX;
        for (const i64 p : plan->outside) variant[p] = s.variant_of(p, rows[p]);
        for (i64 p = plan->begin; p < plan->end; ++p) variant[p] = s.variant_of(p, rows[p]);
        for (i64 p = plan->begin; p < plan->end; ++p) layer(p);
        for (i64 e = plan->first_edge; e < plan->last_edge; ++e) link(e);
        weights_chain();
        cost = std::max(s.word_cycles, masters > s.ports ? 1.0 / double(s.ports) : 0.0);
        traffic = ceiled(rounded(double(sums.words) * cost, 1e6));
        sums.interval = std::max(sums.interval, traffic);
        for (i64 e = plan->first_edge; e < plan->last_edge; ++e) port(e);
        for (const i64 p : plan->leaving) sums.interval = std::max(sums.interval, write_interval(p));
        if (tiled)
            for (i64 p = plan->begin; p < plan->end; ++p) sums.interval = std::max(sums.interval, streamed_interval(p));
        for (i64 p = plan->begin; p < plan->end; ++p) walk(p);
        if (sums.latency > 0) sums.latency += 1 - started, sums.last = std::max(sums.latency, traffic);
        if (tiled) sums.last = std::max(ceiled(ended) + 1 - started - (s.batch - 1) * sums.interval, traffic);
        sums.illegal = misplaced() + broken_chains();
        for (i64 p = plan->begin; p < plan->end; ++p) sums.products += sums.passes / info(p).passes * s.bit_products[p];
        return sums;
    }

private:
    const Row &info(i64 p) const { return s.rows[rows[p]]; }
    const Tap &tap(i64 e) const { return plan->taps[e - plan->first_edge]; }
    bool leaves(i64 p) const { return plan->leaves[p - plan->begin]; }
    i64 variant_of(i64 t) const { return s.first_variant[t] + (s.producer[t] < 0 ? 0 : variant[s.producer[t]]); }

    // Streamed weights (connectors.py, pipelines.py).
    const Slices &slices_of(i64 p) const { return s.streams[s.sliced[rows[p]]]; }
    bool streams(i64 p) const { return s.weighted[p] && info(p).slices > 1; }
    bool inner(i64 e) const {
        const i64 p = s.producer[s.edge_tensor[e]];
        return !tap(e).crossing && info(p).slices > 1 && s.chain[p] == s.edge_reader[e];
    }
    bool gathers(i64 p) const { return info(p).slices > 1 && !(s.chain[p] >= 0 && plan->holds(s.chain[p])); }

    void streamed_layer(i64 p) {
        tiled = true;
        const i64 own = s.sliced[rows[p]], e = s.inputs_at[p];
        const Slices &slices = s.streams[own];
        heads[p] = s.weighted[p] ? own : inner(e) ? heads[s.producer[s.edge_tensor[e]]] : 0;
        if (s.weighted[p]) {
            sums.words += up(slices.all, slices.tile);
            ++masters;
            asked += std::min(slices.all, s.ahead);
            sums.streamed += slices.all;
        }
        if (!gathers(p)) return;
        add(s.gather_cost + (own * s.tiles + s.streams[heads[p]].place) * RESOURCES);
        sums.interval = std::max(sums.interval, slices.gather);
    }

    // The layer's port, and the layer with its chain as a whole.
    i64 streamed_interval(i64 p) const {
        if (!streams(p)) return 0;
        const Slices &slices = slices_of(p);
        const i64 moved = ceiled(rounded(double(slices.all) * cost, 1e6));
        const i64 port = up(std::max(slices.cycles, moved) + s.port_latency, slices.tile);
        i64 e = s.inputs_at[p], comes = 0, inside = 0, goes = 0;
        if (tap(e).direct) comes = std::max(read_interval(e), converts(e) ? i64(converter(e)[INTERVAL]) : 0);
        for (i64 q = p;;) {
            inside = std::max(inside, info(q).interval / slices.slices);
            if (gathers(q)) {
                goes = slices_of(q).given;
                if (leaves(q) && !plan->written_forks[q - plan->begin]) {
                    goes = std::max(goes, write_interval(q));
                    if (info(q).lanes_out != s.port_given[s.inputs + q]) goes = std::max(goes, i64(write_converter(q)[INTERVAL]));
                }
                break;
            }
            q = s.chain[q];
            e = s.inputs_at[q];
            if (!inner(e)) break;
            if (converts(e)) inside = std::max(inside, i64(converter(e)[INTERVAL]));
        }
        const i64 frame = (slices.slices - 2) * inside + std::max(inside, comes) + std::max(inside, goes);
        return std::max(port, frame);
    }

    i64 broken_chains() const {
        i64 wrong = 0;
        if (!tiled) return wrong;
        for (i64 p = plan->begin; p < plan->end; ++p) {
            const i64 e = s.inputs_at[p];
            bool fed = false;
            for (i64 k = e; k < s.inputs_at[p + 1]; ++k)
                if (inner(k)) {
                    fed = true;
                    wrong += info(s.producer[s.edge_tensor[k]]).slices != info(p).slices;
                }
            wrong += info(p).slices > 1 && !s.weighted[p] && !fed;
        }
        return wrong;
    }

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
        layers += s.weighted[p] && row.slices < 2;
        if (row.slices > 1) streamed_layer(p);
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
        const bool whole = tap(e).crossing || s.producer[t] < 0 || (info(s.producer[t]).slices > 1 && !inner(e));
        const i64 which = whole ? 0 : variant[s.producer[t]];
        const i64 wanted = s.edge_lanes[e * s.lanes + info(s.edge_reader[e]).given_in];
        return s.converters + (s.edge_converters[e] + (which * s.edge_sources[e] + source(e)) * s.edge_wanted[e] + wanted) * FIGURES;
    }

    // What stands in front of a reader.
    void link(i64 e) {
        const i64 t = s.edge_tensor[e];
        if (tap(e).forks_module) charge(fork(e));
        if (converts(e)) {
            charge(converter(e));
            if (inner(e)) sums.interval = std::max(sums.interval, i64(info(s.producer[t]).slices) * converter(e)[INTERVAL]);
        }
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
        sums.interval = std::max(sums.interval, read_interval(e));
    }

    i64 read_interval(i64 e) const {
        const i64 v = variant_of(s.edge_tensor[e]);
        const i64 moved = ceiled(rounded(double(s.reads[v * FIGURES + INTERVAL]) * cost, 1e6));
        return std::max(s.read_cycles[v], moved) + s.port_latency;
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

    // What comes out of a layer; of a streamed one the last slice, at a chain's end all slices together.
    Arrival sliced(Arrival came, i64 p) const {
        const Slices &slices = slices_of(p);
        if (streams(p)) {
            const double delay = double(slices.replay + 1);
            for (int j = 0; j < POINTS; ++j) came.words[j] += delay;
            came.header = came.header + delay + double(s.header_in[p]);
        }
        Arrival out = passed(came, p);
        if (streams(p)) {
            const i64 others = (slices.slices - 1) * slice_trips(1, slices.tile, slices.steps, slices.words);
            for (int j = 0; j < POINTS; ++j) out.words[j] += double(others);
        }
        if (!gathers(p)) return out;
        const i64 t = s.inputs + p, fill = (slices.slices - 1) * (slices.given / (slices.slices * s.pixels[t]));
        return evenly(out, s.points + t * POINTS, slices.given, fill, 0, slices.depth + 1, s.header_out[p] - s.weighted[p]);
    }

    Batch behind(i64 p, Batch came) const {
        const i64 interval = info(p).interval;
        if (info(p).slices < 2) return through(came, interval, interval, s.batch);
        const Slices &slices = slices_of(p);
        if (s.weighted[p])
            came = streamed(through(came, 0, slices.front, s.batch), slices.slices, slices.tile, slices.steps, slices.words, s.batch);
        else
            came = through(came, interval, interval / slices.slices, s.batch);
        return gathers(p) ? through(came, slices.gather, slices.given, s.batch) : came;
    }

    Batch seen(i64 e) const {
        const i64 t = s.edge_tensor[e];
        Batch came = tap(e).crossing ? from_memory(std::max(read_interval(e), traffic), s.batch) : batches[t];
        if (tap(e).forks) came = through(came, fork(e)[INTERVAL], fork(e)[INTERVAL], s.batch);
        if (!converts(e)) return came;
        const i64 pace = converter(e)[INTERVAL];
        return through(came, (inner(e) ? i64(info(s.producer[t]).slices) : 1) * pace, pace, s.batch);
    }

    double last_written(i64 p) const {
        Batch came = batches[s.inputs + p];
        if (plan->written_forks[p - plan->begin]) {
            const i64 pace = fork(s.readers[s.readers_at[s.inputs + p]])[INTERVAL];
            came = through(came, pace, pace, s.batch);
        }
        if (info(p).lanes_out != s.port_given[s.inputs + p]) {
            const i64 pace = write_converter(p)[INTERVAL];
            came = through(came, pace, pace, s.batch);
        }
        const i64 pace = write_interval(p);
        return through(came, pace, pace, s.batch).last;
    }

    // What comes out of a module.
    Arrival passed(const Arrival &came, i64 p) const {
        const double *read = s.trips + rows[p] * 3 * POINTS, *write = read + POINTS, *need = write + POINTS;
        const double delay = double(info(p).depth + 1), ready = came.header + double(s.header_out[p] - streams(p));
        double ahead[POINTS];
        for (int j = 0; j < POINTS; ++j) ahead[j] = came.words[j] - read[j];
        rising(ahead);
        double weights = s.weighted[p] ? double(s.weights_ready) : 0.0;
        if (streams(p))
            weights = double(s.slice_ready + ceiled(rounded(double(slices_of(p).words) * std::max(cost, 1.0), 1e6)));
        const double start = std::max(ready, weights) + 1.0;
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
        Batch batch{0.0, 0.0, 1.0, 0.0};
        Flow flow{0.0, 0.0, 0};
        if (s.is_concat[p]) {
            concat(p, came, flow);
            arrivals[t] = came;
        } else {
            for (i64 e = begin; e < end; ++e) {
                const Arrival in = arrival(e);
                const Flow behind = flow_of(e);
                if (tiled) {
                    const double alone = came.words[POINTS - 1];
                    batch = e == begin ? seen(e) : together(alone, batch, in.words[POINTS - 1], seen(e));
                }
                came = e == begin ? in : joined(came, in, s.header_in[p]);
                flow = e == begin ? behind : longest(flow, behind);
            }
            if (end - begin > 1)
                for (i64 e = begin; e < end; ++e) hold(p, e, flow);
            else if (s.window[p] || streams(p))
                windowed(p, begin);
            if (gathers(p)) gathered(p);
            arrivals[t] = info(p).slices > 1 ? sliced(came, p) : passed(came, p);
            const double tiles = streams(p) ? double(TILES_BEHIND * slices_of(p).tile) : 0.0;
            flow = Flow{flow.lag + tiles + s.needed[p], flow.lead + s.lead[p], flow.wait + s.wait[rows[p]]};
            if (tiled) batches[t] = behind(p, batch);
        }
        flows[t] = flow;
        if (!leaves(p)) return;
        const double gone = departure(p);
        sums.latency = std::max(sums.latency, ceiled(gone));
        if (tiled) ended = std::max(ended, gone + last_written(p));
    }

    Flow flow_of(i64 e) const {
        return tap(e).crossing ? Flow{0.0, 0.0, 0} : flows[s.edge_tensor[e]];
    }

    double departure(i64 p) const {
        const i64 t = s.inputs + p, v = variant_of(t);
        const Arrival came = forked(arrivals[t], s.readers[s.readers_at[t]], plan->written_forks[p - plan->begin]);
        const bool converts = info(p).lanes_out != s.port_given[t];
        const Arrival there = connected(came, t, converts ? write_converter(p) : nullptr);
        const i64 *write = s.writes + v * FIGURES;
        return evenly(there, s.points + t * POINTS, s.write_cycles[v], 0, 0, write[DEPTH], 0).words[POINTS - 1];
    }

    void concat(i64 p, Arrival &left, Flow &flow) {
        const i64 begin = s.inputs_at[p], lanes = info(p).lanes_in;
        const i64 wanted = s.edge_wanted[begin];
        const i64 place = s.edge_lanes[begin * s.lanes + info(p).given_in];
        left = arrival(begin);
        flow = flow_of(begin);
        Batch batch = tiled ? seen(begin) : Batch{0.0, 0.0, 1.0, 0.0};
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
                deepen(s.stage_bits[p], info(p).given_in, deep, 0);
            }
            hold(p, e, latest);
            const i64 *pace = s.stage_paces + (s.stage_figures[p] + (stage - 1) * wanted + place) * 4;
            if (tiled) {
                batch = together(left.words[POINTS - 1], batch, in.words[POINTS - 1], seen(e));
                batch = through(batch, pace[INTERVAL], pace[INTERVAL], s.batch);
            }
            const Arrival both = joined(left, in, s.stage_headers[2 * k]);
            left = evenly(both, s.points + (s.inputs + p) * POINTS, pace[INTERVAL], pace[FILL], pace[DRAIN],
                          pace[DEPTH] + 1, s.stage_headers[2 * k + 1]);
            flow = latest;
        }
        if (tiled) batches[s.inputs + p] = batch;
    }

    i64 join_words(const Flow &flow, const Flow &latest, i64 pixels, i64 pixel_words) const {
        const double behind = latest.lag - flow.lag + flow.lead;
        i64 held = ceiled(rounded(behind * double(pixels), 1e6)) + s.margin_pixels;
        if (behind < 1.0) held = std::min(held, pixels);
        return std::max(held * pixel_words + latest.wait - flow.wait, s.stream_depth);
    }

    void hold(i64 p, i64 e, const Flow &latest) {
        const i64 t = s.edge_tensor[e], words = up(s.channels[t], info(p).lanes_in);
        const i64 deep = tap(e).direct ? s.stream_depth : join_words(flow_of(e), latest, s.pixels[t], words), known = held(e);
        deepen(s.bits[t], info(p).given_in, std::max(deep, known), known);
    }

    void windowed(i64 p, i64 e) {
        const i64 t = s.edge_tensor[e];
        if (tap(e).direct) return;
        const bool whole = tap(e).crossing || s.producer[t] < 0 || gathers(s.producer[t]);
        const i64 pixel = up(whole ? s.channels[t] : s.share[variant_of(t)], info(p).lanes_in), known = held(e);
        i64 deep = std::min(s.window[p], s.pixels[t]) * pixel;
        if (streams(p)) deep = std::max(slices_of(p).tile - (converts(e) ? waiting(e) : 0), i64(0)) * s.pixels[t] * pixel;
        deepen(s.bits[t], info(p).given_in, std::max(std::max(deep, s.stream_depth), known), known);
    }

    // Frames that wait behind a streamed layer, with nothing but a converter between.
    i64 waiting(i64 e) const {
        const i64 p = s.producer[s.edge_tensor[e]];
        return tap(e).crossing || tap(e).forks || !gathers(p) ? 0 : s.streams[heads[p]].tile;
    }

    // Words that the FIFO on an edge holds already.
    i64 held(i64 e) const {
        const i64 t = s.edge_tensor[e], frames = converts(e) ? 0 : waiting(e);
        const i64 words = s.pixels[t] * up(s.channels[t], info(s.edge_reader[e]).lanes_in);
        return std::max(frames * words, s.stream_depth);
    }

    // The tile that waits where slices were put together.
    void gathered(i64 p) {
        if (leaves(p) && !plan->written_forks[p - plan->begin]) return;
        const i64 t = s.inputs + p, words = s.pixels[t] * up(s.channels[t], info(p).lanes_out);
        deepen(s.bits[t], info(p).given_out, std::max(s.streams[heads[p]].tile * words, s.stream_depth), s.stream_depth);
    }

    // A FIFO of `deep` words in place of the one of `known` words that is charged already (0: none).
    void deepen(i64 bits, i64 given, i64 deep, i64 known) {
        change(bits, given, deep, 1);
        if (known) change(bits, given, known, -1);
    }

    void change(i64 bits, i64 given, i64 deep, i64 sign) {
        const i64 *classes = s.deep_fifo + (bits * s.lanes + given) * CLASSES * RESOURCES;
        const i64 shift = deep <= s.register_depth ? s.register_depth : up_to(deep, 32);
        const i64 depth = deep <= s.shift_depth ? shift : up_to(deep, s.block_depth);
        const int kind = depth <= s.register_depth ? 0 : depth <= 32 ? 1 : depth <= s.shift_depth ? 2 : 3;
        i64 *total = sums.resources;
        for (int r = 0; r < RESOURCES; ++r) total[r] += sign * classes[kind * RESOURCES + r];
        if (kind == 3) total[s.bram18] += sign * blocks(depth, s.fifo_blocks + (bits * s.lanes + given) * SHAPES);
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
