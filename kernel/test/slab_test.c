// What the slabs promise at their edges. (Random use against a model: tests/host/memory_test.c.)
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "abi/abi.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "memory_world.h"

Test(slab, every_size_fits_and_only_its_own_class_counts) {
    world_begin(4 << 20);
    for (size_t size = 0; size <= SLAB_MAX; size++) {
        uint8_t *at = slab_alloc(size);
        cr_assert_not_null(at);
        memset(at, 0xff, size);
        unsigned used = 0;
        for (unsigned i = 0; i < SLAB_CLASSES; i++) {
            used += slab_stats(i).used != 0;
            cr_assert(slab_stats(i).used == 0 || slab_stats(i).size >= size);
            cr_assert(slab_stats(i).used == 0 || i == 0 || slab_stats(i - 1).size < size);
        }
        cr_assert_eq(used, 1);
        slab_free(at, size);
    }
}

Test(slab, more_than_the_largest_block_is_refused) {
    world_begin(16 << 20);
    cr_assert_null(slab_alloc(SIZE_MAX));
    cr_assert_null(slab_alloc(((size_t)PAGE_SIZE << PAGE_ORDER_MAX) + 1));
    void *largest = slab_alloc((size_t)PAGE_SIZE << PAGE_ORDER_MAX);
    cr_assert_not_null(largest);
    slab_free(largest, (size_t)PAGE_SIZE << PAGE_ORDER_MAX);
    cr_assert_eq(world_pages_taken(), 0);
}

Test(slab, one_page_per_class_is_kept_when_all_is_free) {
    world_begin(4 << 20);
    void *at[200];
    for (unsigned i = 0; i < 200; i++) {
        at[i] = slab_alloc(256);
        cr_assert_not_null(at[i]);
    }
    for (unsigned i = 0; i < 200; i++) {
        slab_free(at[i], 256);
    }
    struct page_stats stats = page_alloc_stats();
    cr_assert_eq(stats.total - stats.free, 1);
}

Test(slab, object_freed_twice_is_caught, .signal = SIGABRT) {
    world_begin(4 << 20);
    void *at = slab_alloc(40);
    slab_free(at, 40);
    slab_free(at, 40);
}

Test(slab, object_freed_with_another_size_is_caught, .signal = SIGABRT) {
    world_begin(4 << 20);
    slab_free(slab_alloc(40), 100);
}

Test(slab, pointer_into_an_object_is_no_object, .signal = SIGABRT) {
    world_begin(4 << 20);
    char *at = slab_alloc(96);
    slab_free(at + 32, 96);
}
