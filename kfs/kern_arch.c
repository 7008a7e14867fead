// /kern/arch/{name,features}: the port's name and its own figures (PORT-6). See kfs/doc/arch.md.
#include "abi/abi.h"
#include "kernel/include/arch.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void name_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "name");
    text_word(text, ARCH_NAME);
}

static void emit(void *context, const char *bytes, size_t length) {
    text_bytes(context, bytes, length);
}

static void features_snapshot(const struct node *, const struct process *, struct text *text) {
    text_bytes(text, "name value\n", 11);
    arch_describe(emit, text);
}

static const struct tree_ops name_ops = {.snapshot = name_snapshot};
static const struct tree_ops features_ops = {.snapshot = features_snapshot};

static const struct tree_entry entries[] = {
    {"kern/arch/name", NODE_KERNEL, 0444, &name_ops},
    {"kern/arch/features", NODE_KERNEL, 0444, &features_ops},
};

status_t kern_arch_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
