// Arenas: chunks in a list, filled from the front.
#include "arena.h"

#include "base/memory.h"
#include "lib/memory.h"

enum { CHUNK_SIZE = 2000, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(ALIGNMENT) char bytes[];
};

void *arena_take(struct arena *arena, size_t size) {
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > arena->left) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        struct arena_chunk *chunk = malloc(sizeof *chunk + room);
        if (chunk == nullptr) {
            arena_exhausted();
        }
        chunk->next = arena->chunk;
        chunk->size = room;
        arena->chunk = chunk;
        arena->left = room;
    }
    char *taken = arena->chunk->bytes + (arena->chunk->size - arena->left);
    arena->left -= size;
    memset(taken, 0, size);
    return taken;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length) {
    char *copy = arena_take(arena, length + 1);
    memcpy(copy, bytes, length);
    return copy;
}

void arena_free(struct arena *arena) {
    while (arena->chunk != nullptr) {
        struct arena_chunk *next = arena->chunk->next;
        free(arena->chunk);
        arena->chunk = next;
    }
    arena->left = 0;
}
