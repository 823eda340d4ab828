// When frames pass: flow/model/timing.py on the points of a stream.
#pragma once
#include <algorithm>
#include <cmath>

#include "space.h"

// When the words at a stream's points can be read, and its header's last word (timing.py).
struct Arrival {
    double words[POINTS];
    double header;
};
struct Flow { double lag, lead; i64 wait; };

inline Flow longest(const Flow &a, const Flow &b) {
    return Flow{std::max(a.lag, b.lag), std::max(a.lead, b.lead), std::max(a.wait, b.wait)};
}

inline i64 up(i64 a, i64 b) { return i64(uint32_t(a + b - 1) / uint32_t(b)); }  // of numbers below 2^31
inline i64 up_to(i64 a, i64 power) { return (a + power - 1) & ~(power - 1); }   // multiple of a power of two

// Sums with this number drop everything behind the point, to the nearest even: what rint does, without a call.
const double POINT = 6755399441055744.0;
inline double nearest(double value) {
    if (std::fabs(value) < 1125899906842624.0) return (value + POINT) - POINT;
    return std::nearbyint(value);
}
inline double rounded(double value, double scale) { return nearest(value * scale) / scale; }
inline i64 floored(double value) { const i64 whole = i64(value); return whole - (double(whole) > value); }
inline i64 ceiled(double value) { const i64 whole = i64(value); return whole + (double(whole) < value); }

inline void rising(double (&values)[POINTS]) {
    for (int j = 1; j < POINTS; ++j) values[j] = std::max(values[j], values[j - 1]);
}

inline Arrival joined(const Arrival &a, const Arrival &b, i64 header) {
    Arrival both;
    for (int j = 0; j < POINTS; ++j) both.words[j] = std::max(a.words[j], b.words[j]);
    both.header = std::max(a.header + double(header), b.header);
    return both;
}

inline Arrival evenly(const Arrival &came, const double *inputs, i64 interval, i64 fill, i64 drain, i64 delay, i64 header) {
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

inline Arrival evenly(const Arrival &came, const double *inputs, const int32_t *figures, i64 header) {
    return evenly(came, inputs, figures[INTERVAL], figures[FILL], figures[DRAIN], figures[DEPTH] + 1, header);
}

// When the frames of a batch pass, behind a frame alone (flow/model/tiles.py).
struct Batch { double first, last, burst, gap; };

inline Batch from_memory(i64 interval, i64 batch) {
    return Batch{0.0, double((batch - 1) * interval), 1.0, double(interval)};
}

inline Batch through(Batch came, i64 interval, i64 burst_interval, i64 batch) {
    came.last = came.last + (came.burst - 1.0) * std::max(double(burst_interval) - came.gap, 0.0);
    came.last = std::max(came.last, came.first + double((batch - 1) * interval));
    came.gap = std::max(came.gap, double(burst_interval));
    return came;
}

// Of two inputs whose last words of a frame alone come at `words` and `own`.
inline Batch together(double words, const Batch &one, double own, const Batch &other) {
    const double first = words + one.first, last = words + one.last, alone = std::max(words, own);
    const bool later = own + other.last > last;
    return Batch{std::max(first, own + other.first) - alone, std::max(last, own + other.last) - alone,
                 later ? other.burst : one.burst, later ? other.gap : one.gap};
}

const i64 SETTLE = 4;

inline i64 slice_trips(i64 frames, i64 tile, i64 steps, i64 words) {
    const i64 work = frames * steps, late = std::max(words - work, i64(0)) + SETTLE;
    return work + (frames < tile || work < words + SETTLE ? late : 0);
}

inline Batch streamed(const Batch &came, i64 slices, i64 tile, i64 steps, i64 words, i64 batch) {
    const i64 tiles = (batch + tile - 1) / tile - 1, begin = std::min(tile, batch), rest = batch - tiles * tile;
    const double pace = (came.last - came.first) / double(std::max(batch - 1, i64(1)));
    const i64 alone = (slices - 1) * slice_trips(1, tile, steps, words);
    const i64 first_trips = slice_trips(begin, tile, steps, words), rest_trips = slice_trips(rest, tile, steps, words);
    double first = came.first + double(begin - 1) * std::max(pace, double(steps));
    first = first + double((slices - 1) * first_trips - (begin - 1) * steps - alone);
    const double gap = came.burst >= double(rest) ? came.gap : pace;
    double last = came.last + double(rest - 1) * std::max(double(steps) - gap, 0.0);
    last = last + double((slices - 1) * rest_trips - alone);
    const i64 all = slices * tiles * slice_trips(tile, tile, steps, words) + (slices - 1) * rest_trips + (rest - 1) * steps;
    const double each = came.burst * double(slices * slice_trips(tile, tile, steps, words)) / double(tile);
    const double burst = came.last - (came.burst - 1.0) * came.gap + (each - double(steps + alone));
    return Batch{first, std::max(std::max(last, came.first + double(all - alone)), burst), double(rest), double(steps)};
}
