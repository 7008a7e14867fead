// Ratios against divisions of 128 bits.
#include <criterion/criterion.h>

#include "base/hash.h"
#include "base/ratio.h"

static void check(uint64_t numerator, uint64_t denominator) {
    uint64_t wanted = (uint64_t)(((unsigned __int128)numerator << 32) / denominator);
    cr_assert_eq(ratio_make(numerator, denominator), wanted, "%lu / %lu", numerator, denominator);
}

Test(ratio, is_the_quotient_rounded_down) {
    static const uint64_t rates[] = {1,          2,          3,          1000,       32768,      1193182,
                                     3579545,    10000000,   62500000,   999999999,  1000000000, 1000000001,
                                     2995199000, UINT32_MAX, 1ull << 32, 5000000000, 1ull << 62, 1ull << 63};
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (unsigned j = 0; j < sizeof rates / sizeof *rates; j++) {
            if (rates[i] / rates[j] <= UINT32_MAX) {
                check(rates[i], rates[j]);
            }
        }
    }
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t numerator = hash_u64(i) >> i % 64, denominator = (hash_u64(~i) >> i / 64 % 63 >> 1) + 1;
        if (numerator / denominator <= UINT32_MAX) {
            check(numerator, denominator);
        }
    }
}

// A clock that runs for a century is right to the microsecond for each second.
Test(ratio, scales_long_times) {
    constexpr uint64_t second = 1000000000, century = 100ull * 365 * 86400;
    static const uint64_t rates[] = {1000000, 10000000, 62500000, 1000000000, 3000000000};
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t hz = rates[i], ns_per_tick = ratio_make(second, hz);
        for (uint64_t seconds = 1; seconds <= century; seconds *= 3) {
            uint64_t time = ratio_scale(seconds * hz, ns_per_tick);
            cr_assert(time <= seconds * second && seconds * second - time <= seconds * 1000, "%lu Hz, %lu s", hz,
                      seconds);
        }
    }
}
