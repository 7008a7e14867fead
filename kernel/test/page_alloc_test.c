// What the page allocator promises at its edges. (Random use against a model: tests/host/memory_test.c.)
#include <criterion/criterion.h>
#include <signal.h>

#include "abi/abi.h"
#include "host.h"
#include "kernel/page_alloc.h"

static struct boot_info boot;

static void machine(uint64_t memory) {
    struct host_options options = {.memory = memory};
    host_reset(&options);
    boot = (struct boot_info){.range_count = 1, .range = {{0, memory}}, .mapped_limit = memory};
}

Test(page_alloc, thirty_two_megabytes_are_nearly_all_usable) {
    machine(32 << 20);
    page_alloc_init(&boot);
    struct page_stats stats = page_alloc_stats();
    cr_assert_geq(stats.total, (32u << 20) / PAGE_SIZE - 4, "%llu", (unsigned long long)stats.total);
    cr_assert_eq(stats.low_water, stats.total);
}

Test(page_alloc, page_zero_is_never_given_out) {
    machine(1 << 20);
    boot.range[0].size = 4 * PAGE_SIZE;
    page_alloc_init(&boot);
    cr_assert_eq(page_alloc_stats().total, 2); // of four: page 0, and one that describes the rest
    cr_assert_neq(page_alloc(0), 0);
    cr_assert_neq(page_alloc(0), 0);
    cr_assert_eq(page_alloc(0), 0);
    cr_assert_eq(page_alloc_stats().failures, 1);
}

Test(page_alloc, memory_given_later_is_clipped_to_pages) {
    machine(1 << 20);
    boot.range[0].size = 8 * PAGE_SIZE;
    page_alloc_init(&boot);
    uint64_t total = page_alloc_stats().total;
    page_alloc_add(16 * PAGE_SIZE + 8, 3 * PAGE_SIZE);
    cr_assert_eq(page_alloc_stats().total, total + 1); // two whole pages, one of them for itself
    page_alloc_add(32 * PAGE_SIZE + 8, PAGE_SIZE);
    page_alloc_add(UINT64_MAX - PAGE_SIZE, PAGE_SIZE);
    page_alloc_add(UINT64_MAX - 1, 100);
    page_alloc_add(40 * PAGE_SIZE, 0);
    cr_assert_eq(page_alloc_stats().total, total + 1);
}

Test(page_alloc, block_freed_twice_is_caught, .signal = SIGABRT) {
    machine(1 << 20);
    page_alloc_init(&boot);
    paddr_t page = page_alloc(0);
    page_free(page, 0);
    page_free(page, 0);
}

Test(page_alloc, block_freed_with_another_order_is_caught, .signal = SIGABRT) {
    machine(1 << 20);
    page_alloc_init(&boot);
    page_free(page_alloc(1), 0);
}
