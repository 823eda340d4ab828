// What the cuts alone say of a partition: positions `begin` to `end`, whoever else reads and writes (taps.py).
#pragma once
#include <algorithm>
#include <vector>

#include "space.h"

struct Tap { bool crossing, owns, direct, forks_module; i64 forks; };

struct Plan {
    i64 begin, end, first_edge, last_edge;
    std::vector<Tap> taps;                     // [edge - first_edge]
    std::vector<char> leaves, written_forks;   // [position - begin]
    std::vector<int32_t> leaving;              // positions whose tensors are written
    std::vector<int32_t> outside;              // positions elsewhere whose number of passes matters here

    Plan(const Space &s, i64 from, i64 to)
        : begin(from), end(to), first_edge(s.inputs_at[from]), last_edge(s.inputs_at[to]),
          taps(last_edge - first_edge), leaves(to - from), written_forks(to - from) {
        for (i64 p = begin; p < end; ++p) written(s, p);
        for (i64 e = first_edge; e < last_edge; ++e) read(s, e);
        std::sort(outside.begin(), outside.end());
        outside.erase(std::unique(outside.begin(), outside.end()), outside.end());
    }

    bool holds(i64 position) const { return begin <= position && position < end; }

private:
    void written(const Space &s, i64 p) {
        const i64 t = s.inputs + p;
        bool all = true, any = false;
        for (i64 k = s.readers_at[t]; k < s.readers_at[t + 1]; ++k) {
            const bool inside = holds(s.edge_reader[s.readers[k]]);
            all = all && inside;
            any = any || inside;
        }
        const bool leaving_here = !all || s.is_output[t];
        leaves[p - begin] = leaving_here;
        written_forks[p - begin] = leaving_here && any;
        if (leaving_here) leaving.push_back(int32_t(p));
    }

    void read(const Space &s, i64 e) {
        const i64 t = s.edge_tensor[e], producer = s.producer[t];
        const bool inside = producer >= 0 && holds(producer);
        i64 before = inside && leaves[producer - begin], mates = before;
        for (i64 k = s.readers_at[t]; k < s.readers_at[t + 1]; ++k) {
            const i64 other = s.readers[k];
            if (!holds(s.edge_reader[other])) continue;
            ++mates;
            before += other < e;
        }
        Tap &tap = taps[e - first_edge];
        tap.crossing = !inside;
        tap.owns = !inside && before == 0;
        tap.direct = !inside && mates == 1;
        tap.forks = std::min(before + 1, mates - 1);
        tap.forks_module = before > 0;
        if (!inside && producer >= 0 && s.variants[producer] > 1) outside.push_back(int32_t(producer));
    }
};
