// Sliding window over a padded frame in raster order, for 1D, 2D and 3D kernels alike.
//
// The kernel's rows are numbered (a, b), a in depth, b in height; the newest word enters the last row. A chain of
// kernel_d * kernel_h − 1 circular delay buffers carries it to the other rows: one padded row to (a, b − 1), and what is
// left of one padded plane to (a − 1, kernel_h − 1). Every row keeps its last kernel_w − 1 columns.
#ifndef CONVMAKE_WINDOW_HPP
#define CONVMAKE_WINDOW_HPP

#include "counter.hpp"
#include "memory.hpp"

namespace convmake {

// `words`: words of one pixel.
template <class word_t, int words, int padded_h, int padded_w, int kernel_d, int kernel_h, int kernel_w>
class sliding_window {
  public:
    static const int rows = kernel_d * kernel_h;
    static const int row_delays = kernel_d * (kernel_h - 1);
    static const int plane_delays = kernel_d - 1;
    static const int columns = rows * (kernel_w - 1);
    static const int row_length = row_delays > 0 ? padded_w * words : 1;
    static const int plane_length = plane_delays > 0 ? (padded_h - kernel_h + 1) * padded_w * words : 1;
    static const int column_length = columns > 0 ? words : 1;

    // Enter the next word and get the window of its channels, row-major.
    void push(const word_t &newest, word_t (&taps)[rows * kernel_w]) {
#pragma HLS INLINE
#ifndef CONVMAKE_TIMED_ONLY
        word_t front[rows];
#pragma HLS ARRAY_PARTITION variable=front complete
        front[rows - 1] = newest;
    delay_rows:
        for (int r = rows - 2; r >= 0; --r) {
#pragma HLS UNROLL
            const int a = r / kernel_h;
            const int b = r % kernel_h;
            if (b == kernel_h - 1) {
                front[r] = plane_delay.read(a, plane_at.value());
                plane_delay.write(a, plane_at.value(), front[r + 1]);
            } else {
                const int bank = a * (kernel_h - 1) + b;
                front[r] = row_delay.read(bank, row_at.value());
                row_delay.write(bank, row_at.value(), front[r + 1]);
            }
        }
    shift_columns:
        for (int r = 0; r < rows; ++r) {
#pragma HLS UNROLL
            taps[r * kernel_w + kernel_w - 1] = front[r];
            for (int c = kernel_w - 2; c >= 0; --c) {
#pragma HLS UNROLL
                const int bank = r * (kernel_w - 1) + c;
                taps[r * kernel_w + c] = column.read(bank, column_at.value());
                column.write(bank, column_at.value(), taps[r * kernel_w + c + 1]);
            }
        }
        row_at.next();
        plane_at.next();
        column_at.next();
#else
        taps[0] = newest;
#endif
    }

    // Once every iteration of the loop.
    void step() {
#pragma HLS INLINE
        row_delay.step();
        plane_delay.step();
        column.step();
    }

  private:
    memory<word_t, larger(row_delays, 1), row_length, row_length> row_delay;
    memory<word_t, larger(plane_delays, 1), plane_length, plane_length> plane_delay;
    memory<word_t, larger(columns, 1), column_length, column_length> column;
    counter<row_length> row_at;
    counter<plane_length> plane_at;
    counter<column_length> column_at;
};

}  // namespace convmake

#endif
