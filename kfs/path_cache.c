#include "kfs/path_cache.h"

#include "base/hash.h"
#include "base/word.h"
#include "kernel/process.h"

enum { ENTRIES = 64 };

static struct path_cache_entry entries[ENTRIES];
static struct path_cache_stats stats;

// Nodes are marked with its lower half. Should that come round, a mark may look valid that is not, never the reverse.
uint64_t path_cache_generation = 1;

// The whole words before the tail.
static size_t whole_words(size_t length) {
    return (length - 1) / WORD_BYTES;
}

static uint64_t tail_of(const struct path_cache_key *key) {
    size_t whole = whole_words(key->length) * WORD_BYTES;
    return word_load(key->bytes + whole) << (8 * (WORD_BYTES - (key->length - whole)));
}

static uint64_t who_of(const struct process *caller) {
    return caller->owner | (uint64_t)caller->group << 32;
}

// Whoever chooses paths that meet at one place only makes them slower for himself and who uses them: the multiplier is
// no secret.
static struct path_cache_entry *place(const struct path_cache_key *key, uint64_t who, uint64_t tail) {
    constexpr uint64_t multiplier = 0x9e3779b97f4a7c15;
    uint64_t hash = key->start->id ^ who;
#pragma clang loop unroll(disable) // there are few
    for (size_t i = 0; i < whole_words(key->length); i++) {
        hash = hash_fold(hash ^ word_load(key->bytes + i * WORD_BYTES), multiplier);
    }
    return &entries[hash_fold(hash ^ tail, multiplier) % ENTRIES];
}

const struct path_cache_entry *path_cache_find(const struct path_cache_key *key) {
    uint64_t who = who_of(key->caller);
    uint64_t tail = tail_of(key);
    const struct path_cache_entry *entry = place(key, who, tail);
    if (entry->generation != path_cache_generation || entry->start != key->start || entry->who != who ||
        entry->length != key->length || entry->tail != tail) {
        return nullptr;
    }
#pragma clang loop unroll(disable)
    for (size_t i = 0; i < whole_words(key->length); i++) {
        if (entry->words[i] != word_load(key->bytes + i * WORD_BYTES)) {
            return nullptr;
        }
    }
    stats.found++;
    return entry;
}

void path_cache_add(const struct path_cache_key *key, struct node *directory, unsigned components) {
    uint64_t who = who_of(key->caller);
    uint64_t tail = tail_of(key);
    struct path_cache_entry *entry = place(key, who, tail);
    entry->generation = path_cache_generation;
    entry->start = key->start;
    entry->who = who;
    entry->directory = directory;
    entry->length = (uint16_t)key->length;
    entry->components = (uint16_t)components;
    entry->tail = tail;
    for (size_t i = 0; i < whole_words(key->length); i++) {
        entry->words[i] = word_load(key->bytes + i * WORD_BYTES);
    }
    stats.added++;
}

struct path_cache_stats path_cache_get_stats(void) {
    stats.voided = path_cache_generation - 1;
    return stats;
}
