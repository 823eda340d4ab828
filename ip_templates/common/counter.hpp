// Counters of a flattened loop.
#ifndef CONVMAKE_COUNTER_HPP
#define CONVMAKE_COUNTER_HPP

#include "types.hpp"

namespace convmake {

// Counts 0 … n − 1 and wraps.
template <int n> class counter {
  public:
    counter() : value_(0) {}
    int value() const { return int(value_); }
    bool first() const { return value_ == 0; }
    bool last() const { return value_ == n - 1; }
    void next() {
#pragma HLS INLINE
        if (last())
            value_ = 0;
        else
            value_ = value_ + 1;
    }

  private:
    natural<log2_ceil(n) + 1> value_;
};

// A running number times a constant: additions, never a DSP.
template <int factor> inline int times(int value) {
#pragma HLS INLINE
    const int product = value * factor;
#pragma HLS BIND_OP variable=product op=mul impl=fabric
    return product;
}

template <long long factor> inline long long multiple(long long value) {
#pragma HLS INLINE
    const long long product = value * factor;
#pragma HLS BIND_OP variable=product op=mul impl=fabric
    return product;
}

// floor(value / divisor) of a number below 2^bits, by one multiplication with a constant: the reciprocal is rounded up,
// and value * divisor < 2^shift keeps its error below 1 (Granlund and Montgomery, PLDI 1994).
template <int divisor, int bits> inline int quotient(int value) {
#pragma HLS INLINE
    const int shift = bits + log2_ceil(divisor);
    constexpr int64_t reciprocal = (int64_t(1) << shift) / divisor + 1;
    return int(multiply_in_fabric<bits + 1, bits + 2>(integer<bits + 1>(value), integer<bits + 2>(reciprocal)) >> shift);
}

// One axis of a padded frame: where the scan stands, whether there is data, whether a window ends here.
template <int size, int pad0, int padded, int kernel, int stride, int outputs> class axis {
  public:
    axis() : position_(0), phase_(0) {}
    int position() const { return int(position_); }
    bool inside() const { return position_ >= pad0 && position_ < pad0 + size; }
    bool window_end() const {
        return position_ >= kernel - 1 && position_ <= kernel - 1 + (outputs - 1) * stride && phase_ == 0;
    }
    bool last() const { return position_ == padded - 1; }
    void next() {
#pragma HLS INLINE
        if (last() || position_ < kernel - 1 || phase_ == stride - 1)
            phase_ = 0;
        else
            phase_ = phase_ + 1;
        if (last())
            position_ = 0;
        else
            position_ = position_ + 1;
    }

  private:
    natural<log2_ceil(padded) + 1> position_;
    natural<log2_ceil(stride) + 1> phase_;
};

}  // namespace convmake

#endif
