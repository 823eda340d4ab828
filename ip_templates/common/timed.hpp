// Timed simulation (-DCONVMAKE_TIMED): every process is a fibre with a clock, every FIFO is bounded.
//
// An iteration of a process is issued at one cycle: not before the previous one's next cycle, not before every word that
// it reads has come, not so early that a word which it writes finds no room. With D the module's pipeline depth,
//
//     issue    = max(previous issue + 1, ready of words read, freed - D of slots written)
//     a word   is written at issue + D and can be read from the next cycle on
//     a slot   is free from the cycle after the word's reader was issued
//
// So a stalled output holds back the whole iteration, and iterations behind it; words ahead of it flow on. Header words,
// load words and loop trips are iterations (CONVMAKE_STEP, CONVMAKE_TICK_LOAD, CONVMAKE_TICK).
//
// Memory: ports ask for bursts, which one memory serves in the order of their requests (ties: in the order of the ports),
// `cost` cycles a word. A burst's words arrive `latency` cycles later, one a cycle; a written burst is asked for when it
// is complete and answered `latency` cycles after its transfer. A port has `outstanding` bursts under way. A transfer is
// one frame (or one load of weights), and a port waits for its end: the loop over frames is not flattened. Addresses
// that do not follow the loop make bursts of one word.
//
// Depths, latencies and costs come from `timing.txt`, results go to `timed.jsonl`, a line an invocation.
#ifndef CONVMAKE_TIMED_HPP
#define CONVMAKE_TIMED_HPP

#undef _FORTIFY_SOURCE  // its longjmp refuses to change stacks

#include <setjmp.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace convmake {
namespace timed {

typedef uint64_t cycle;

const int DEADLOCK = 4;  // exit status
const size_t STACK_BYTES = size_t(1) << 20;
const uint64_t FRACTION = 1024;  // the memory's time has steps of 1/1024 cycle
const int MOST_ACCESSES = 8;     // streams that one iteration touches

struct fibre;

// A FIFO's slots and times; the words are in hls::stream.
struct channel {
    std::string name;
    size_t depth = 2;
    std::vector<cycle> when;  // a slot's word is ready, or the slot is free, from this cycle on
    std::vector<cycle> left;  // of the last `depth` words: free again
    size_t head = 0, tail = 0, words = 0, room = 2;
    size_t gone = 0;  // slot of the first word that had not left when the last one came
    uint64_t taken = 0, held = 0, high_water = 0;
    fibre *producer = nullptr, *consumer = nullptr;
    fibre *reader = nullptr, *writer = nullptr;  // who waits

    size_t after(size_t slot) const { return slot + 1 == depth ? 0 : slot + 1; }

    // Words in the FIFO when the word in `slot`, the next to leave, had come: earlier ones still there, and itself.
    void count(size_t slot, cycle written, cycle free) {
        for (; held != 0 && left[gone] <= written; gone = after(gone)) --held;
        left[slot] = free;
        ++taken;
        ++held;
        if (held > high_water) high_water = held;
    }
};

struct access {
    channel *fifo;
    size_t slot;
    bool written;
};

struct frame_times {
    cycle first, last, done;  // first word, last word, memory has answered
};

// A memory port and the transfer under way.
struct port {
    fibre *owner = nullptr;
    int order = 0;
    bool writes = false;
    cycle latency = 0;
    int longest = 1;      // words of a burst
    int outstanding = 1;  // bursts
    int words = 0, at = 0, burst = 1, in_burst = 0;
    size_t started = 0, requested = 0;
    std::vector<cycle> granted;  // read: its first word comes; written: answered
    bool waiting = false;
    std::vector<frame_times> frames;
};

struct request {
    cycle at;
    int order;
    uint64_t serial;
    port *from;
    int words;
    bool operator<(const request &other) const {
        if (at != other.at) return at < other.at;
        return order != other.order ? order < other.order : serial < other.serial;
    }
};

struct fibre {
    std::string name;
    std::function<void()> body;
    cycle now = 0;
    cycle depth = 1;
    int accesses = 0;
    access pending[MOST_ACCESSES];
    bool started = false, done = false;
    uint64_t trips = 0, wait_read = 0, wait_write = 0, wait_memory = 0;
    std::unique_ptr<port> memory;
    channel *on = nullptr;  // what it waits for
    bool on_write = false;
    jmp_buf context;
    ucontext_t start;
    std::unique_ptr<char[]> stack;
};

struct table {
    std::map<std::string, size_t> streams;
    std::map<std::string, cycle> processes;
    struct port_entry {
        int order;
        cycle latency;
        int burst, outstanding;
    };
    std::map<std::string, port_entry> ports;
    uint64_t cost = FRACTION;  // of a word, in 1/1024 cycle
};

struct simulation {
    table given;
    std::vector<std::unique_ptr<fibre> > fibres;
    std::vector<channel *> channels;
    std::deque<fibre *> ready;
    std::set<request> requests;
    uint64_t serial = 0, memory_free = 0;
    jmp_buf main_context;
    int invocation = 0;
    std::FILE *results = nullptr;
};

inline simulation &all() {
    static simulation one;
    return one;
}

inline fibre *&running() {
    static fibre *now = nullptr;
    return now;
}

// ------------------------------------------------------------------------------------------------- switching

inline void finish_iteration(fibre *f);
inline void next();

__attribute__((noinline)) inline void entry() {
    fibre *self = running();
    self->body();
    finish_iteration(self);
    self->done = true;
    next();
}

// Resume `to`, or the main program. The fibres' registers live in jmp_bufs, which costs no system call.
__attribute__((noinline)) inline void resume(fibre *to) {
    fibre *from = running();
    if (_setjmp(from != nullptr ? from->context : all().main_context) != 0) return;
    running() = to;
    if (to == nullptr) _longjmp(all().main_context, 1);
    if (to->started) _longjmp(to->context, 1);
    to->started = true;
    to->stack.reset(new char[STACK_BYTES]);
    getcontext(&to->start);
    to->start.uc_stack.ss_sp = to->stack.get();
    to->start.uc_stack.ss_size = STACK_BYTES;
    to->start.uc_link = nullptr;
    makecontext(&to->start, reinterpret_cast<void (*)()>(entry), 0);
    setcontext(&to->start);
}

// ------------------------------------------------------------------------------------------------- memory

inline cycle whole(uint64_t parts) { return (parts + FRACTION - 1) / FRACTION; }

// Serve the earliest request. Called when no process can go on: whatever comes later is asked for later.
inline void serve(const request &r) {
    simulation &s = all();
    const uint64_t start = r.at * FRACTION > s.memory_free ? r.at * FRACTION : s.memory_free;
    s.memory_free = start + r.words * s.given.cost;
    const cycle begin = whole(start), end = whole(s.memory_free), words = cycle(r.words);
    if (r.from->writes)
        r.from->granted.push_back((begin + words > end ? begin + words : end) + r.from->latency);
    else
        r.from->granted.push_back((end > begin + words ? end - words : begin) + r.from->latency);
    if (r.from->waiting) {
        r.from->waiting = false;
        s.ready.push_back(r.from->owner);
    }
}

inline void deadlock();

// Run whoever can go on.
inline void next() {
    simulation &s = all();
    while (s.ready.empty() && !s.requests.empty()) {
        const request earliest = *s.requests.begin();
        s.requests.erase(s.requests.begin());
        serve(earliest);
    }
    if (s.ready.empty()) {
        for (const std::unique_ptr<fibre> &f : s.fibres)
            if (!f->done) deadlock();
        resume(nullptr);
        return;
    }
    fibre *to = s.ready.front();
    s.ready.pop_front();
    if (to != running()) resume(to);
}

inline void ask(port *p, cycle at, int words) {
    simulation &s = all();
    const request r = {at, p->order, s.serial++, p, words};
    s.requests.insert(r);
    ++p->requested;
}

// Cycle of the grant of burst `index`.
inline cycle grant(port *p, size_t index) {
    while (p->granted.size() <= index) {
        p->waiting = true;
        next();
    }
    return p->granted[index];
}

inline void wait_for_memory(fibre *f, cycle until) {
    if (until <= f->now) return;
    f->wait_memory += until - f->now;
    f->now = until;
}

// In the iteration that moves word `index` of `words` of a transfer: before it is used, after it was read from a stream.
inline void beat(bool writes, int index, int words, bool contiguous) {
    fibre *f = running();
    port *p = f->memory.get();
    if (index == 0) {
        p->writes = writes;
        p->words = words;
        p->burst = contiguous ? p->longest : 1;
        p->in_burst = 0;
        p->started = p->requested = 0;
        p->granted.clear();
        p->frames.push_back(frame_times());
    }
    const bool last = index == words - 1;
    if (p->in_burst == 0) {
        const size_t bursts = (words + p->burst - 1) / p->burst;
        if (writes) {
            if (p->started >= size_t(p->outstanding)) {
                const cycle answered = grant(p, p->started - p->outstanding);
                if (answered > f->depth) wait_for_memory(f, answered - f->depth);
            }
        } else {
            while (p->requested < bursts && p->requested < p->started + p->outstanding) {
                const int left = words - int(p->requested) * p->burst;
                ask(p, f->now, left < p->burst ? left : p->burst);
            }
        }
    }
    if (!writes) wait_for_memory(f, grant(p, p->started) + p->in_burst);
    if (index == 0) p->frames.back().first = f->now + (writes ? f->depth : 0);
    const bool burst_done = ++p->in_burst == p->burst || last;
    if (writes && burst_done) ask(p, f->now + f->depth, p->in_burst);
    if (burst_done) {
        p->in_burst = 0;
        ++p->started;
    }
    if (last && writes) {
        finish_iteration(f);
        p->frames.back().last = f->now + f->depth;
        wait_for_memory(f, grant(p, p->started - 1));
        p->frames.back().done = f->now;
    } else if (last) {
        p->frames.back().last = p->frames.back().done = f->now;
    }
}

// ------------------------------------------------------------------------------------------------- streams

inline void wake(fibre *&who) {
    if (who == nullptr) return;
    all().ready.push_back(who);
    who = nullptr;
}

// The iteration's cycle is settled: its words and slots become visible to others.
__attribute__((noinline)) inline void publish(fibre *f) {
    for (int i = 0; i < f->accesses; ++i) {
        const access &a = f->pending[i];
        if (a.written) {
            a.fifo->when[a.slot] = f->now + f->depth + 1;
            ++a.fifo->words;
            wake(a.fifo->reader);
        } else {
            a.fifo->count(a.slot, a.fifo->when[a.slot] - 1, f->now + 1);
            a.fifo->when[a.slot] = f->now + 1;
            ++a.fifo->room;
            wake(a.fifo->writer);
        }
    }
    f->accesses = 0;
}

inline void finish_iteration(fibre *f) {
    if (f->accesses != 0) publish(f);
}

inline void step() {
    fibre *f = running();
    finish_iteration(f);
    ++f->now;
}

inline void tick() {
    step();
    ++running()->trips;
}

inline void note(fibre *f, channel *fifo, size_t slot, bool written) {
    if (f->accesses == MOST_ACCESSES) {
        std::fprintf(stderr, "%s: an iteration touches too many streams\n", f->name.c_str());
        std::abort();
    }
    const access a = {fifo, slot, written};
    f->pending[f->accesses++] = a;
}

__attribute__((noinline)) inline void wait_on(fibre *f, channel *fifo, bool write) {
    (write ? fifo->writer : fifo->reader) = f;
    f->on = fifo;
    f->on_write = write;
    next();
    f->on = nullptr;
}

inline size_t take(channel *fifo) {
    fibre *f = running();
    while (fifo->words == 0) wait_on(f, fifo, false);
    const size_t slot = fifo->head;
    fifo->head = fifo->after(slot);
    --fifo->words;
    if (fifo->when[slot] > f->now) {
        f->wait_read += fifo->when[slot] - f->now;
        f->now = fifo->when[slot];
    }
    note(f, fifo, slot, false);
    return slot;
}

inline size_t put(channel *fifo) {
    fibre *f = running();
    while (fifo->room == 0) wait_on(f, fifo, true);
    const size_t slot = fifo->tail;
    fifo->tail = fifo->after(slot);
    --fifo->room;
    if (fifo->when[slot] > f->now + f->depth) {
        f->wait_write += fifo->when[slot] - f->depth - f->now;
        f->now = fifo->when[slot] - f->depth;
    }
    note(f, fifo, slot, true);
    return slot;
}

// ------------------------------------------------------------------------------------------------- results

inline void deadlock() {
    simulation &s = all();
    std::fflush(s.results);
    std::fprintf(s.results, "{\"invocation\": %d, \"deadlock\": [", s.invocation);
    fibre *at = nullptr;
    for (const std::unique_ptr<fibre> &f : s.fibres)
        if (at == nullptr && !f->done) at = f.get();
    std::vector<fibre *> path;
    std::set<fibre *> seen;
    while (at != nullptr && !at->done && at->on != nullptr && seen.insert(at).second) {
        path.push_back(at);
        at = at->on_write ? at->on->consumer : at->on->producer;
    }
    // From where the walk closes on: the cycle. A walk that ends at a process that is done shows all of its steps.
    bool inside = at == nullptr || at->done || at->on == nullptr;
    const char *comma = "";
    for (fibre *f : path) {
        inside = inside || f == at;
        if (!inside) continue;
        std::fprintf(s.results, "%s{\"process\": \"%s\", \"waits\": \"%s\", \"stream\": \"%s\", \"depth\": %llu, \"cycle\": %llu}",
                     comma, f->name.c_str(), f->on_write ? "full" : "empty", f->on->name.c_str(),
                     (unsigned long long)f->on->depth, (unsigned long long)f->now);
        comma = ", ";
    }
    std::fprintf(s.results, "]}\n");
    std::fclose(s.results);
    std::_Exit(DEADLOCK);
}

inline void report() {
    simulation &s = all();
    cycle cycles = 0;
    for (const std::unique_ptr<fibre> &f : s.fibres) cycles = f->now > cycles ? f->now : cycles;
    std::fprintf(s.results, "{\"invocation\": %d, \"cycles\": %llu, \"processes\": {", s.invocation,
                 (unsigned long long)cycles);
    const char *comma = "";
    for (const std::unique_ptr<fibre> &f : s.fibres) {
        std::fprintf(s.results, "%s\"%s\": {\"busy\": %llu, \"wait_read\": %llu, \"wait_write\": %llu, \"wait_memory\": %llu, \"end\": %llu}",
                     comma, f->name.c_str(), (unsigned long long)f->trips, (unsigned long long)f->wait_read,
                     (unsigned long long)f->wait_write, (unsigned long long)f->wait_memory, (unsigned long long)f->now);
        comma = ", ";
    }
    std::fprintf(s.results, "}, \"streams\": {");
    comma = "";
    for (channel *c : s.channels) {
        std::fprintf(s.results, "%s\"%s\": {\"depth\": %llu, \"high_water\": %llu, \"words\": %llu}", comma,
                     c->name.c_str(), (unsigned long long)c->depth, (unsigned long long)c->high_water,
                     (unsigned long long)c->taken);
        comma = ", ";
    }
    std::fprintf(s.results, "}, \"ports\": {");
    comma = "";
    for (const std::unique_ptr<fibre> &f : s.fibres) {
        if (!f->memory) continue;
        std::fprintf(s.results, "%s\"%s\": [", comma, f->name.c_str());
        const char *between = "";
        for (const frame_times &t : f->memory->frames) {
            std::fprintf(s.results, "%s[%llu, %llu, %llu]", between, (unsigned long long)t.first,
                         (unsigned long long)t.last, (unsigned long long)t.done);
            between = ", ";
        }
        std::fprintf(s.results, "]");
        comma = ", ";
    }
    std::fprintf(s.results, "}}\n");
    std::fflush(s.results);
}

// ------------------------------------------------------------------------------------------------- set-up

// Lines: `memory COST`, `process NAME DEPTH`, `stream NAME DEPTH`, `port PROCESS ORDER LATENCY BURST OUTSTANDING`.
inline void open(const char *timing, const char *results) {
    simulation &s = all();
    std::ifstream file(timing);
    std::string kind, name;
    while (file >> kind) {
        if (kind == "memory") {
            file >> s.given.cost;
            continue;
        }
        file >> name;
        if (kind == "process") {
            file >> s.given.processes[name];
        } else if (kind == "stream") {
            file >> s.given.streams[name];
        } else {
            table::port_entry &p = s.given.ports[name];
            file >> p.order >> p.latency >> p.burst >> p.outstanding;
        }
    }
    s.results = std::fopen(results, "w");
    if (s.results == nullptr) {
        std::fprintf(stderr, "%s: cannot be written\n", results);
        std::exit(2);
    }
}

inline void attach(channel *fifo, const char *name) {
    simulation &s = all();
    fifo->name = name;
    const auto known = s.given.streams.find(name);
    fifo->depth = fifo->room = known == s.given.streams.end() ? 2 : known->second;
    fifo->when.assign(fifo->depth, 0);
    fifo->left.assign(fifo->depth, 0);
    s.channels.push_back(fifo);
}

inline fibre *spawn(const std::string &name, std::function<void()> body) {
    simulation &s = all();
    s.fibres.emplace_back(new fibre);
    fibre *f = s.fibres.back().get();
    f->name = name;
    f->body = body;
    const auto depth = s.given.processes.find(name);
    if (depth != s.given.processes.end()) f->depth = depth->second;
    const auto entry = s.given.ports.find(name);
    if (entry != s.given.ports.end()) {
        f->memory.reset(new port);
        f->memory->owner = f;
        f->memory->order = entry->second.order;
        f->memory->latency = entry->second.latency;
        f->memory->longest = entry->second.burst;
        f->memory->outstanding = entry->second.outstanding;
    }
    s.ready.push_back(f);
    return f;
}

// An argument of a process: producers are called before consumers.
inline void connect(fibre *f, channel *fifo) { (fifo->producer == nullptr ? fifo->producer : fifo->consumer) = f; }

// All processes have been called and no stream is gone yet: let them run to their ends.
inline void run() {
    simulation &s = all();
    if (s.fibres.empty()) return;
    s.memory_free = 0;
    next();
    report();
    s.fibres.clear();
    s.channels.clear();
    ++s.invocation;
}

}  // namespace timed
}  // namespace convmake

#endif
