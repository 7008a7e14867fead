// transcript-host [-q] [-c CPUS] SEED[..LAST] COUNT: what /test/transcript prints on a booted machine, from the host port.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "on_host.h"

static uint64_t digest;

static void print_line(void *, const char *text) {
    puts(text);
}

static void digest_line(void *, const char *text) {
    digest = transcript_digest(digest, text);
}

int main(int argc, char **argv) {
    bool quiet = false;
    unsigned cpus = 1;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        quiet = quiet || strcmp(argv[at], "-q") == 0;
        if (strcmp(argv[at], "-c") == 0 && at + 1 < argc) {
            cpus = (unsigned)strtoul(argv[++at], nullptr, 10);
        }
    }
    if (argc - at != 2) {
        fprintf(stderr, "usage: transcript-host [-q] [-c CPUS] SEED[..LAST] COUNT\n");
        return 2;
    }
    char *rest;
    uint64_t seed = strtoull(argv[at], &rest, 10);
    uint64_t last = strncmp(rest, "..", 2) == 0 ? strtoull(rest + 2, nullptr, 10) : seed;
    unsigned count = (unsigned)strtoul(argv[at + 1], nullptr, 10);
    on_host_boot(cpus, nullptr);
    for (; seed <= last; seed++) {
        digest = 0;
        if (!on_host_run(seed, count, quiet ? digest_line : print_line, nullptr)) {
            fprintf(stderr, "seed %llu: its directory could not be made or emptied\n", (unsigned long long)seed);
            return 1;
        }
        if (quiet) {
            printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)digest);
        }
    }
    return 0;
}
