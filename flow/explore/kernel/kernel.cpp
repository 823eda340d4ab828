// Evaluates populations of designs. Every figure of a module comes from tables that flow/explore/kernel_tables.py fills
// from the data sheets; designs fall into partitions, and each different partition is worked out once.
#include "figures.h"

// Keeps about `remembered` partitions until it is freed; the arrays that `space` points to must live as long.
extern "C" Designs *convmake_designs(const Space *space, i64 remembered) { return new Designs(*space, remembered); }

extern "C" void convmake_free(Designs *designs) { delete designs; }

// The most partitions of any design.
extern "C" i64 convmake_most(i64 designs, i64 positions, const uint8_t *cuts) {
    i64 most = 1;
    for (i64 d = 0; d < designs; ++d, cuts += positions) {
        i64 count = 1;
        for (i64 p = 1; p < positions; ++p) count += cuts[p];
        most = std::max(most, count);
    }
    return most;
}

// `cuts` [designs][positions] bytes of 0 and 1, the first of each unused; `rows` [designs][positions].
extern "C" void convmake_evaluate(
    Designs *designs, i64 count, i64 positions, i64 most, const uint8_t *cuts, const i64 *rows, const Results *out) {
    for (i64 d = 0; d < count; ++d) designs->run(d, most, cuts + d * positions, rows + d * positions, *out);
}
