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
