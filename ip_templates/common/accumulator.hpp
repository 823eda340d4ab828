// Accumulators of a MAC array whose filters take turns.
//
// Address j (one of `depth` output folds) is summed over `run` consecutive iterations in a register, then stored until
// the next input fold comes round: (depth − 1) * run + 1 iterations from a write to the next read of the same address.
#ifndef CONVMAKE_ACCUMULATOR_HPP
#define CONVMAKE_ACCUMULATOR_HPP

#include "memory.hpp"

namespace convmake {

template <int lanes, int depth, int run, int bits> class accumulator {
  public:
    static const int reuse = (depth - 1) * run + 1;

    accumulator() {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=running complete
    }

    // Add `sum` to lane `lane` of address j and return the total so far. `first_run`/`last_run`: first and last
    // iteration of this address' run; `start`: first input fold, where the total begins at `bias`.
    template <class sum_t>
    integer<bits> add(int lane, int j, bool first_run, bool last_run, bool start, integer<bits> bias, sum_t sum) {
#pragma HLS INLINE
#ifdef CONVMAKE_TIMED_ONLY
        return 0;
#else
        integer<bits> total = running[lane];
        if (first_run) {
            if (start)
                total = bias;
            else
                total = stored.read(lane, j);
        }
        total += sum;
        running[lane] = total;
        if (last_run) stored.write(lane, j, total);
        return total;
#endif
    }

    // Once every iteration of the loop.
    void step() {
#pragma HLS INLINE
        stored.step();
    }

  private:
    integer<bits> running[lanes];
    memory<integer<bits>, lanes, depth, reuse> stored;
};

}  // namespace convmake

#endif
