// What every process does besides its work: count its pipelined iterations, in simulation.
//
// A process opens with CONVMAKE_PROCESS(config) and calls CONVMAKE_TICK() in every iteration of its frame loop and
// CONVMAKE_TICK_LOAD() in every iteration that loads weights. Its name is the config's without "_config".
//
// For timed simulation alone: CONVMAKE_STEP() begins an iteration of any other loop, CONVMAKE_READ_BEAT and
// CONVMAKE_WRITE_BEAT(index, words, contiguous) stand in front of the access to word `index` of a transfer of `words`.
#ifndef CONVMAKE_PROCESS_HPP
#define CONVMAKE_PROCESS_HPP

#ifdef __SYNTHESIS__

#define CONVMAKE_PROCESS(config)
#define CONVMAKE_TICK()
#define CONVMAKE_TICK_LOAD()
#define CONVMAKE_STEP()
#define CONVMAKE_READ_BEAT(index, words, contiguous)
#define CONVMAKE_WRITE_BEAT(index, words, contiguous)
#define CONVMAKE_REQUIRE(condition, message)

#else

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <typeinfo>

#include <cxxabi.h>

#ifdef CONVMAKE_TIMED
#include "timed.hpp"
#define CONVMAKE_ON_TICK() convmake::timed::tick()
#define CONVMAKE_STEP() convmake::timed::step()
#define CONVMAKE_READ_BEAT(index, words, contiguous) convmake::timed::beat(false, index, words, contiguous)
#define CONVMAKE_WRITE_BEAT(index, words, contiguous) convmake::timed::beat(true, index, words, contiguous)
#else
// Called at every trip of a process; a test defines it before including this.
#ifndef CONVMAKE_ON_TICK
#define CONVMAKE_ON_TICK()
#endif
#define CONVMAKE_STEP()
#define CONVMAKE_READ_BEAT(index, words, contiguous)
#define CONVMAKE_WRITE_BEAT(index, words, contiguous)
#endif

namespace convmake {

struct trip_count {
    unsigned long long frame;  // trips of the frame loop: cycles at an initiation interval of 1
    unsigned long long load;   // trips of the weights loop
};

// Trips of all processes so far, by name.
inline std::map<std::string, trip_count> &trip_counts() {
    static std::map<std::string, trip_count> counts;
    return counts;
}

inline std::string process_name(const char *mangled) {
    int status = 0;
    char *readable = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
    std::string name = status == 0 ? readable : mangled;
    std::free(readable);
    const size_t scope = name.rfind("::");
    if (scope != std::string::npos) name.erase(0, scope + 2);
    const std::string suffix = "_config";
    if (name.size() > suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0)
        name.erase(name.size() - suffix.size());
    return name;
}

// One line a process: name, trips of the frame loop, trips of the weights loop.
inline void print_trip_counts(std::FILE *file) {
    for (const auto &entry : trip_counts())
        std::fprintf(file, "%s %llu %llu\n", entry.first.c_str(), entry.second.frame, entry.second.load);
}

template <class config> class process {
  public:
    process() : count_(trip_counts()[process_name(typeid(config).name())]) {}
    void tick() {
        ++count_.frame;
        CONVMAKE_ON_TICK();
    }
    void tick_load() {
        ++count_.load;
        CONVMAKE_ON_TICK();
    }

    void require(bool condition, const char *message) const {
        if (condition) return;
        std::fprintf(stderr, "%s: %s\n", process_name(typeid(config).name()).c_str(), message);
        std::abort();
    }

  private:
    trip_count &count_;
};

}  // namespace convmake

#define CONVMAKE_PROCESS(config)                \
    convmake::process<config> convmake_process; \
    (void)convmake_process
#define CONVMAKE_TICK() convmake_process.tick()
#define CONVMAKE_TICK_LOAD() convmake_process.tick_load()
#define CONVMAKE_REQUIRE(condition, message) convmake_process.require(condition, message)

#endif

#endif
