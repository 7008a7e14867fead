#include "kfs/file.h"

#include "base/checked.h"
#include "base/str.h"
#include "kernel/pages.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/slice.h"
#include "kernel/syscall.h"
#include "kfs/node.h"
#include "kfs/ramfile.h"
#include "kfs/tree.h"

enum { PART_BUDGET = 32 }; // units of work for a part of a long table, its writing aside

struct file *file_of(struct object *object) {
    KASSERT(object->ops->kind == OBJECT_FILE);
    return container_of(object, struct file, object);
}

static const struct object_ops *ops_of(const struct node *node) {
    if (node_is_directory(node)) {
        return &directory_ops;
    }
    return node->kind == NODE_DEVICE ? &device_ops : &file_ops;
}

// Whether text will be written for who opens a node with these flags.
static bool has_text(const struct node *node, uint32_t flags) {
    return (flags & OPEN_READ) != 0 && node->kind == NODE_KERNEL &&
           (node->ops->snapshot != nullptr || node->ops->record != nullptr);
}

static void file_free(struct file *file) {
    text_clear(&file->text);
    slab_free(file, sizeof *file + file->text.head_size);
}

// With neither node nor flags yet.
static struct file *file_alloc(bool with_text) {
    size_t head = with_text ? FILE_HEAD : 0;
    struct file *file = slab_alloc_partly(sizeof *file + head, 0);
    if (file != nullptr) {
        file->object.watched = (struct watched){}; // the rest by object_init
        file->begun = false;
        file->position = 0;
        file->text_offset = 0;
        file->cursor = 0;
        text_init(&file->text, file->head, head);
    }
    return file;
}

status_t file_new(struct node *node, const struct process *caller, uint32_t flags, struct file **file) {
    bool with_text = has_text(node, flags);
    struct file *new = file_alloc(with_text);
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    new->flags = flags;
    if (with_text && node->ops->snapshot != nullptr) {
        node->ops->snapshot(node, caller, &new->text);
        status_t status = new->text.status;
        if (status < 0) {
            file_free(new);
            return status;
        }
    }
    object_init(&new->object, ops_of(node));
    new->node = node;
    node_ref(node);
    node->opened = arch_stamp();
    *file = new;
    if (!node->synthesised) {
        node_raise(node, EVENT_OPENED, node->id, nullptr);
    }
    return 0;
}

// The last handle of this open is gone.
static void file_unhandled(struct object *object) {
    struct node *node = file_of(object)->node;
    if (!node->synthesised) {
        node_raise(node, EVENT_CLOSED, node->id, nullptr);
    }
}

static struct watched *file_watched(struct object *object) {
    return node_watched(file_of(object)->node);
}

static void file_destroy(struct object *object) {
    struct file *file = file_of(object);
    node_unref(file->node);
    file_free(file);
}

static void file_describe(const struct object *object, char *text, size_t capacity) {
    node_path(container_of(object, const struct file, object)->node, text, capacity);
}

// Content is always ready, and so are devices that no source speaks for.
static uint32_t file_events(const struct object *) {
    return EVENT_READABLE | EVENT_WRITABLE;
}

// ---- reading ----

// Replace the part of a long table that was written by the part that follows: about TEXT_CHUNK bytes of whole records, or
// fewer if those take much work. CALL_AGAIN: none yet, but the cursor has moved.
static long next_part(struct file *file) {
    const struct tree_ops *ops = file->node->ops;
    uint64_t cursor = file->cursor;
    uint64_t offset = file->text_offset + text_size(&file->text);
    bool begun = file->begun;
    text_rewind(&file->text);
    file->text_offset = offset;
    if (!begun) {
        text_header_of(&file->text, ops->columns);
    }
    unsigned budget = PART_BUDGET;
    bool more = true;
    while (more && budget > 0 && file->text.status == 0 && text_size(&file->text) < TEXT_CHUNK) {
        slice_spend(&budget, 1);
        more = ops->record(file->node, &cursor, &file->text, &budget);
    }
    if (file->text.status < 0) {
        status_t status = file->text.status;
        text_rewind(&file->text);
        return status;
    }
    file->cursor = cursor;
    file->begun = true;
    return more && text_size(&file->text) == 0 ? CALL_AGAIN : 0;
}

[[gnu::noinline]] static long read_table(struct file *file, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    if (offset == 0 && file->text_offset > 0) {
        text_rewind(&file->text);
        file->text_offset = 0;
        file->cursor = 0;
        file->begun = false;
    }
    if (offset == file->text_offset + text_size(&file->text)) {
        long status = next_part(file);
        if (status < 0) {
            return status;
        }
    }
    if (offset < file->text_offset || offset > file->text_offset + text_size(&file->text)) {
        return ERR_INVALID;
    }
    return text_read(&file->text, buffer, offset - file->text_offset, length);
}

// The target of a link that was itself opened.
static long read_target(struct node *node, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    if (offset >= node->link.length) {
        return 0;
    }
    if (length > node->link.length - offset) {
        length = node->link.length - offset;
    }
    status_t status = user_copy_out(buffer, node->link.target + offset, length);
    return status < 0 ? status : (long)length;
}

// All kinds, and from where the open's position is.
[[gnu::noinline]] static long read_any(struct file *file, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    struct node *node = file->node;
    bool current = offset == OFFSET_CURRENT;
    uint64_t at = current ? file->position : offset;
    long moved;
    if (node->kind == NODE_FILE) {
        moved = ramfile_read(node, buffer, length, at);
    } else if (node->kind == NODE_LINK) {
        moved = read_target(node, buffer, length, at);
    } else if (node->ops->record != nullptr) {
        moved = read_table(file, buffer, length, at);
    } else {
        moved = text_read(&file->text, buffer, at, length);
    }
    if (moved > 0 && current) {
        file->position += (uint64_t)moved;
    }
    return moved;
}

// Texts come straight.
static long file_read(struct object *object, struct thread *, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    struct file *file = container_of(object, struct file, object);
    const struct node *node = file->node;
    if (node->kind == NODE_KERNEL && node->ops->record == nullptr && offset != OFFSET_CURRENT) {
        return text_read(&file->text, buffer, offset, length);
    }
    return read_any(file, buffer, length, offset);
}

// ---- writing ----

static long write_command(struct node *node, struct thread *self, user_ptr_t buffer, uint64_t length) {
    KASSERT(node->ops->command != nullptr); // or opening it to write would have been refused
    if (length > COMMAND_MAX) {
        return ERR_INVALID;
    }
    char command[COMMAND_MAX + 1];
    status_t status = user_copy_in(command, buffer, length);
    if (status < 0) {
        return status;
    }
    size_t end = length;
    while (end > 0 && (command[end - 1] == '\n' || command[end - 1] == ' ')) {
        end--;
    }
    command[end] = '\0';
    if (strnlen(command, end) < end) {
        return ERR_INVALID;
    }
    long result = node->ops->command(node, self, command);
    return result == 0 ? (long)length : result;
}

// A command, or at the end, or where the open's position is.
[[gnu::noinline]] static long write_other(struct file *file, struct thread *self, user_ptr_t buffer, uint64_t length,
                                          uint64_t offset) {
    struct node *node = file->node;
    if (node->kind == NODE_KERNEL) {
        return write_command(node, self, buffer, length);
    }
    KASSERT(node->kind == NODE_FILE); // a link is not opened to write
    uint64_t at = (file->flags & OPEN_APPEND) != 0 ? node->file.size : file->position;
    long moved = ramfile_write(node, buffer, length, at);
    if (moved > 0 && offset == OFFSET_CURRENT) {
        file->position = at + (uint64_t)moved;
    }
    return moved;
}

static long file_write(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length,
                       uint64_t offset) {
    struct file *file = container_of(object, struct file, object);
    if (file->node->kind == NODE_FILE && offset != OFFSET_CURRENT && (file->flags & OPEN_APPEND) == 0) {
        return ramfile_write(file->node, buffer, length, offset);
    }
    return write_other(file, self, buffer, length, offset);
}

static status_t file_memory(struct object *object, unsigned, struct pages **pages, uint64_t *size) {
    struct node *node = file_of(object)->node;
    if (node->kind != NODE_FILE) {
        return ERR_WRONG_KIND;
    }
    *size = node->file.size;
    return ramfile_pages(node, pages);
}

const struct object_ops file_ops = {
    .kind = OBJECT_FILE,
    .name = "file",
    .destroy = file_destroy,
    .unhandled = file_unhandled,
    .watched = file_watched,
    .events = file_events,
    .read = file_read,
    .write = file_write,
    .memory = file_memory,
    .describe = file_describe,
};

// ---- directories ----

static long directory_read(struct object *, struct thread *, user_ptr_t, uint64_t, uint64_t) {
    return ERR_IS_DIR;
}

const struct object_ops directory_ops = {
    .kind = OBJECT_FILE,
    .name = "directory",
    .destroy = file_destroy,
    .unhandled = file_unhandled,
    .watched = file_watched,
    .read = directory_read,
    .write = directory_read,
    .describe = file_describe,
};

// ---- devices ----

static long device_read(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length, uint64_t) {
    const struct tree_ops *ops = file_of(object)->node->ops;
    return ops->read != nullptr ? ops->read(self, buffer, length) : 0;
}

static long device_write(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length, uint64_t) {
    struct node *node = file_of(object)->node;
    return node->ops->write != nullptr ? node->ops->write(self, buffer, length)
                                       : write_command(node, self, buffer, length);
}

// The object whose waiters are woken, when it is not the open file itself: all opens of a device share its source.
static struct object *device_source(struct object *object) {
    const struct tree_ops *ops = file_of(object)->node->ops;
    return ops->source != nullptr ? ops->source() : object;
}

static struct watched *device_watched(struct object *object) {
    struct object *source = device_source(object);
    return source != object ? &source->watched : file_watched(object);
}

const struct object_ops device_ops = {
    .kind = OBJECT_FILE,
    .name = "device",
    .destroy = file_destroy,
    .unhandled = file_unhandled,
    .watched = device_watched,
    .events = file_events,
    .source = device_source,
    .read = device_read,
    .write = device_write,
    .describe = file_describe,
};
