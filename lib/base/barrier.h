// The full barrier: what this CPU stored before it is seen by all others before this CPU loads what comes after it. Where
// each of two sides stores a word of its own and then loads the other's, with this in between, at least one sees the other.
// Acquire and release do not give that, since both loads could come first.
//
// A pair of sequentially consistent accesses would do as well, and on arm64 be STLR and LDAR. QEMU's translator for x86
// hosts (7.2) lets that LDAR go before the STLR, if seldom; this one (DMB, FENCE, a locked operation) it keeps.
#pragma once

static inline void barrier_full(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
