// Initial archives: what is packed is unpacked, and no bytes whatever do harm.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "arch_types.h"
#include "bare.h"
#include "kernel/alloc_fault.h"
#include "kernel/pages.h"
#include "kfs/archive.h"
#include "kfs/node.h"
#include "kfs/ramfile.h"
#include "kfs/walk.h"
#include "property.h"

static struct node *root;

static void make_world_of(uint64_t memory) {
    bare_boot(&(struct host_options){.memory = memory});
    node_init();
    root = node_new(NODE_DIR, 0755, 0, 0);
    cr_assert_not_null(root);
}

static void make_world(void) {
    make_world_of(0);
}

// ---- packing ----

struct packed {
    char bytes[1 << 16];
    size_t size;
};

static void pad(struct packed *packed, size_t alignment) {
    while (packed->size % alignment != 0) {
        packed->bytes[packed->size++] = 0;
    }
}

static void pack(struct packed *packed, const char *name, uint32_t mode, const void *data, size_t size) {
    packed->size +=
        (size_t)sprintf(packed->bytes + packed->size, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1u,
                        mode, 5u, 6u, 1u, 0u, (unsigned)size, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, 0u);
    memcpy(packed->bytes + packed->size, name, strlen(name) + 1);
    packed->size += strlen(name) + 1;
    pad(packed, 4);
    memcpy(packed->bytes + packed->size, data, size);
    packed->size += size;
    pad(packed, 4);
}

static void finish(struct packed *packed) {
    pack(packed, "TRAILER!!!", 0, "", 0);
}

// In a block of exactly that size, so that a read beyond it is found.
static status_t unpack(const struct packed *packed, struct archive_counts *counts) {
    char *exact = malloc(packed->size);
    memcpy(exact, packed->bytes, packed->size);
    *counts = (struct archive_counts){};
    status_t status = archive_unpack(root, exact, packed->size, counts);
    free(exact);
    return status;
}

static struct node *find(const char *path) {
    struct walk walk;
    if (walk_path(root, nullptr, path, strlen(path), WALK_NOFOLLOW, &walk) < 0) {
        return nullptr;
    }
    struct node *node = walk.node;
    walk_done(&walk); // the tree keeps it
    return node;
}

static bool holds(const struct node *file, const char *text) {
    paddr_t page = pages_get(file->file.pages, 0, false);
    return page != 0 && file->file.size == strlen(text) && memcmp(arch_phys_to_virt(page), text, strlen(text)) == 0;
}

Test(archive, is_unpacked) {
    static struct packed packed;
    struct archive_counts counts;
    make_world();
    pack(&packed, ".", 0040755, "", 0);
    pack(&packed, "bin", 0040711, "", 0);
    pack(&packed, "./bin/sh", 0100755, "shell", 5);
    pack(&packed, "/etc/deep/motd", 0100640, "hi", 2);
    pack(&packed, "bin/ash", 0120777, "sh", 2);
    pack(&packed, "empty", 0100600, "", 0);
    pack(&packed, "dev/tty", 0020666, "", 0); // a device: left out
    pack(&packed, "etc", 0040710, "", 0);     // is there already: gets its mode
    size_t nameless = packed.size;
    pack(&packed, "", 0040755, "", 0); // the root, whatever stands before the name
    packed.bytes[nameless + 109] = '/';
    finish(&packed);
    pad(&packed, 512);
    pack(&packed, "second", 0100644, "2", 1); // a further archive
    finish(&packed);
    packed.size += 100;
    cr_assert_eq(unpack(&packed, &counts), 0);
    cr_assert_eq(counts.skipped, 1);
    cr_assert_eq(counts.files, 4);
    cr_assert_eq(counts.bytes, 8);
    cr_assert_eq(find("bin")->mode, 0711);
    cr_assert_eq(find("etc")->mode, 0710);
    cr_assert_eq(counts.directories, 1);
    cr_assert_eq(counts.links, 1);
    cr_assert_eq(find("bin/sh")->mode, 0755);
    cr_assert_eq(find("bin/sh")->owner, 0);
    cr_assert(holds(find("bin/sh"), "shell"));
    cr_assert(holds(find("etc/deep/motd"), "hi"));
    cr_assert_str_eq(find("bin/ash")->link.target, "sh");
    cr_assert_eq(find("empty")->file.size, 0);
    cr_assert(holds(find("second"), "2"));
}

// Figures are written with small or capital letters, and a directory's name may end in slashes.
Test(archive, is_unpacked_as_others_write_it) {
    static struct packed packed;
    static const char text[] = "abcdefghijklmno";
    struct archive_counts counts;
    make_world();
    for (size_t size = 10; size < 16; size++) {
        const char name[] = {(char)('a' + size), '\0'};
        size_t header = packed.size;
        pack(&packed, name, 0100755, text, size);
        for (size_t i = header; i < header + 110; i++) {
            packed.bytes[i] = (char)(packed.bytes[i] >= 'A' ? packed.bytes[i] | 0x20 : packed.bytes[i]);
        }
    }
    pack(&packed, "dir//", 0040711, "", 0);
    finish(&packed);
    cr_assert_eq(unpack(&packed, &counts), 0);
    cr_assert_eq(counts.files, 6);
    cr_assert_eq(counts.bytes, 75);
    cr_assert_eq(find("p")->file.size, 15);
    cr_assert_eq(find("k")->mode, 0755);
    cr_assert_eq(find("dir")->mode, 0711);
}

// Names that would lead elsewhere, or over something that is there, are left out; what follows them is not.
Test(archive, bad_names_are_left_out) {
    static const char *const bad[] = {"../up", "a/../b", "x\ny", "bin/sh", "bin/sh/below", "a/.", "dir/.."};
    static struct packed packed;
    struct archive_counts counts;
    make_world();
    pack(&packed, "bin/sh", 0100755, "shell", 5);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pack(&packed, bad[i], 0100644, "bad", 3);
    }
    pack(&packed, "last", 0100644, "last", 4);
    finish(&packed);
    cr_assert_eq(unpack(&packed, &counts), 0);
    cr_assert(holds(find("bin/sh"), "shell"));
    cr_assert(holds(find("last"), "last"));
    cr_assert_null(find("up"));
    cr_assert_null(find("b"));
    cr_assert_eq(counts.files, 2);
}

Test(archive, damage_is_reported_and_what_stood_before_is_there) {
    static struct packed packed;
    struct archive_counts counts;
    make_world();
    pack(&packed, "good", 0100644, "good", 4);
    size_t second = packed.size;
    pack(&packed, "bad", 0100644, "bad", 3);
    finish(&packed);
    packed.bytes[second + 6 + 8 * 6] = 'F'; // longer than memory
    cr_assert_eq(unpack(&packed, &counts), ERR_INVALID);
    cr_assert(holds(find("good"), "good"));
    cr_assert_null(find("bad"));
}

// A member that cannot be kept is left out and counted, whatever is wrong with it; its neighbours are there.
Test(archive, members_that_cannot_be_kept_are_left_out) {
    enum { HUGE = FILE_MAX + 1 };
    static struct packed packed;
    static char name[PATH_LEN_MAX + 3], target[PATH_LEN_MAX + 2];
    struct archive_counts counts;
    make_world_of(2 * FILE_MAX);
    root->mode = 0700;
    memset(target, 't', sizeof target - 1);
    pack(&packed, "long", 0120777, target, PATH_LEN_MAX + 1); // 1: a link's target
    pack(&packed, "fits", 0120777, target, PATH_LEN_MAX);
    pack(&packed, "none", 0120777, "", 0);      // 2
    pack(&packed, "cut", 0120777, "ab\0cd", 5); // 3
    memset(name, 'n', NAME_LEN_MAX + 1);
    pack(&packed, name, 0100644, "x", 1); // 4
    name[NAME_LEN_MAX + 1] = '/';
    pack(&packed, name, 0100644, "x", 1); // 5: as a directory
    name[NAME_LEN_MAX] = '\0';
    pack(&packed, name, 0100644, "x", 1);
    for (size_t i = 0; i <= PATH_LEN_MAX; i++) {
        name[i] = i % 2 == 0 ? 'p' : '/';
    }
    name[PATH_LEN_MAX + 1] = '\0';
    pack(&packed, name, 0100644, "x", 1); // 6: a path
    name[PATH_LEN_MAX] = '\0';
    pack(&packed, name, 0100644, "deep", 4); // as long as a path may be
    size_t nul = packed.size;
    pack(&packed, "some", 0100644, "x", 1); // 7: a name with a NUL in it
    packed.bytes[nul + 110 + 2] = '\0';
    pack(&packed, "fits/below", 0100644, "x", 1); // 8: below a link
    pack(&packed, ".", 0040755, "", 0);           // the root keeps what it is
    finish(&packed);
    cr_assert_eq(unpack(&packed, &counts), 0);
    cr_assert_eq(counts.skipped, 8);
    cr_assert_eq(counts.links, 1);
    cr_assert_eq(counts.files, 2);
    cr_assert_eq(find("fits")->link.length, PATH_LEN_MAX);
    cr_assert(holds(find(name), "deep"));
    cr_assert_null(find("so"));
    cr_assert_eq(root->mode, 0700);
    cr_assert_eq(root->directory.count, 3);
    // A file that is larger than files may be, and one that is just as large.
    char *huge = calloc(1, HUGE + 1024);
    int header = sprintf(huge, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08Xhuge", 1u, 0100644u, 0u, 0u,
                         1u, 0u, (unsigned)HUGE, 0u, 0u, 0u, 0u, 5u, 0u);
    size_t next = (size_t)(header + 1 + 3) / 4 * 4 + (HUGE + 3) / 4 * 4;
    sprintf(huge + next, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08Xnext", 1u, 0100644u, 0u, 0u, 1u, 0u,
            0u, 0u, 0u, 0u, 0u, 5u, 0u);
    counts = (struct archive_counts){};
    cr_assert_eq(archive_unpack(root, huge, next + 116, &counts), 0);
    cr_assert_eq(counts.skipped, 1);
    cr_assert_null(find("huge"));
    cr_assert_not_null(find("next"));
    sprintf(huge + 54, "%08X", (unsigned)FILE_MAX);
    huge[62] = '0';
    counts = (struct archive_counts){};
    cr_assert_eq(archive_unpack(root, huge, 120 + FILE_MAX, &counts), 0);
    free(huge);
    cr_assert_eq(counts.files, 1);
    cr_assert_eq(find("huge")->file.size, FILE_MAX);
}

// The kernel's directories are not for archives: neither to put something into, nor to change.
Test(archive, the_kernels_directories_are_not_touched) {
    static struct packed packed;
    struct archive_counts counts;
    make_world();
    struct node *sealed = node_new(NODE_DIR, 0555, 0, 0);
    sealed->sealed = true;
    node_link(root, sealed, "kern", 4);
    pack(&packed, "kern", 0040777, "", 0);
    pack(&packed, "kern/mine", 0100644, "x", 1);
    pack(&packed, "kern/deep/mine", 0100644, "x", 1);
    pack(&packed, "mine", 0100644, "x", 1);
    finish(&packed);
    cr_assert_eq(unpack(&packed, &counts), 0);
    cr_assert_eq(counts.skipped, 3);
    cr_assert_eq(sealed->mode, 0555);
    cr_assert_eq(sealed->directory.count, 0);
    cr_assert_not_null(find("mine"));
}

// Each allocation in turn is refused: what was unpacked before is there and whole, and the shortage is no damage and no
// bad member.
Test(archive, shortage_is_told_from_damage) {
    static struct packed packed;
    struct archive_counts counts;
    pack(&packed, "made/on/the/way", 0100644, "way", 3);
    pack(&packed, "dir", 0040711, "", 0);
    pack(&packed, "dir/link", 0120777, "../made", 7);
    pack(&packed, "dir/file", 0100600, "file", 4);
    finish(&packed);
    unsigned refusals = 0;
    for (uint64_t nth = 1;; nth++, refusals++) {
        make_world();
        alloc_fault_arm(nth, false);
        status_t status = unpack(&packed, &counts);
        bool fired = alloc_fault_fired();
        alloc_fault_arm(0, false);
        cr_assert_eq(counts.skipped, 0);
        if (!fired) {
            cr_assert_eq(status, 0);
            break;
        }
        cr_assert_eq(status, ERR_NO_MEMORY);
        cr_assert(find("made/on/the/way") == nullptr || holds(find("made/on/the/way"), "way"));
        cr_assert(find("dir") == nullptr || (find("made/on/the/way") != nullptr && find("dir")->mode == 0711));
        cr_assert(find("dir/link") == nullptr || strcmp(find("dir/link")->link.target, "../made") == 0);
        cr_assert_null(find("dir/file"));
    }
    cr_assert_geq(refusals, 12);
}

static void no_bytes_do_harm(struct property *p) {
    static struct packed packed;
    static const char *const names[] = {"a", "a/b", "a/b/c", "x/y", ".", "..", "", "/", "a//b/", "\x01"};
    static const uint32_t types[] = {0100644, 0040755, 0120777, 0020600, 0};
    struct archive_counts counts;
    make_world();
    packed.size = 0;
    while (property_more(p, 6)) {
        char data[600];
        size_t size = property_choose(p, "size", sizeof data);
        memset(data, 'x', sizeof data);
        pack(&packed, names[property_choose(p, "name", 10)], types[property_choose(p, "type", 5)], data, size);
        if (property_chance(p, "trailer", 10)) {
            finish(&packed);
            packed.size += property_choose(p, "gap", 40);
            memset(packed.bytes + packed.size - 0, 0, 64);
        }
    }
    finish(&packed);
    while (property_more(p, 4)) {
        size_t at = property_choose(p, "where", packed.size);
        packed.bytes[at] = (char)property_choose(p, "byte", 256);
    }
    if (property_chance(p, "cut", 30)) {
        packed.size = property_choose(p, "length", packed.size + 1);
    }
    status_t status = unpack(&packed, &counts);
    property_check(p, status == 0 || status == ERR_INVALID || status == ERR_NO_MEMORY);
}

Test(archive, no_bytes_do_harm) {
    cr_assert(property_run("no_bytes_do_harm", 5000, no_bytes_do_harm));
}
