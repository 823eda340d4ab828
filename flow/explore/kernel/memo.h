// Figures of partitions that were evaluated before: most partitions of a new design are those of another.
//
// A partition's figures follow from its positions, their rows, and in how many passes its inputs were made. Entries are
// compared in all of that, not by their hash alone, so what is found is what would be worked out.
#pragma once
#include <cstring>
#include <memory>
#include <vector>

#include "partition.h"
#include "plan.h"

template <class Value> class Memo {
    struct Entry { uint64_t hash; uint32_t key_at; const Plan *plan; Value value; };

    const Space &s;
    const size_t remembered;
    Partition partition;
    std::vector<int32_t> plan_of;  // [begin][end], -1: none yet
    std::vector<std::unique_ptr<Plan>> plans;
    std::vector<Entry> entries;
    std::vector<int32_t> keys, longer;
    std::vector<uint32_t> slots;   // entry + 1, 0: free; a power of two, at most half full

public:
    static const size_t KEYS = size_t(1) << 23;  // numbers in all keys

    // Remembers about `most` partitions, then begins anew; earlier where they are large.
    Memo(const Space &space, size_t most)
        : s(space), remembered(most), partition(space), plan_of((s.positions + 1) * (s.positions + 1), -1), slots(1 << 12) {}

    // Makes room where there is little, so that what `at` returns stays for as many partitions.
    void reserve(size_t partitions) {
        if (entries.size() + partitions <= remembered && keys.size() < KEYS) return;
        entries.clear();
        keys.clear();
        std::fill(slots.begin(), slots.end(), 0);
    }

    const Plan &plan(i64 begin, i64 end) {
        int32_t &known = plan_of[begin * (s.positions + 1) + end];
        if (known < 0) {
            known = int32_t(plans.size());
            plans.emplace_back(new Plan(s, begin, end));
        }
        return *plans[known];
    }

    // Place of a partition's value, which `make` works out of its sums where it is new; `rows`: of the whole design.
    template <class Make> uint32_t at(const Plan &plan, const int32_t *rows, Make make) {
        const int32_t *key = rows + plan.begin;
        size_t length = size_t(plan.end - plan.begin);
        if (!plan.outside.empty()) key = lengthened(plan, rows, length);
        const uint64_t hash = hashed(plan, key, length);
        size_t slot = hash & (slots.size() - 1);
        for (; slots[slot]; slot = (slot + 1) & (slots.size() - 1)) {
            const Entry &entry = entries[slots[slot] - 1];
            if (entry.hash == hash && entry.plan == &plan && !std::memcmp(&keys[entry.key_at], key, length * sizeof *key))
                return slots[slot] - 1;
        }
        const uint32_t place = uint32_t(entries.size());
        entries.push_back(Entry{hash, uint32_t(keys.size()), &plan, make(partition.run(plan, rows))});
        keys.insert(keys.end(), key, key + length);
        slots[slot] = place + 1;
        if (2 * entries.size() > slots.size()) spread();
        return place;
    }

    const Value &operator[](uint32_t place) const { return entries[place].value; }

private:
    // With the passes in which inputs from elsewhere were made.
    const int32_t *lengthened(const Plan &plan, const int32_t *rows, size_t &length) {
        longer.assign(rows + plan.begin, rows + plan.end);
        for (const i64 p : plan.outside) longer.push_back(int32_t(s.variant_of(p, rows[p])));
        length = longer.size();
        return longer.data();
    }

    static uint64_t hashed(const Plan &plan, const int32_t *key, size_t length) {
        uint64_t hash = (uint64_t(plan.begin) << 32 | uint64_t(plan.end)) + 1;
        for (size_t i = 0; i < length; ++i) hash = (hash ^ uint32_t(key[i])) * 0x9E3779B97F4A7C15u;
        return hash ^ (hash >> 32);
    }

    void spread() {
        slots.assign(2 * slots.size(), 0);
        for (size_t place = 0; place < entries.size(); ++place) {
            size_t slot = entries[place].hash & (slots.size() - 1);
            while (slots[slot]) slot = (slot + 1) & (slots.size() - 1);
            slots[slot] = uint32_t(place) + 1;
        }
    }
};
