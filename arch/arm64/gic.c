#include "gic.h"

#include "boot.h"

const struct arm64_gic *arm64_gic;

static const struct {
    const char *compatible;
    const struct arm64_gic *gic;
} kinds[] = {
    {"arm,gic-v3", &arm64_gic3},
    {"arm,gic-400", &arm64_gic2},
    {"arm,cortex-a15-gic", &arm64_gic2},
    {"arm,cortex-a9-gic", &arm64_gic2},
};

bool arm64_gic_init(void) {
    struct fdt_node node = fdt_root(&arm64_tree);
    while (fdt_next(&node)) {
        for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            if (fdt_enabled(&node) && fdt_compatible(&node, kinds[i].compatible) && kinds[i].gic->init(&node)) {
                arm64_gic = kinds[i].gic;
                return true;
            }
        }
    }
    return false;
}
