// Memories inside a pipelined loop.
//
// A read-modify-write of a RAM takes several cycles, so a loop that starts an iteration every cycle must not touch an
// address again before its write has landed. `reuse` is the smallest distance in iterations between a write and the
// next read of one address, known from the folding: below SAFE_REUSE the memory is made of registers, else it is a RAM
// and the DEPENDENCE pragma tells the scheduler the true distance.
//
// C simulation cannot see a violated distance. -DCONVMAKE_LATE_WRITES=n lets every RAM write land n iterations late; for
// n < SAFE_REUSE results must not change.
#ifndef CONVMAKE_MEMORY_HPP
#define CONVMAKE_MEMORY_HPP

#include "types.hpp"

namespace convmake {

const int SAFE_REUSE = 4;    // iterations: read, add, write and one to spare
const int LUTRAM_DEPTH = 64; // up to this depth a LUTRAM is cheaper than a block RAM

const int REGISTERS = -1;
const int BRAM = 0;  // 0, 1, 2: values of the parameter weights_memory
const int LUTRAM = 1;
const int URAM = 2;

constexpr int small_or_block(int depth) { return depth <= LUTRAM_DEPTH ? LUTRAM : BRAM; }
constexpr int memory_kind(int depth, int reuse) { return reuse < SAFE_REUSE ? REGISTERS : small_or_block(depth); }

#ifdef __SYNTHESIS__

#define CONVMAKE_BANKS(T, banks, depth) T words[banks][depth]
#define CONVMAKE_STORE(bank, address, value) words[bank][address] = value

#else

}  // namespace convmake

#include <vector>

namespace convmake {

// On the heap: frame buffers of 3D networks do not fit a stack.
template <class T, int banks, int depth> class bank_array {
  public:
    bank_array() : words_(size_t(banks) * depth, zero_word<T>()) {}
    T *operator[](int bank) { return &words_[size_t(bank) * depth]; }

#ifdef CONVMAKE_LATE_WRITES
    void store(int bank, int address, const T &value) {
        late_write w = {bank, address, value};
        late_[now_].push_back(w);
    }
    void step() {
        now_ = (now_ + 1) % (CONVMAKE_LATE_WRITES + 1);
        for (const late_write &w : late_[now_]) (*this)[w.bank][w.address] = w.value;
        late_[now_].clear();
    }

  private:
    struct late_write {
        int bank;
        int address;
        T value;
    };
    std::vector<late_write> late_[CONVMAKE_LATE_WRITES + 1];
    int now_ = 0;
#else
    void store(int bank, int address, const T &value) { (*this)[bank][address] = value; }
    void step() {}

  private:
#endif
    std::vector<T> words_;
};

#define CONVMAKE_BANKS(T, banks, depth) bank_array<T, banks, depth> words
#define CONVMAKE_STORE(bank, address, value) words.store(bank, address, value)

#endif

// `banks` memories of `depth` words, one read and one write port each.
template <class T, int banks, int depth, int reuse, int kind = memory_kind(depth, reuse)> class memory;

#ifdef CONVMAKE_TIMED_ONLY

template <class T, int banks, int depth, int reuse, int kind> class memory {
  public:
    T read(int, int) { return zero_word<T>(); }
    void write(int, int, const T &) {}
    void step() {}
};

#else

template <class T, int banks, int depth, int reuse> class memory<T, banks, depth, reuse, REGISTERS> {
  public:
    memory() {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=words complete dim=0
    }
    T read(int bank, int address) {
#pragma HLS INLINE
        return words[bank][address];
    }
    void write(int bank, int address, const T &value) {
#pragma HLS INLINE
        words[bank][address] = value;
    }
    void step() {}  // registers are written within the cycle

  private:
    CONVMAKE_BANKS(T, banks, depth);
};

template <class T, int banks, int depth, int reuse> class memory<T, banks, depth, reuse, LUTRAM> {
  public:
    memory() {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=words complete dim=1
#pragma HLS BIND_STORAGE variable=words type=ram_s2p impl=lutram
    }
    T read(int bank, int address) {
#pragma HLS INLINE
#pragma HLS DEPENDENCE variable=words inter RAW distance=reuse true
        return words[bank][address];
    }
    void write(int bank, int address, const T &value) {
#pragma HLS INLINE
#pragma HLS DEPENDENCE variable=words inter RAW distance=reuse true
        CONVMAKE_STORE(bank, address, value);
    }
    void step() {
#ifndef __SYNTHESIS__
        words.step();
#endif
    }

  private:
    CONVMAKE_BANKS(T, banks, depth);
};

template <class T, int banks, int depth, int reuse> class memory<T, banks, depth, reuse, BRAM> {
  public:
    memory() {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=words complete dim=1
#pragma HLS BIND_STORAGE variable=words type=ram_s2p impl=bram
    }
    T read(int bank, int address) {
#pragma HLS INLINE
#pragma HLS DEPENDENCE variable=words inter RAW distance=reuse true
        return words[bank][address];
    }
    void write(int bank, int address, const T &value) {
#pragma HLS INLINE
#pragma HLS DEPENDENCE variable=words inter RAW distance=reuse true
        CONVMAKE_STORE(bank, address, value);
    }
    void step() {
#ifndef __SYNTHESIS__
        words.step();
#endif
    }

  private:
    CONVMAKE_BANKS(T, banks, depth);
};

#endif

}  // namespace convmake

#endif
