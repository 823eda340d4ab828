// From partitions to designs: `figures_of` of population.py, in the same order of additions.
#pragma once
#include <algorithm>
#include <vector>

#include "memo.h"
#include "partition.h"
#include "space.h"
#include "timing.h"

// Of a partition, whatever design it is in. Seconds: of its loads, of a batch's frames, of one frame.
struct Costs {
    i64 passes, interval, latency, resources[RESOURCES], words, weights, streamed, products, illegal;
    double over, loads_s, frames_s, frame_s, cycle_j;
};

inline Costs costs_of(const Space &s, const Sums &sums) {
    Costs c;
    const double clock = s.clock_mhz * 1e6;
    c.passes = sums.passes, c.interval = sums.interval, c.latency = sums.latency;
    c.words = sums.passes * sums.words, c.products = sums.products, c.illegal = sums.illegal;
    c.weights = sums.first_words + (sums.passes - 1) * sums.later_words;
    c.streamed = sums.streamed;
    c.loads_s = double(sums.first_words) * s.load_s + double(sums.passes - 1) * (double(sums.later_words) * s.load_s);
    c.frames_s = double(sums.passes * ((s.batch - 1) * sums.interval + sums.last)) / clock;
    c.frame_s = double(sums.passes * sums.latency) / clock;
    c.over = c.cycle_j = 0.0;
    for (int r = 0; r < RESOURCES; ++r) {
        c.resources[r] = sums.resources[r];
        const i64 more = std::max(sums.resources[r] - s.limits[r], i64(0));
        c.over += double(more) / double(std::max(s.limits[r], i64(1)));
        c.cycle_j += double(sums.resources[r]) * s.cycle_j[r];
    }
    return c;
}

// Results: by design, by design and partition (`most` columns); of each resource in `resources` and `largest`.
struct Results {
    i64 *count, *memory_bytes, *illegal, *passes, *interval, *latency, *resources, *largest;
    double *total_s, *latency_s, *energy_j, *violation, *time_s, *over;
};

class Designs {
    const Space s;
    Memo<Costs> memo;
    std::vector<int32_t> rows;
    std::vector<i64> part, change, read, written;
    std::vector<const Plan *> plans;
    std::vector<uint32_t> places;

public:
    Designs(const Space &space, i64 remembered)
        : s(space), memo(s, size_t(remembered)), rows(s.positions), part(s.positions), change(s.positions + 1), read(s.positions),
          written(s.positions), plans(s.positions), places(s.positions) {}

    void run(i64 design, i64 most, const uint8_t *cuts, const i64 *chosen, const Results &out) {
        for (i64 p = 0; p < s.positions; ++p) rows[p] = int32_t(chosen[p]);
        memo.reserve(size_t(most));
        i64 count = 0;
        for (i64 begin = 0, end; begin < s.positions; begin = end) {
            for (end = begin + 1; end < s.positions && !cuts[end]; ++end) {}
            std::fill(part.begin() + begin, part.begin() + end, count);
            plans[count] = &memo.plan(begin, end);
            places[count] = memo.at(*plans[count], rows.data(), [&](const Sums &sums) { return costs_of(s, sums); });
            ++count;
        }
        out.count[design] = count;
        total(design, most, count, out);
    }

private:
    void total(i64 design, i64 most, i64 count, const Results &out) {
        const bool resident = count == 1 && memo[places[0]].passes == 1;
        i64 weights = 0, streamed = 0, words = 0, products = 0, illegal = 0;
        i64 *largest = out.largest + design * RESOURCES;
        std::fill(largest, largest + RESOURCES, 0);
        double total_s = 0.0, latency_s = 0.0, logic = 0.0, over = 0.0;
        for (i64 n = 0, at = design * most; n < most; ++n, ++at) {
            const Costs &c = n < count ? memo[places[n]] : NONE;
            const double loads_s = resident ? 0.0 : c.loads_s, time_s = loads_s + c.frames_s;
            out.passes[at] = c.passes, out.interval[at] = c.interval, out.latency[at] = c.latency;
            for (int r = 0; r < RESOURCES; ++r) {
                out.resources[at * RESOURCES + r] = c.resources[r];
                largest[r] = std::max(largest[r], c.resources[r]);
            }
            out.time_s[at] = time_s, out.over[at] = c.over;
            total_s += time_s, latency_s += loads_s + c.frame_s, over += c.over;
            logic += time_s * s.clock_mhz * 1e6 * c.cycle_j;
            weights += c.weights, streamed += c.streamed, words += c.words, products += c.products, illegal += c.illegal;
        }
        const i64 switches = count > 1 ? count : 0, memory = kept(count) + (weights + streamed) * (s.port_bits / 8);
        out.total_s[design] = total_s += double(switches) * s.switch_s;
        out.latency_s[design] = latency_s + double(count - 1) * s.switch_s;
        out.memory_bytes[design] = memory;
        out.illegal[design] = illegal;
        over += std::max(double(memory) / double(s.capacity_bytes) - 1.0, 0.0);
        over += double(std::max(count - s.max_partitions, i64(0)));
        out.violation[design] = rounded(over, 1e9) + double(illegal);
        const i64 moved = words * s.batch + (resident ? 0 : weights);
        const i64 bits = moved * s.port_bits + switches * s.configuration_bits;
        out.energy_j[design] = s.has_energy ? energy(total_s, products, logic, bits) : std::nan("");
    }

    double energy(double total_s, i64 products, double logic, i64 bits) const {
        const double batch = double(s.batch);
        double joules = s.static_w * total_s / batch;
        joules += s.product_j * double(products);
        joules += logic / batch;
        return joules + double(bits) * s.bit_j / batch;
    }

    // Bytes of a batch's tensors where they are most.
    i64 kept(i64 count) {
        std::fill(change.begin(), change.begin() + count + 1, 0);
        std::fill(read.begin(), read.begin() + count, 0);
        std::fill(written.begin(), written.begin() + count, 0);
        for (i64 t = 0; t < s.inputs; ++t) store(t, 0, s.live[s.first_variant[t]], count);
        for (i64 n = 0; n < count; ++n)
            for (const i64 p : plans[n]->leaving) {
                const i64 t = s.inputs + p, size = s.live[s.first_variant[t] + s.variant_of(p, rows[p])];
                written[n] = std::max(written[n], size);
                store(t, n, size, count);
            }
        i64 most = INT64_MIN;
        for (i64 n = 0, bytes = 0; n < count; ++n) {
            bytes += change[n];
            const i64 saved = std::min(read[n], written[n]);
            const bool overlaid = memo[places[n]].passes == 1 && saved * s.batch > read[n];
            most = std::max(most, overlaid ? (bytes - saved) * s.batch + read[n] : bytes * s.batch);
        }
        return most;
    }

    void store(i64 t, i64 first, i64 size, i64 count) {
        const i64 behind = s.readers_at[t + 1];
        i64 last = s.readers_at[t] < behind ? part[s.edge_reader[s.readers[behind - 1]]] : first;
        if (s.is_output[t]) last = count - 1;
        else read[last] = std::max(read[last], size);
        change[first] += size;
        change[last + 1] -= size;
    }

    static const Costs NONE;
};

const Costs Designs::NONE = Costs();
