#include "kfs/kfs.h"

#include "base/bits.h"
#include "base/str.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"
#include "kfs/archive.h"
#include "kfs/file.h"
#include "kfs/node.h"
#include "kfs/ramfile.h"
#include "kfs/tree.h"
#include "kfs/walk.h"

static struct node *root;

// Where everybody may put things; that nobody touches the things of others is entry.h's rule.
static status_t make_public(const char *name) {
    struct node *node = node_new(NODE_DIR, 0777, 0, 0);
    if (node == nullptr) {
        return ERR_NO_MEMORY;
    }
    node->fixed = true;
    node_link(root, node, name, strlen(name));
    node_unref(node);
    return 0;
}

static status_t build_tree(void) {
    static status_t (*const build[])(struct node *root) = {
        kern_system_build, kern_arch_build, kern_ipc_build,    kern_waits_build, kern_mem_build,
        kern_sched_build,  kern_proc_build, kern_thread_build, kern_ns_build,    kern_console_build,
        kern_irq_build,    proc_build,      dev_build,
    };
    for (size_t i = 0; i < sizeof build / sizeof build[0]; i++) {
        status_t status = build[i](root);
        if (status < 0) {
            return status;
        }
    }
    static const char *const public[] = {"ipc", "svc", "tmp"};
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++) {
        status_t status = make_public(public[i]);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

static status_t unpack(const struct boot_range *range) {
    struct archive_counts counts = {};
    status_t status = archive_unpack(root, arch_phys_to_virt(range->base), range->size, &counts);
    log_print("archive: %llu directories, %llu files of %llu bytes, %llu links, %llu skipped%s",
              (unsigned long long)counts.directories, (unsigned long long)counts.files,
              (unsigned long long)counts.bytes, (unsigned long long)counts.links, (unsigned long long)counts.skipped,
              status == ERR_INVALID ? "; the rest is damaged"
              : status < 0          ? "; no memory for the rest"
                                    : "");
    // Only whole pages: others may share the first and the last.
    paddr_t begin = align_up(range->base, PAGE_SIZE);
    paddr_t end = align_down(range->base + range->size, PAGE_SIZE);
    if (begin < end) {
        page_alloc_add(begin, end - begin);
    }
    return status;
}

status_t kfs_init(const struct boot_info *boot) {
    node_init();
    root = node_new(NODE_DIR, 0755, 0, 0);
    status_t status = root == nullptr ? ERR_NO_MEMORY : build_tree();
    if (status < 0) {
        return status;
    }
    for (unsigned i = 0; i < boot->archive_count; i++) {
        status_t unpacked = unpack(&boot->archive[i]);
        status = status < 0 ? status : unpacked;
    }
    return status;
}

status_t kfs_open_root(struct object **directory) {
    struct file *file;
    status_t status = file_new(root, nullptr, OPEN_READ, &file);
    if (status == 0) {
        *directory = &file->object;
    }
    return status;
}

status_t kfs_file(const char *path, struct pages **pages, uint64_t *size) {
    struct walk walk;
    status_t status = walk_path(root, nullptr, path, strlen(path), 0, &walk);
    if (status < 0) {
        return status;
    }
    struct node *node = walk.node;
    if (node->kind == NODE_FILE) {
        status = ramfile_pages(node, pages);
        *size = node->file.size;
    } else {
        status = ERR_WRONG_KIND;
    }
    walk_done(&walk);
    return status;
}
