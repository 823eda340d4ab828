// Token-level simulation of one partition: the same rules as process.py, fifo.py and machine.py, compiled.
//
// A process runs until it must wait; with all waiting, the memory serves its earliest request; with none, that is a
// deadlock. Times do not depend on the order in which processes take turns.
#include <cstddef>
#include <cstdint>
#include <queue>
#include <tuple>
#include <vector>

namespace {

typedef int64_t cycle;

const cycle unbounded = cycle(1) << 40;  // a FIFO of at least this depth never fills
const cycle fraction = 1024;  // the memory's time has steps of 1/1024 cycle
enum kind_of_process { streams = 0, reader = 1, writer = 2 };

// A first-in first-out list in a ring.
template <class T> struct ring {
    std::vector<T> items;
    size_t head = 0, count = 0;
    explicit ring(size_t room = 0) : items(room ? room : 1) {}
    bool empty() const { return count == 0; }
    const T &front() const { return items[head]; }
    void pop() {
        if (++head == items.size()) head = 0;
        --count;
    }
    void push(T value) {
        if (count == items.size()) grow();
        size_t at = head + count;
        if (at >= items.size()) at -= items.size();
        items[at] = value;
        ++count;
    }
    void grow() {
        std::vector<T> larger(items.size() * 2);
        for (size_t k = 0; k < count; ++k) larger[k] = items[(head + k) % items.size()];
        items.swap(larger);
        head = 0;
    }
};

const size_t first_room = 64;  // a ring grows when it must: unbounded FIFOs are mostly empty
const cycle most_room = cycle(1) << 16;  // FIFOs up to this depth get all of it at once where no marks are kept

struct process;

// Times of the words of a FIFO, by their number; a power of two of the last ones is kept.
struct times {
    std::vector<cycle> items;
    int64_t mask;
    void make(size_t least) {
        size_t room = first_room;
        while (room < least) room *= 2;
        items.assign(room, 0);
        mask = int64_t(room) - 1;
    }
    cycle &operator[](int64_t number) { return items[size_t(number & mask)]; }
    void grow(int64_t from, int64_t to) {  // twice as many; the words `from` to `to` are kept
        std::vector<cycle> larger(items.size() * 2);
        const int64_t wider = int64_t(larger.size()) - 1;
        for (int64_t k = from; k < to; ++k) larger[size_t(k & wider)] = (*this)[k];
        items.swap(larger);
        mask = wider;
    }
};

struct fifo {
    cycle depth = 0;
    int64_t written = 0, read = 0, high_water = 0;
    int64_t held = 0;  // the first word that was still there when the last one read had come
    times came, left;  // cycles from which a word can be read, and from which its slot is free
    process *waiting_reader = nullptr, *waiting_writer = nullptr;
    bool empty() const { return written == read; }
    bool has_slot() const { return written - read < depth; }
    cycle word() { return came[read]; }
    cycle slot() { return written < depth ? 0 : left[written - depth]; }
    int64_t first_kept() const {  // of `left`: the next slot to be written, or what the high-water mark needs
        const int64_t next = depth >= unbounded ? held : written < depth ? 0 : written - depth;
        return next < held ? next : held;
    }
};

struct run {  // `count` equal accesses
    cycle count, trips, reads, writes;
};

struct pace {  // of events, `times` times; iterations behind the last event
    int64_t events;
    cycle idle;
    int64_t times;
};

struct process {
    int index = 0, kind = streams;
    cycle depth = 0, now = 0, wait_read = 0, wait_write = 0, wait_memory = 0, end = 0;
    std::vector<fifo *> inputs, outputs;
    bool done = false, stepped = false, waits_full = false;
    int waits_for = -1;
    // A process between streams: what comes before the frames, and paces that are each followed so many times.
    const run *before = nullptr;
    int64_t before_count = 0, before_at = 0, repeated = 0;
    const pace *paces = nullptr;
    const int32_t *const *trips = nullptr;
    const uint8_t *const *masks = nullptr;  // reads in the low four bits, writes in the high ones
    int64_t pace_count = 0, pace_at = 0, event = 0, frame = 0;
    // A process at a memory port.
    int64_t order = 0, latency = 0, burst = 1, outstanding = 1, header = 0, transfers = 0, transfer = -1, word = 0;
    const int64_t *sizes = nullptr;
    std::vector<cycle> granted;
    int64_t requested = 0;
    bool waiting = false, asked = false, counted = false;
    cycle first = 0, last = 0;
    cycle *times = nullptr;
};

struct request {
    cycle at;
    int64_t order, serial, words;
    process *owner;
    bool operator>(const request &other) const {
        return std::tie(at, order, serial) > std::tie(other.at, other.order, other.serial);
    }
};

// With `marks`, high-water marks are kept, and FIFOs of any depth; without, the rings never grow.
template <bool marks> struct machine {
    std::vector<fifo> fifos;
    std::vector<process> processes;
    ring<process *> ready{first_room};
    std::priority_queue<request, std::vector<request>, std::greater<request> > requests;
    cycle cost = 0, memory_free = 0;
    int64_t serial = 0;

    void ask(process &p, cycle at, cycle words) {
        requests.push(request{at, p.order, serial++, words, &p});
        ++p.requested;
    }

    void serve() {
        const request r = requests.top();
        requests.pop();
        const cycle start = r.at * fraction > memory_free ? r.at * fraction : memory_free;
        memory_free = start + r.words * cost;
        const cycle begin = (start + fraction - 1) / fraction, end = (memory_free + fraction - 1) / fraction;
        const cycle answer = r.owner->kind == writer ? (begin + r.words > end ? begin + r.words : end)
                                                     : (begin > end - r.words ? begin : end - r.words);
        r.owner->granted.push_back(answer + r.owner->latency);
        if (r.owner->waiting) {
            r.owner->waiting = false;
            ready.push(r.owner);
        }
    }

    void block(process &p, fifo &f, bool full) {
        (full ? f.waiting_writer : f.waiting_reader) = &p;
        p.waits_for = int(&f - fifos.data());
        p.waits_full = full;
    }

    void leave(fifo &f, cycle free) {  // the oldest word is taken; its slot is free from cycle `free`
        const cycle at = f.word();
        if (marks) {
            const int64_t kept = f.first_kept();
            if (f.read - kept > f.left.mask) f.left.grow(kept, f.read);
        }
        f.left[f.read] = free;
        if (marks)
            while (f.left[f.held] < at) ++f.held;
        ++f.read;
        if (marks && f.read - f.held > f.high_water) f.high_water = f.read - f.held;
        if (f.waiting_writer) {
            ready.push(f.waiting_writer);
            f.waiting_writer = nullptr;
        }
    }

    void enter(fifo &f, cycle at) {  // a word is written; it can be read from cycle `at`
        if (marks && f.written - f.read > f.came.mask) f.came.grow(f.read, f.written);
        f.came[f.written++] = at;
        if (f.waiting_reader) {
            ready.push(f.waiting_reader);
            f.waiting_reader = nullptr;
        }
    }

    // One access at `now`: false where it must wait.
    bool access(process &p, cycle &now, unsigned reads, unsigned writes) {
        for (unsigned k = 0, mask = reads; mask; ++k, mask >>= 1) {
            if (!(mask & 1)) continue;
            fifo &f = *p.inputs[k];
            if (f.empty()) return block(p, f, false), false;
            const cycle at = f.word();
            if (at > now) {
                p.wait_read += at - now;
                now = at;
            }
        }
        for (unsigned k = 0, mask = writes; mask; ++k, mask >>= 1) {
            if (!(mask & 1)) continue;
            fifo &f = *p.outputs[k];
            if (!f.has_slot()) return block(p, f, true), false;
            const cycle at = f.slot() - p.depth;
            if (at > now) {
                p.wait_write += at - now;
                now = at;
            }
        }
        for (unsigned k = 0, mask = reads; mask; ++k, mask >>= 1)
            if (mask & 1) leave(*p.inputs[k], now + 1);
        for (unsigned k = 0, mask = writes; mask; ++k, mask >>= 1)
            if (mask & 1) enter(*p.outputs[k], now + 1 + p.depth);
        return true;
    }

    // The accesses before the first frame: false where it must wait.
    bool before_frames(process &p) {
        for (; p.before_at < p.before_count; ++p.before_at, p.repeated = 0) {
            const run &r = p.before[p.before_at];
            for (; p.repeated < r.count; ++p.repeated) {
                if (!p.stepped) p.now += r.trips;
                p.stepped = !access(p, p.now, unsigned(r.reads), unsigned(r.writes));
                if (p.stepped) return false;
            }
        }
        return true;
    }

    bool between_streams(process &p) {
        if (!before_frames(p)) return false;
        for (; p.pace_at < p.pace_count; ++p.pace_at, p.frame = 0)
            if (!follow(p)) return false;
        p.end = p.now;
        return p.done = true;
    }

    // A pace of a process: false where it must wait.
    bool follow(process &p) {
        const int32_t *const trips = p.trips[p.pace_at];
        const uint8_t *const masks = p.masks[p.pace_at];
        const int64_t events = p.paces[p.pace_at].events, times = p.paces[p.pace_at].times;
        const cycle idle = p.paces[p.pace_at].idle;
        cycle now = p.now;
        fifo *const in = p.inputs.empty() ? nullptr : p.inputs[0], *const out = p.outputs.empty() ? nullptr : p.outputs[0];
        for (; p.frame < times; ++p.frame, p.event = 0) {
            int64_t event = p.event;
            if (p.stepped && event < events) now -= trips[event];  // it was added before the wait
            for (; event < events; ++event) {
                now += trips[event];
                if (masks[event] == 1 && !in->empty()) {  // most accesses: one word of the first input, or output
                    const cycle at = in->word();
                    if (at > now) {
                        p.wait_read += at - now;
                        now = at;
                    }
                    leave(*in, now + 1);
                } else if (masks[event] == 16 && out->has_slot()) {
                    const cycle at = out->slot() - p.depth;
                    if (at > now) {
                        p.wait_write += at - now;
                        now = at;
                    }
                    enter(*out, now + 1 + p.depth);
                } else if (!access(p, now, masks[event] & 15u, masks[event] >> 4)) {
                    p.event = event;
                    p.now = now;
                    p.stepped = true;
                    return false;
                }
            }
            p.stepped = false;
            now += idle;
            if (marks && !ready.empty() && p.frame + 1 < times) {  // a frame a turn: deep FIFOs hold no more than they must
                ++p.frame, p.event = 0, p.now = now;
                ready.push(&p);
                return false;
            }
        }
        p.now = now;
        return true;
    }

    bool reading(process &p) {
        for (; p.transfer < p.transfers; ++p.transfer, p.word = 0) {
            const bool own = p.transfer < 0;  // the header comes from the module itself
            if (own && !p.header) continue;
            const int64_t words = own ? 0 : p.sizes[p.transfer];
            const int64_t bursts = (words + p.burst - 1) / p.burst;
            if (p.word == 0 && !p.stepped) {
                p.granted.clear();
                p.requested = 0;
                p.first = 0;
            }
            for (; p.word < (words ? words : p.header); ++p.word) {
                if (!p.stepped) {
                    ++p.now;
                    p.stepped = true;
                    p.asked = p.counted = false;
                }
                if (words && !p.counted) {
                    const int64_t number = p.word / p.burst, place = p.word % p.burst;
                    if (place == 0 && !p.asked) {
                        while (p.requested < bursts && p.requested < number + p.outstanding) {
                            const int64_t rest = words - p.requested * p.burst;
                            ask(p, p.now, rest < p.burst ? rest : p.burst);
                        }
                        p.asked = true;
                    }
                    if (int64_t(p.granted.size()) <= number) {
                        p.waiting = true;
                        return false;
                    }
                    const cycle at = p.granted[size_t(number)] + place;
                    if (at > p.now) {
                        p.wait_memory += at - p.now;
                        p.now = at;
                    }
                    if (p.word == 0) p.first = p.now;
                    p.last = p.now;
                    p.counted = true;
                }
                fifo &f = *p.outputs[0];
                if (!f.has_slot()) return block(p, f, true), false;
                const cycle at = f.slot() - p.depth;
                if (at > p.now) {
                    p.wait_write += at - p.now;
                    p.now = at;
                }
                enter(f, p.now + p.depth + 1);
                p.stepped = false;
            }
            if (words) transferred(p, p.last, p.last);
        }
        p.end = p.now;
        return p.done = true;
    }

    void transferred(process &p, cycle last, cycle answered) {
        cycle *t = p.times + 3 * p.transfer;
        t[0] = p.first;
        t[1] = last;
        t[2] = answered;
    }

    bool writing(process &p) {
        for (; p.transfer < p.transfers; ++p.transfer, p.word = 0) {
            const int64_t words = p.transfer < 0 ? 0 : p.sizes[p.transfer];
            if (p.word == 0 && !p.stepped) {
                p.granted.clear();
                p.requested = 0;
                p.first = 0;
            }
            for (; p.word < (words ? words : p.header); ++p.word) {
                if (!p.stepped) {
                    ++p.now;
                    p.stepped = true;
                }
                fifo &f = *p.inputs[0];
                if (f.empty()) return block(p, f, false), false;
                cycle at = f.word();
                if (at > p.now) {
                    p.wait_read += at - p.now;
                    p.now = at;
                }
                const int64_t number = p.word / p.burst, place = p.word % p.burst;
                if (words && place == 0 && number >= p.outstanding) {
                    if (int64_t(p.granted.size()) <= number - p.outstanding) {
                        p.waiting = true;
                        return false;
                    }
                    at = p.granted[size_t(number - p.outstanding)] - p.depth;
                    if (at > p.now) {
                        p.wait_memory += at - p.now;
                        p.now = at;
                    }
                }
                if (p.word == 0) p.first = p.now + p.depth;
                if (words && (place == p.burst - 1 || p.word == words - 1)) ask(p, p.now + p.depth, place + 1);
                leave(f, p.now + 1);
                p.stepped = false;
            }
            if (words) {
                p.stepped = true;  // the transfer is not over before the memory has answered
                if (int64_t(p.granted.size()) < p.requested) {
                    p.waiting = true;
                    return false;
                }
                const cycle last = p.now + p.depth, answered = p.granted.back();
                if (answered > p.now) {
                    p.wait_memory += answered - p.now;
                    p.now = answered;
                }
                transferred(p, last, p.now);
                p.stepped = false;
            }
        }
        p.end = p.now;
        return p.done = true;
    }

    void simulate() {
        for (process &p : processes) ready.push(&p);
        for (;;) {
            while (!ready.empty()) {
                process &p = *ready.front();
                ready.pop();
                p.waits_for = -1;
                if (p.kind == streams)
                    between_streams(p);
                else if (p.kind == reader)
                    reading(p);
                else
                    writing(p);
            }
            if (requests.empty()) return;
            serve();
        }
    }
};

template <bool marks>
void simulate(int64_t processes, int64_t fifos, int64_t memory_cost, const int64_t *depths,
              const int64_t *given, const int64_t *ends, const int64_t *runs, const int64_t *paces,
              const int32_t *const *trips, const uint8_t *const *masks, const int64_t *transfers, int64_t *processes_out, int64_t *fifos_out,
              int64_t *transfers_out) {
    const int columns = 17;
    machine<marks> m;
    m.cost = memory_cost;
    m.fifos.resize(size_t(fifos));
    m.processes.resize(size_t(processes));
    for (int64_t k = 0; k < fifos; ++k) {
        fifo &f = m.fifos[size_t(k)];
        f.depth = depths[k];
        f.came.make(marks ? 0 : size_t(f.depth));
        f.left.make(marks ? 0 : size_t(f.depth));
    }
    for (int64_t k = 0; k < processes; ++k) {
        const int64_t *row = given + columns * k;
        process &p = m.processes[size_t(k)];
        p.index = int(k);
        p.kind = int(row[0]);
        p.depth = row[1];
        for (int64_t e = 0; e < row[3]; ++e) p.inputs.push_back(&m.fifos[size_t(ends[row[2] + e])]);
        for (int64_t e = 0; e < row[5]; ++e) p.outputs.push_back(&m.fifos[size_t(ends[row[4] + e])]);
        p.before = reinterpret_cast<const run *>(runs) + row[6];
        p.before_count = row[7];
        p.paces = reinterpret_cast<const pace *>(paces) + row[8];
        p.trips = trips + row[8];
        p.masks = masks + row[8];
        p.pace_count = row[9];
        p.order = row[10];
        p.latency = row[11];
        p.burst = row[12];
        p.outstanding = row[13];
        p.header = row[14];
        p.sizes = transfers + row[15];
        p.times = transfers_out + 3 * row[15];
        p.transfers = row[16];
    }
    m.simulate();
    for (int64_t k = 0; k < processes; ++k) {
        const process &p = m.processes[size_t(k)];
        int64_t *row = processes_out + 7 * k;
        row[0] = p.done;
        row[1] = p.waits_for;
        row[2] = p.waits_full;
        row[3] = p.wait_read;
        row[4] = p.wait_write;
        row[5] = p.wait_memory;
        row[6] = p.end;
    }
    for (int64_t k = 0; k < fifos; ++k) {
        fifos_out[2 * k] = m.fifos[size_t(k)].high_water;
        fifos_out[2 * k + 1] = m.fifos[size_t(k)].read;
    }
}

}  // namespace

// Rows of `given`, one a process: kind, depth, first input, inputs, first output, outputs (places in `ends`), first run,
// runs, first pace, paces, order, latency, burst, outstanding, header, first transfer, transfers.
// Rows of `processes_out`: done, FIFO waited for (-1: none), whether for room, wait_read, wait_write, wait_memory, end.
// Rows of `fifos_out`: high water (0 without `marks`), words passed. Rows of `transfers_out`: first, last, done.
extern "C" void convmake_simulate(int64_t marks, int64_t processes, int64_t fifos, int64_t memory_cost,
                                  const int64_t *depths, const int64_t *given, const int64_t *ends,
                                  const int64_t *runs, const int64_t *paces, const int32_t *const *trips,
                                  const uint8_t *const *masks,
                                  const int64_t *transfers, int64_t *processes_out, int64_t *fifos_out,
                                  int64_t *transfers_out) {
    bool deep = marks != 0;
    for (int64_t k = 0; k < fifos; ++k) deep = deep || depths[k] > most_room;
    (deep ? simulate<true> : simulate<false>)(processes, fifos, memory_cost, depths, given, ends, runs, paces, trips,
                                              masks, transfers, processes_out, fifos_out, transfers_out);
}
