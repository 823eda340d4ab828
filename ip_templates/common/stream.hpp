// FIFO between two processes: the vendor's hls::stream under synthesis, one of our own with the same calls elsewhere.
//
// Ours grows without bound, because C simulation runs one process after the other. Reading while empty stops the
// program and names the stream: the vendor's returns a default value and goes on. In timed simulation processes run side
// by side, and a stream holds as many words as the hardware's.
#ifndef CONVMAKE_STREAM_HPP
#define CONVMAKE_STREAM_HPP

#ifdef __SYNTHESIS__
#include <hls_stream.h>
#elif defined(CONVMAKE_TIMED)

#include <vector>

#include "timed.hpp"

namespace hls {

template <class T, int depth = 0> class stream {
  public:
    explicit stream(const char *name = "unnamed") {
        convmake::timed::attach(&fifo_, name);
        words_.resize(fifo_.depth);
    }
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;
    // The top function ends here: time to run the processes that it called.
    ~stream() { convmake::timed::run(); }

    T read() { return words_[convmake::timed::take(&fifo_)]; }
    void read(T &value) { value = read(); }
    void write(const T &value) { words_[convmake::timed::put(&fifo_)] = value; }
    convmake::timed::channel *fifo() { return &fifo_; }

  private:
    convmake::timed::channel fifo_;
    std::vector<T> words_;
};

}  // namespace hls

#else

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

// Called at every access with the stream's address; a test or a timed simulator defines them before including this.
#ifndef CONVMAKE_ON_READ
#define CONVMAKE_ON_READ(stream)
#endif
#ifndef CONVMAKE_ON_WRITE
#define CONVMAKE_ON_WRITE(stream)
#endif

namespace hls {

template <class T, int depth = 0> class stream {
  public:
    explicit stream(const char *name = "unnamed") : name_(name), ring_(16), head_(0), size_(0) {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    const char *name() const { return name_; }

    T read() {
        CONVMAKE_ON_READ(this);
        if (size_ == 0) {
            std::fprintf(stderr, "stream '%s' read while empty\n", name_);
            std::abort();
        }
        const size_t at = head_;
        head_ = (head_ + 1) & (ring_.size() - 1);
        --size_;
        return ring_[at];
    }

    void read(T &value) { value = read(); }

    void write(const T &value) {
        CONVMAKE_ON_WRITE(this);
        if (size_ == ring_.size()) grow();
        ring_[(head_ + size_) & (ring_.size() - 1)] = value;
        ++size_;
    }

  private:
    void grow() {
        std::vector<T> wider(2 * ring_.size());
        for (size_t i = 0; i < size_; ++i) wider[i] = ring_[(head_ + i) & (ring_.size() - 1)];
        ring_.swap(wider);
        head_ = 0;
    }

    const char *name_;
    std::vector<T> ring_;  // its size is a power of two
    size_t head_;
    size_t size_;
};

}  // namespace hls

#endif

#endif
