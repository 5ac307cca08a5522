"""The text of a C file around a nest: the functions that the nest calls."""

HEAD = """//
// Computes the layer in the mapping's order, with what the L2 and each PE's L1 hold.
//
//     output[n, g, k, y, x] += weight[g, k, c, r, s] * input[n, g, c, STRIDE_Y*y + DILATION_Y*r, STRIDE_X*x + DILATION_X*s]
//
// `run` computes the output; the input includes its padding. As a program (cc -O2 FILE) it computes the layer on made-up integers,
// compares with the direct convolution, and prints a checksum and the words that moved. With -DNO_MAIN there is no `main`.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t word;

// The layer, then units of levels and chunk sizes of dims, both by level."""

BEFORE = """
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// Indices of a dim, from a start to before a stop.
typedef struct {
    long start, stop;
} range;

static inline range whole(long extent) { return (range){0, extent}; }

// A chunk of a range: the last one may be shorter, and those past the end are empty.
static inline range chunk(range tile, long size, long number) {
    long start = tile.start + number * size;
    return (range){start, MAX(start, MIN(start + size, tile.stop))};
}

// How many chunks a range has.
static inline long trips(range tile, long size) { return (tile.stop - tile.start + size - 1) / size; }

// The coordinates along an axis of a tensor: stride * output + dilation * tap. An axis of a single dim has the tap 0 alone.
typedef struct {
    range outputs, taps;
    long stride, dilation;
} axis;

typedef struct {
    axis axes[5];
} tile;

static axis plain(range indices) { return (axis){indices, {0, 1}, 1, 1}; }

static tile weight_tile(range g, range k, range c, range r, range s) {
    return (tile){{plain(g), plain(k), plain(c), plain(r), plain(s)}};
}

static tile input_tile(range n, range g, range c, range y, range r, range x, range s) {
    return (tile){{plain(n), plain(g), plain(c), {y, r, STRIDE_Y, DILATION_Y}, {x, s, STRIDE_X, DILATION_X}}};
}

static tile output_tile(range n, range g, range k, range y, range x) {
    return (tile){{plain(n), plain(g), plain(k), plain(y), plain(x)}};
}

static int is_empty_range(range r) { return r.start == r.stop; }

static int is_empty(const tile *t) {
    for (int i = 0; i < 5; i++)
        if (is_empty_range(t->axes[i].outputs) || is_empty_range(t->axes[i].taps)) return 1;
    return 0;
}

static int same(const tile *t, const tile *other) { return memcmp(t, other, sizeof *t) == 0; }

static int axis_has(const axis *a, long at) {
    for (long tap = a->taps.start; tap < a->taps.stop; tap++) {
        long rest = at - a->dilation * tap;
        if (rest >= a->stride * a->outputs.start && rest < a->stride * a->outputs.stop && rest % a->stride == 0) return 1;
    }
    return 0;
}

static int has(const tile *t, const long at[5]) {
    for (int i = 0; i < 5; i++)
        if (!axis_has(&t->axes[i], at[i])) return 0;
    return 1;
}

static long first_of(const axis *a) { return a->stride * a->outputs.start + a->dilation * a->taps.start; }

// The coordinates of a tile one after the other: `first` and `next` are 0 where there is none.
static int first(const tile *t, long at[5]) {
    for (int i = 0; i < 5; i++) at[i] = first_of(&t->axes[i]);
    return !is_empty(t);
}

static int next(const tile *t, long at[5]) {
    for (int i = 4; i >= 0; i--) {
        const axis *a = &t->axes[i];
        long last = a->stride * (a->outputs.stop - 1) + a->dilation * (a->taps.stop - 1);
        do at[i]++;
        while (at[i] <= last && !axis_has(a, at[i]));
        if (at[i] <= last) return 1;
        at[i] = first_of(a);
    }
    return 0;
}

// A word is at its coordinates, divided by the axis's step, modulo the axis's size.
typedef struct {
    long sizes[5], steps[5];
} shape;

// Words of one tensor.
typedef struct {
    word *words;
    shape at;
    tile holds;
    long came;        // words that came in
    long sent;        // words that went on to the PEs, one that several of them get in a step counted once
    long *last_sent;  // the step in which each word was, counted from 1
} buffer;

// A memory's buffers.
typedef struct {
    buffer *weight, *input, *output;
} store;

static long words_of(shape s) { return s.sizes[0] * s.sizes[1] * s.sizes[2] * s.sizes[3] * s.sizes[4]; }

static void *zeros(long count, size_t size) {
    void *found = calloc((size_t)count, size);
    if (found) return found;
    fprintf(stderr, "out of memory\\n");
    exit(1);
}

// A buffer around words that there are, or else of zeros.
static buffer *make_buffer(word *words, shape at) {
    buffer *made = zeros(1, sizeof(buffer));
    made->at = at;
    made->words = words ? words : zeros(words_of(at), sizeof(word));
    made->last_sent = zeros(words_of(at), sizeof(long));
    return made;
}

static long place(const buffer *b, const long at[5]) {
    long found = 0;
    for (int i = 0; i < 5; i++) found = found * b->at.sizes[i] + at[i] / b->at.steps[i] % b->at.sizes[i];
    return found;
}

static void count(buffer *b, buffer *source, long there, long step) {
    b->came++;
    source->sent += source->last_sent[there] != step + 1;
    source->last_sent[there] = step + 1;
}

// Fetches the words of a tile that are not there.
static void fill(buffer *b, tile t, buffer *source, long step) {
    long at[5];
    if (same(&t, &b->holds)) return;
    for (int more = first(&t, at); more; more = next(&t, at)) {
        if (has(&b->holds, at)) continue;
        long there = place(source, at);
        b->words[place(b, at)] = source->words[there];
        count(b, source, there, step);
    }
    b->holds = t;
}

static void forget(buffer *b) { memset(&b->holds, 0, sizeof b->holds); }

// Begins on a tile of outputs: with their partial sums, which leave the source, so that one PE alone has them; or at zero.
static void take(buffer *b, tile t, buffer *source, long step, int partial_sums) {
    long at[5];
    for (int more = first(&t, at); more; more = next(&t, at)) {
        long there = place(source, at);
        b->words[place(b, at)] = partial_sums ? source->words[there] : 0;
        if (partial_sums) source->words[there] = 0;
        count(b, source, there, step);
    }
    b->holds = t;
}

// Adds the outputs that a buffer holds to those of the target; it holds them no more.
static void give(buffer *b, buffer *target) {
    long at[5];
    for (int more = first(&b->holds, at); more; more = next(&b->holds, at))
        target->words[place(target, at)] += b->words[place(b, at)];
    forget(b);
}

// Brings all outputs to memory.
static void drain(const store *l1, store l2, store memory) {
    for (long pe = 0; pe < PES; pe++) give(l1[pe].output, l2.output);
    if (l2.output != memory.output) give(l2.output, memory.output);
}

// Where the L2's tile of outputs changes, brings the old one to memory, and the new one's partial sums from there.
static inline void exchange_outputs(const store *l1, store l2, tile t, store memory, long step) {
    if (same(&t, &l2.output->holds)) return;
    drain(l1, l2, memory);
    take(l2.output, t, memory.output, step, 1);
}

// What one PE does with a tile of W or I: an idle one fetches nothing, and keeps what it holds.
static void keep(buffer *b, tile t, buffer *source, long step, int idle) {
    if (is_empty(&t)) forget(b);
    else if (!idle) fill(b, t, source, step);
}

// The MACs of one PE in a step, on what its L1 holds.
static void multiply(store pe, range g, range n, range k, range c, range r, range s, range y, range x) {
#define EACH(d) for (long d##_ = d.start; d##_ < d.stop; d##_++)
    EACH(g) EACH(n) EACH(k) EACH(y) EACH(x) {
        word sum = 0;
        EACH(c) EACH(r) EACH(s) {
            long w[5] = {g_, k_, c_, r_, s_};
            long i[5] = {n_, g_, c_, STRIDE_Y * y_ + DILATION_Y * r_, STRIDE_X * x_ + DILATION_X * s_};
            sum += pe.weight->words[place(pe.weight, w)] * pe.input->words[place(pe.input, i)];
        }
        long o[5] = {n_, g_, k_, y_, x_};
        pe.output->words[place(pe.output, o)] += sum;
    }
}

// What one PE does in a step: it fetches what its L1 lacks, and does the MACs of its chunks. It is idle where one is empty.
static void work(store pe, store l2, long step, range g, range n, range k, range c, range r, range s, range y, range x) {
    range chunks[8] = {g, n, k, c, r, s, y, x};
    int idle = 0;
    for (int i = 0; i < 8; i++) idle = idle || is_empty_range(chunks[i]);
    keep(pe.weight, weight_tile(g, k, c, r, s), l2.weight, step, idle);
    keep(pe.input, input_tile(n, g, c, y, r, x, s), l2.input, step, idle);
    tile outputs = output_tile(n, g, k, y, x);
    if (!same(&outputs, &pe.output->holds)) {
        give(pe.output, l2.output);
        if (!idle) take(pe.output, outputs, l2.output, step, REDUCTION);
    }
    if (!idle) multiply(pe, g, n, k, c, r, s, y, x);
}

// Words moved, by tensor (weight, input, output), under the names of `mapsearch evaluate --json`.
typedef struct {
    long l1_fill_words[3], l2_to_l1_words[3], offchip_read_words[3], offchip_write_words;
} moved;

static void count_moved(moved *counts, const store *l1, store l2, store memory) {
    buffer *middle[3] = {l2.weight, l2.input, l2.output}, *outer[3] = {memory.weight, memory.input, memory.output};
    for (int i = 0; i < 3; i++) {
        long fills = 0, is_output = i == 2;
        for (long pe = 0; pe < PES; pe++) fills += (i == 0 ? l1[pe].weight : i == 1 ? l1[pe].input : l1[pe].output)->came;
        counts->l1_fill_words[i] = fills;
        counts->l2_to_l1_words[i] = MULTICAST || is_output ? middle[i]->sent : fills;
        long through = REDUCTION || !is_output ? counts->l2_to_l1_words[i] : fills;
        counts->offchip_read_words[i] = middle[i] == outer[i] ? through : middle[i]->came;
    }
    counts->offchip_write_words = counts->offchip_read_words[2];
    counts->offchip_read_words[2] -= words_of(memory.output->at);
}

static void free_buffer(buffer *b) {
    free(b->last_sent);
    free(b);
}

static void free_store(store s, store outside) {
    buffer *all[3] = {s.weight, s.input, s.output}, *not[3] = {outside.weight, outside.input, outside.output};
    for (int i = 0; i < 3; i++) {
        if (all[i] == not[i]) continue;
        free(all[i]->words);
        free_buffer(all[i]);
    }
}

// The output[N][G][K][Y][X] of weight[G][K][C][R][S] and input[N][G][C][ROWS][COLUMNS].
// counts: NULL, or where to put the words moved.
void run(const word *weight, const word *input, word *output, moved *counts) {
    memset(output, 0, sizeof(word) * (N * G * K * Y * X));
    store memory = {make_buffer((word *)weight, (shape){{G, K, C, R, S}, {1, 1, 1, 1, 1}}),
                    make_buffer((word *)input, (shape){{N, G, C, ROWS, COLUMNS}, {1, 1, 1, 1, 1}}),
                    make_buffer(output, (shape){{N, G, K, Y, X}, {1, 1, 1, 1, 1}})};"""

AFTER = """    drain(l1, l2, memory);
    if (counts) count_moved(counts, l1, l2, memory);
    for (long pe = 0; pe < PES; pe++) free_store(l1[pe], memory);
    free(l1);
    free_store(l2, memory);
    free_buffer(memory.weight), free_buffer(memory.input), free_buffer(memory.output);
}

#ifndef NO_MAIN

// Integers from -8 to 8.
static word *made_up(long count, uint64_t seed) {
    word *made = zeros(count, sizeof(word));
    for (long i = 0; i < count; i++) made[i] = (word)(((seed + (uint64_t)i) * 2654435761u % 4294967296u >> 16) % 17) - 8;
    return made;
}

// Whether the output is that of the direct convolution.
static int is_direct(const word *weight, const word *input, const word *output) {
    for (long n = 0; n < N; n++) for (long g = 0; g < G; g++) for (long k = 0; k < K; k++)
    for (long y = 0; y < Y; y++) for (long x = 0; x < X; x++) {
        word sum = 0;
        for (long c = 0; c < C; c++) for (long r = 0; r < R; r++) for (long s = 0; s < S; s++)
            sum += weight[(((g * K + k) * C + c) * R + r) * S + s] *
                   input[(((n * G + g) * C + c) * ROWS + STRIDE_Y * y + DILATION_Y * r) * COLUMNS + STRIDE_X * x + DILATION_X * s];
        if (output[(((n * G + g) * K + k) * Y + y) * X + x] != sum) return 0;
    }
    return 1;
}

static void print_words(const char *name, const long words[3]) {
    printf("%s weight %ld input %ld output %ld\\n", name, words[0], words[1], words[2]);
}

int main(void) {
    word *weight = made_up(G * K * C * R * S, 1), *input = made_up(N * G * C * ROWS * COLUMNS, 2);
    word *output = zeros(N * G * K * Y * X, sizeof(word));
    moved counts;
    run(weight, input, output, &counts);
    int equal = is_direct(weight, input, output);
    word checksum = 0;
    for (long i = 0; i < N * G * K * Y * X; i++) checksum += output[i] * (i % 1009 + 1);
    printf("checksum %lld, %s the direct convolution\\n", (long long)checksum, equal ? "equal to" : "NOT");
    print_words("l1_fill_words", counts.l1_fill_words);
    print_words("l2_to_l1_words", counts.l2_to_l1_words);
    print_words("offchip_read_words", counts.offchip_read_words);
    printf("offchip_write_words %ld\\n", counts.offchip_write_words);
    free(weight), free(input), free(output);
    return equal ? 0 : 1;
}

#endif
"""
