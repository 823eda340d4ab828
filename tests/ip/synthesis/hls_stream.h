// Stands in for the vendor's header, so that what only synthesis compiles is compiled at all.
#ifndef CONVMAKE_TEST_HLS_STREAM_H
#define CONVMAKE_TEST_HLS_STREAM_H

namespace hls {

template <class T, int depth = 0> class stream {
  public:
    explicit stream(const char * = "") {}
    T read();
    void write(const T &value);
    bool empty() const;
};

}  // namespace hls

#endif
