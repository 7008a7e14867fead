#include "kfs/ramfile.h"

#include "abi/abi.h"
#include "base/checked.h"
#include "base/memory.h"
#include "kernel/pages.h"
#include "kernel/panic.h"
#include "kernel/thread.h"
#include "kernel/watch.h"
#include "kfs/node.h"

[[gnu::noinline]] static status_t make_pages(struct node *node) {
    return pages_create(FILE_MAX, &node->file.pages);
}

status_t ramfile_pages(struct node *node, struct pages **pages) {
    status_t status = node->file.pages != nullptr ? 0 : make_pages(node);
    *pages = node->file.pages;
    return status;
}

long ramfile_read(struct node *node, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    if (offset >= node->file.size || length == 0) {
        return 0;
    }
    if (length > node->file.size - offset) {
        length = node->file.size - offset;
    }
    status_t status = pages_read(node->file.pages, buffer, offset, length);
    return status < 0 ? status : (long)length;
}

// A copy into the page failed part of the way: what lies beyond the size must still be zero.
[[gnu::noinline]] static void clear_tail(struct node *node, uint64_t index) {
    uint64_t begin = index * PAGE_SIZE;
    uint64_t kept = node->file.size <= begin ? 0 : node->file.size - begin;
    paddr_t page = kept >= PAGE_SIZE ? 0 : pages_get(node->file.pages, index, false);
    if (page != 0) {
        memset((char *)arch_phys_to_virt(page) + kept, 0, PAGE_SIZE - kept);
    }
}

// Write within one page, and let the file grow over it: the length, or a refusal.
static long write_part(struct node *node, user_ptr_t from, uint64_t length, uint64_t offset) {
    paddr_t page = pages_get(node->file.pages, offset / PAGE_SIZE, true);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    status_t status = user_copy_in((char *)arch_phys_to_virt(page) + offset % PAGE_SIZE, from, length);
    if (status < 0) {
        clear_tail(node, offset / PAGE_SIZE);
        return status;
    }
    if (offset + length > node->file.size) {
        node->file.size = offset + length;
    }
    return (long)length;
}

static uint64_t room_in_page(uint64_t offset) {
    return PAGE_SIZE - offset % PAGE_SIZE;
}

// Page by page: the length up to where one was refused, or if that was the first, why.
static long write_parts(struct node *node, user_ptr_t from, uint64_t length, uint64_t offset) {
    uint64_t done = 0;
    while (done < length) {
        uint64_t room = room_in_page(offset + done);
        uint64_t part = length - done < room ? length - done : room;
        long written = write_part(node, (user_ptr_t){from.va + done}, part, offset + done);
        if (written < 0) {
            return done > 0 ? (long)done : written;
        }
        done += part;
    }
    return (long)done;
}

// To those who watch the node itself: it is one that is stored, and no channel.
[[gnu::noinline]] static void tell_written(struct node *node) {
    watch_raise_slow(&node->watched, &(struct event){
                                         .kind = EVENT_READABLE,
                                         .pid = thread_current_pid(),
                                         .value = node->file.size,
                                     });
}

static void written(struct node *node) {
    node_touch(node);
    if (watched_is(&node->watched)) {
        tell_written(node);
    }
}

// Any write.
[[gnu::noinline]] static long write_any(struct node *node, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    if (!range_within(offset, length, FILE_MAX)) {
        return ERR_TOO_BIG;
    }
    struct pages *pages;
    status_t status = ramfile_pages(node, &pages);
    if (status < 0) {
        return status;
    }
    if (pages->mapped_executable > 0) {
        return ERR_BUSY;
    }
    long done = write_parts(node, buffer, length, offset);
    if (done > 0) {
        written(node);
    }
    return done;
}

[[gnu::noinline]] static long write_failed(struct node *node, uint64_t offset, status_t status) {
    clear_tail(node, offset / PAGE_SIZE);
    return status;
}

// As a rule it is within a page that is there already.
long ramfile_write(struct node *node, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    const struct pages *pages = node->file.pages;
    if (pages == nullptr || length - 1 >= room_in_page(offset)) {
        return write_any(node, buffer, length, offset);
    }
    paddr_t page = pages_at_hand(pages, offset / PAGE_SIZE);
    if (page == 0 || pages->mapped_executable > 0) {
        return write_any(node, buffer, length, offset);
    }
    status_t status = user_copy_in((char *)arch_phys_to_virt(page) + offset % PAGE_SIZE, buffer, length);
    if (status < 0) {
        return write_failed(node, offset, status);
    }
    if (offset + length > node->file.size) {
        node->file.size = offset + length;
    }
    written(node);
    return (long)length;
}

status_t ramfile_fill(struct node *node, const void *bytes, uint64_t length) {
    KASSERT(length <= FILE_MAX);
    struct pages *pages;
    status_t status = ramfile_pages(node, &pages);
    if (status == 0) {
        status = pages_fill(pages, bytes, 0, length);
    }
    if (status == 0) {
        node->file.size = length;
    }
    return status;
}

void ramfile_truncate(struct node *node) {
    struct pages *pages = node->file.pages;
    KASSERT(pages == nullptr || pages->mapped == 0);
    node->file.pages = nullptr;
    node->file.size = 0;
    if (pages != nullptr) {
        object_unref(&pages->object);
    }
    node_touch(node);
}
