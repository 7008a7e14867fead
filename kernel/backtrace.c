#include "kernel/backtrace.h"

// Stacks grow downwards: a caller's frame is above. A chain that goes elsewhere, or in circles, ends there.
unsigned backtrace(const struct arch_frame *frame, uint64_t *pc, unsigned capacity) {
    uint64_t at = arch_frame_pointer(frame), link[2];
    unsigned count = 0;
    if (capacity > 0) {
        pc[count++] = arch_frame_pc(frame);
    }
    while (count < capacity && at % 8 == 0 && arch_frame_link(frame, at, link) && link[1] != 0) {
        pc[count++] = link[1];
        if (link[0] <= at) {
            break;
        }
        at = link[0];
    }
    return count;
}
