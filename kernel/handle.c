#include "kernel/handle.h"

#include "base/memory.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/slice.h"

enum { CHUNKS_INITIAL = 2, GENERATION_MAX = 0x7fff };
enum { CLOSE_UNITS = 12 }; // of a slice's budget: what the handle named may go with it
static_assert(HANDLES_MAX == 1 << 16, "an index has 16 bits");

static uint64_t alive;

const struct handle handle_none = {.value = UINT64_MAX ^ 0xffff};

static struct handle *entry_at(const struct handle_table *table, uint32_t index) {
    return &table->chunk[index / HANDLE_CHUNK][index % HANDLE_CHUNK];
}

handle_t handle_value(const struct handle *handle, uint32_t index) {
    return (handle_t)handle->generation << 16 | index;
}

// ---- derivation ------------------------------------------------------------------------------------------------------

[[gnu::noinline]] static struct lineage *lineage_new(struct handle *handle) {
    struct lineage *place = slab_alloc_partly(sizeof *place, 0);
    if (place != nullptr) {
        place->handle = handle;
        place->parent = nullptr;
        list_init(&place->children);
        list_init(&place->siblings);
    }
    return place;
}

static void lineage_free(struct lineage *place) {
    list_remove(&place->siblings);
    slab_free(place, sizeof *place);
}

// A place without a handle is kept only while it joins two or more below it, and an origin's only while something is
// derived from it.
[[gnu::noinline]] static void lineage_tidy(struct lineage *place) {
    struct list *first = list_first(&place->children);
    if (place->handle != nullptr) {
        if (first == nullptr && place->parent == nullptr) {
            place->handle->lineage = nullptr;
            lineage_free(place);
        }
        return;
    }
    if (first != nullptr && list_next(&place->children, first) != nullptr) {
        return;
    }
    struct lineage *parent = place->parent;
    struct lineage *changed = parent; // it has lost one below, unless an heir steps in
    if (first != nullptr) {
        struct lineage *heir = container_of(first, struct lineage, siblings);
        list_remove(&heir->siblings);
        heir->parent = parent;
        if (parent != nullptr) {
            list_insert_after(&place->siblings, &heir->siblings);
        }
        changed = parent == nullptr ? heir : nullptr; // which may be an origin now
    }
    lineage_free(place);
    // Nothing above changes: an empty place joined two or more, and one with a handle stays or has nothing above it.
    if (changed != nullptr) {
        lineage_tidy(changed);
    }
}

// The spare place, for a handle that is derived from parent, below parent's.
static struct lineage *lineage_derive(struct handle_table *table, struct handle *parent) {
    struct lineage *place = table->spare;
    table->spare = nullptr;
    place->parent = parent->lineage;
    list_push_back(&place->parent->children, &place->siblings);
    return place;
}

// What that takes is there: a place of parent's, and a spare one.
static bool lineage_at_hand(const struct handle_table *table, const struct handle *parent) {
    return parent == nullptr || (parent->lineage != nullptr && table->spare != nullptr);
}

// Have it there. ERR_NO_MEMORY: nothing has changed.
static status_t lineage_provide(struct handle_table *table, struct handle *parent) {
    if (parent->lineage == nullptr) {
        parent->lineage = lineage_new(parent);
        if (parent->lineage == nullptr) {
            return ERR_NO_MEMORY;
        }
    }
    if (table->spare == nullptr) {
        table->spare = lineage_new(nullptr);
        if (table->spare == nullptr) {
            lineage_tidy(parent->lineage);
            return ERR_NO_MEMORY;
        }
    }
    return 0;
}

static void lineage_drop(struct handle_table *table, struct handle *handle) {
    struct lineage *place = handle->lineage;
    if (place == nullptr) {
        return;
    }
    handle->lineage = nullptr;
    place->handle = nullptr;
    struct lineage *parent = place->parent;
    if (parent == nullptr || !list_empty(&place->children) || table->spare != nullptr) {
        lineage_tidy(place);
        return;
    }
    // A leaf, as most are: the next handle takes its place.
    list_remove(&place->siblings);
    table->spare = place;
    if (parent->handle == nullptr || (parent->parent == nullptr && list_empty(&parent->children))) {
        lineage_tidy(parent);
    }
}

// ---- the table -------------------------------------------------------------------------------------------------------

// Room for one more fresh entry.
static status_t table_grow(struct handle_table *table) {
    uint32_t index = table->fresh / HANDLE_CHUNK;
    if (index >= table->chunk_capacity) {
        uint32_t capacity = table->chunk_capacity == 0 ? CHUNKS_INITIAL : table->chunk_capacity * 2;
        struct handle **chunk = slab_alloc(capacity * sizeof *chunk);
        if (chunk == nullptr) {
            return ERR_NO_MEMORY;
        }
        if (table->chunk != nullptr) {
            memcpy(chunk, table->chunk, table->chunk_capacity * sizeof *chunk);
            slab_free(table->chunk, table->chunk_capacity * sizeof *chunk);
        }
        table->chunk = chunk;
        table->chunk_capacity = capacity;
    }
    if (table->chunk[index] == nullptr) {
        table->chunk[index] = slab_alloc(HANDLE_CHUNK * sizeof(struct handle));
        if (table->chunk[index] == nullptr) {
            return ERR_NO_MEMORY;
        }
    }
    return 0;
}

static uint32_t ability(uint32_t rights, uint32_t right, uint32_t ability) {
    return (rights & right) != 0 ? ability : 0;
}

static uint32_t abilities(enum object_kind kind, uint32_t rights) {
    switch (kind) {
    case OBJECT_CONNECTION:
        return ability(rights, RIGHT_CALL, HANDLE_CALL) | ability(rights, RIGHT_WRITE, HANDLE_SEND);
    case OBJECT_CHANNEL:
        return ability(rights, RIGHT_READ, HANDLE_SERVE);
    case OBJECT_NOTIFIER:
        return ability(rights, RIGHT_WRITE, HANDLE_SIGNAL) | ability(rights, RIGHT_READ, HANDLE_TAKE);
    default:
        return 0;
    }
}

// Have a free entry and, for one derived from parent, places. ERR_NO_MEMORY.
static status_t entry_provide(struct handle_table *table, struct handle *parent) {
    if (table->free_head == 0) {
        status_t status = table_grow(table);
        if (status < 0) {
            return status;
        }
    }
    if (parent != nullptr) {
        status_t status = lineage_provide(table, parent);
        if (status < 0) {
            return status;
        }
    }
    if (table->free_head == 0) {
        table->free_head = ++table->fresh;
    }
    return 0;
}

// Into the first free entry, and with the spare place.
static void entry_take(struct handle_table *table, struct object *object, uint32_t rights, uint64_t badge,
                       struct handle *parent, handle_t *value) {
    struct lineage *place = parent != nullptr ? lineage_derive(table, parent) : nullptr;
    uint32_t index = table->free_head - 1;
    struct handle *entry = entry_at(table, index);
    table->free_head = (uint32_t)entry->badge;
    entry->generation = entry->generation == GENERATION_MAX ? 1 : entry->generation + 1;
    KASSERT(entry->object == nullptr);
    if (place != nullptr) {
        place->handle = entry;
    }
    entry->object = object;
    entry->table = table;
    list_push_back(&object->holders, &entry->holder);
    entry->lineage = place;
    entry->badge = badge;
    entry->value = handle_value(entry, index);
    entry->rights = (uint8_t)rights;
    entry->abilities = abilities(object->ops->kind, rights);
    table->used++;
    alive++;
    object_handle_added(object);
    *value = (handle_t)entry->value;
}

[[gnu::noinline]] static status_t insert_anyhow(struct handle_table *table, struct object *object, uint32_t rights,
                                                uint64_t badge, struct handle *parent, handle_t *value) {
    status_t status = entry_provide(table, parent);
    if (status == 0) {
        entry_take(table, object, rights, badge, parent, value);
    }
    return status;
}

status_t handle_insert(struct handle_table *table, struct object *object, uint32_t rights, uint64_t badge,
                       struct handle *parent, handle_t *value) {
    if (table->used >= HANDLES_MAX) {
        return ERR_LIMIT;
    }
    if (table->free_head == 0 || !lineage_at_hand(table, parent)) {
        return insert_anyhow(table, object, rights, badge, parent, value);
    }
    entry_take(table, object, rights, badge, parent, value);
    return 0;
}

status_t handle_find(struct handle_table *table, handle_t value, struct handle **handle) {
    uint32_t index = value & 0xffff;
    if (index >= table->fresh) {
        return ERR_BAD_HANDLE;
    }
    struct handle *entry = entry_at(table, index);
    if (entry->value != value) {
        return ERR_BAD_HANDLE;
    }
    *handle = entry;
    return 0;
}

status_t handle_get(struct handle_table *table, handle_t value, enum object_kind kind, uint32_t rights,
                    struct object **object) {
    struct handle *handle;
    status_t status = handle_find(table, value, &handle);
    if (status < 0) {
        return status;
    }
    if (handle->object->ops->kind != kind) {
        return ERR_WRONG_KIND;
    }
    if ((handle->rights & rights) != rights) {
        return ERR_RIGHTS;
    }
    *object = handle->object;
    return 0;
}

// Free the entry first: what follows from the object's loss may look at this table again.
static void entry_close(struct handle_table *table, struct handle *entry, uint32_t index) {
    struct object *object = entry->object;
    lineage_drop(table, entry);
    list_remove(&entry->holder);
    entry->object = nullptr;
    entry->value = index ^ 1;
    entry->abilities = 0; // a fast path remembers the entry, and its value can be guessed
    entry->badge = table->free_head;
    table->free_head = index + 1;
    table->used--;
    alive--;
    object_handle_gone(object);
}

status_t handle_close(struct handle_table *table, handle_t value) {
    struct handle *entry;
    status_t status = handle_find(table, value, &entry);
    if (status < 0) {
        return status;
    }
    entry_close(table, entry, value & 0xffff);
    return 0;
}

struct handle *handle_next(struct handle_table *table, uint32_t *index) {
    for (unsigned visited = 0; *index < table->fresh && visited < HANDLE_VISIT_MAX; ++*index, visited++) {
        struct handle *entry = entry_at(table, *index);
        if (entry->object != nullptr) {
            return entry;
        }
    }
    return nullptr;
}

bool handle_table_destroy(struct handle_table *table, unsigned *budget) {
    // A chunk may have been taken for an entry that was then not made.
    uint32_t spare = (table->fresh + HANDLE_CHUNK - 1) / HANDLE_CHUNK;
    if (spare < table->chunk_capacity) {
        slab_free(table->chunk[spare], HANDLE_CHUNK * sizeof(struct handle));
        table->chunk[spare] = nullptr;
    }
    // From the end, so that what is left is always a table that can be listed.
    while (table->fresh > 0) {
        if (*budget == 0) {
            return false;
        }
        uint32_t index = --table->fresh;
        struct handle *entry = entry_at(table, index);
        slice_spend(budget, entry->object != nullptr ? CLOSE_UNITS : 1);
        if (entry->object != nullptr) {
            entry_close(table, entry, index);
        }
        if (index % HANDLE_CHUNK == 0) {
            slab_free(table->chunk[index / HANDLE_CHUNK], HANDLE_CHUNK * sizeof(struct handle));
            table->chunk[index / HANDLE_CHUNK] = nullptr;
        }
    }
    KASSERT(table->used == 0);
    slab_free(table->chunk, table->chunk_capacity * sizeof *table->chunk);
    slab_free(table->spare, sizeof *table->spare);
    *table = (struct handle_table){};
    return true;
}

uint64_t handle_count(void) {
    return alive;
}
