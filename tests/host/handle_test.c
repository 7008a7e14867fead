// Handle tables and derivation against a naive model of who derives from whom.
#include <criterion/criterion.h>
#include <string.h>

#include "bare.h"
#include "kernel/handle.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "property.h"

enum { TABLES = 3, ALIVE_MAX = 600, OBJECTS = 4 };

static struct handle_table tables[TABLES];

// A handle that was once made. Closed ones stay in the model: they still tell what derives from what.
static struct model {
    bool open;
    unsigned table;
    handle_t value;
    unsigned object;
    uint32_t rights;
    uint64_t badge;
    int parent; // index; -1: an origin
} model[8192];
static unsigned made;

static struct object objects[OBJECTS];
static unsigned destroyed, unhandled_count;

static void destroy(struct object *) {
    destroyed++;
}

static void unhandled(struct object *) {
    unhandled_count++;
}

static const struct object_ops ops = {
    .kind = OBJECT_NOTIFIER, .name = "test", .destroy = destroy, .unhandled = unhandled};

static struct handle *entry_of(struct property *p, unsigned index) {
    struct handle *entry;
    property_equal(p, handle_find(&tables[model[index].table], model[index].value, &entry), 0);
    return entry;
}

static bool descends(unsigned index, int ancestor) {
    for (int at = model[index].parent; at >= 0; at = model[at].parent) {
        if (at == ancestor) {
            return true;
        }
    }
    return false;
}

// What lies below a place in the core's tree, handles only.
static unsigned count_below(const struct lineage *place) {
    unsigned count = 0;
    list_for_each(link, &place->children) {
        const struct lineage *child = container_of(link, struct lineage, siblings);
        count += (child->handle != nullptr ? 1 : 0) + count_below(child);
    }
    return count;
}

static bool is_below(const struct lineage *place, const struct lineage *ancestor) {
    for (const struct lineage *at = place == nullptr ? nullptr : place->parent; at != nullptr; at = at->parent) {
        if (at == ancestor) {
            return true;
        }
    }
    return false;
}

static void check_one(struct property *p, unsigned index) {
    struct handle *entry = entry_of(p, index);
    property_check(p, entry->object == &objects[model[index].object]);
    property_equal(p, entry->rights, model[index].rights);
    property_equal(p, entry->badge, model[index].badge);
    unsigned below = 0;
    for (unsigned other = 0; other < made; other++) {
        if (model[other].open && descends(other, (int)index)) {
            below++;
            property_check(p, is_below(entry_of(p, other)->lineage, entry->lineage));
        }
    }
    property_equal(p, entry->lineage == nullptr ? 0 : count_below(entry->lineage), below);
}

static unsigned open_count(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < made; i++) {
        count += model[i].open ? 1 : 0;
    }
    return count;
}

static int pick_open(struct property *p) {
    unsigned count = open_count();
    if (count == 0) {
        return -1;
    }
    unsigned skip = (unsigned)property_choose(p, "handle", count);
    for (unsigned i = 0;; i++) {
        if (model[i].open && skip-- == 0) {
            return (int)i;
        }
    }
}

static void insert(struct property *p, int parent) {
    struct model *new = &model[made];
    new->table = (unsigned)property_choose(p, "table", TABLES);
    new->object = parent >= 0 ? model[parent].object : (unsigned)property_choose(p, "object", OBJECTS);
    new->rights = (uint32_t)property_choose(p, "rights", 256);
    new->badge = property_choose(p, "badge", 1000);
    new->parent = parent;
    struct handle *from = parent < 0 ? nullptr : entry_of(p, (unsigned)parent);
    property_equal(
        p, handle_insert(&tables[new->table], &objects[new->object], new->rights, new->badge, from, &new->value), 0);
    property_check(p, (int32_t)new->value > 0);
    new->open = true;
    property_note(p, "%u: insert %x into %u from %d", made, new->value, new->table, parent);
    for (unsigned i = 0; i < made; i++) { // a value is not soon used again
        property_check(p, model[i].table != new->table || model[i].value != new->value);
    }
    made++;
}

static void close_one(struct property *p, int index) {
    property_note(p, "%d: close", index);
    property_equal(p, handle_close(&tables[model[index].table], model[index].value), 0);
    model[index].open = false;
    struct handle *entry;
    property_equal(p, handle_find(&tables[model[index].table], model[index].value, &entry), ERR_BAD_HANDLE);
    property_equal(p, handle_close(&tables[model[index].table], model[index].value), ERR_BAD_HANDLE);
}

static void empty_table(struct property *p) {
    unsigned table = (unsigned)property_choose(p, "table", TABLES);
    property_note(p, "destroy table %u", table);
    unsigned budget;
    do {
        budget = (unsigned)property_between(p, "budget", 1, 50);
    } while (!handle_table_destroy(&tables[table], &budget));
    for (unsigned i = 0; i < made; i++) {
        if (model[i].table == table) {
            model[i].open = false;
            model[i].table = TABLES; // its values begin anew
        }
    }
}

static void handles_follow_the_model(struct property *p) {
    static struct handle_table none;
    bare_boot(&(struct host_options){});
    made = 0;
    destroyed = unhandled_count = 0;
    for (unsigned i = 0; i < TABLES; i++) {
        tables[i] = none;
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        object_init(&objects[i], &ops);
    }
    while (property_more(p, 120) && made < 4000) {
        unsigned what = (unsigned)property_choose(p, "what", 20);
        int index = pick_open(p);
        if (what < 4 || index < 0) {
            insert(p, -1);
        } else if (what < 11 && open_count() < ALIVE_MAX) {
            insert(p, index);
        } else if (what < 19) {
            close_one(p, index);
        } else if (property_chance(p, "really", 30)) {
            empty_table(p);
        }
        index = pick_open(p);
        if (index >= 0) {
            check_one(p, (unsigned)index);
        }
    }
    uint32_t open[OBJECTS] = {};
    for (unsigned i = 0; i < made; i++) {
        if (model[i].open) {
            check_one(p, i);
            open[model[i].object]++;
        }
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        property_equal(p, objects[i].handles, open[i]);
        property_equal(p, objects[i].references, open[i] + 1);
    }
    property_equal(p, handle_count(), open_count());
    for (unsigned i = 0; i < TABLES; i++) {
        unsigned budget = 100000;
        property_check(p, handle_table_destroy(&tables[i], &budget));
    }
    property_equal(p, destroyed, 0);
    for (unsigned i = 0; i < OBJECTS; i++) {
        property_equal(p, objects[i].handles, 0);
        object_unref(&objects[i]);
    }
    property_equal(p, destroyed, OBJECTS);
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        property_equal(p, slab_stats(i).used, 0);
    }
}

Test(handle, handles_follow_the_model) {
    cr_assert(property_run("handles_follow_the_model", 1500, handles_follow_the_model));
}

Test(handle, table_is_full_at_its_limit) {
    bare_boot(&(struct host_options){.memory = 64u << 20});
    tables[0] = (struct handle_table){};
    object_init(&objects[0], &ops);
    handle_t value;
    for (unsigned i = 0; i < HANDLES_MAX; i++) {
        cr_assert_eq(handle_insert(&tables[0], &objects[0], 1, 0, nullptr, &value), 0);
    }
    cr_assert_eq(handle_insert(&tables[0], &objects[0], 1, 0, nullptr, &value), ERR_LIMIT);
    cr_assert_eq(handle_close(&tables[0], value), 0);
    cr_assert_eq(handle_insert(&tables[0], &objects[0], 1, 0, nullptr, &value), 0);
}

// A value that was closed is refused through as many successors as there are generations.
Test(handle, stale_value_is_refused_for_a_long_time) {
    bare_boot(&(struct host_options){});
    tables[0] = (struct handle_table){};
    object_init(&objects[0], &ops);
    handle_t first, value;
    cr_assert_eq(handle_insert(&tables[0], &objects[0], 1, 0, nullptr, &first), 0);
    cr_assert_eq(handle_close(&tables[0], first), 0);
    for (unsigned i = 0; i < 30000; i++) {
        struct handle *entry;
        cr_assert_eq(handle_insert(&tables[0], &objects[0], 1, 0, nullptr, &value), 0);
        cr_assert_eq(handle_find(&tables[0], first, &entry), ERR_BAD_HANDLE);
        cr_assert_eq(handle_close(&tables[0], value), 0);
    }
}
