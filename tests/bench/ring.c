// The loop of the operation `ring`, in C, because what it does is the library's: both ends of a mapped connection, in one
// thread. The results are looked at as every program must. The label is the loop's head, where scripts/bench takes its
// differences; were the compiler to make two loops of one, it would be there twice and the assembler would refuse it.
#include "lib/mapped.h"
#include "loops.h"

[[gnu::noinline]] void bench_client_ring(uint64_t count, const uint64_t words[WORD_COUNT]) {
    struct mapped *client = (struct mapped *)words[WORD_T0];
    struct mapped *server = (struct mapped *)words[WORD_T1];
    uint64_t payload = 0;
    uint64_t received = 0;
#pragma clang loop unroll(disable)
    do {
        __asm__ volatile(".globl bench_head_ring\nbench_head_ring:");
        payload++;
        if (mapped_try_send(client, &payload, sizeof payload, count) < 0 ||
            mapped_try_recv(server, &received, sizeof received, nullptr) != sizeof received || received != payload) {
            __builtin_trap();
        }
    } while (--count != 0);
}
