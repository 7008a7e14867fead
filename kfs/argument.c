#include "kfs/argument.h"

#include "base/word.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/file.h"
#include "kfs/walk.h"

status_t argument_file(struct thread *self, handle_t value, uint32_t rights, struct file **file,
                       struct handle **handle) {
    status_t status = handle_find(&self->process->handles, value, handle);
    if (status < 0) {
        return status;
    }
    if ((*handle)->object->ops->kind != OBJECT_FILE) {
        return ERR_WRONG_KIND;
    }
    if (((*handle)->rights & rights) != rights) {
        return ERR_RIGHTS;
    }
    *file = file_of((*handle)->object);
    return 0;
}

status_t argument_path(user_ptr_t from, uint64_t length, const char **path) {
    if (length > PATH_LEN_MAX) {
        return ERR_NAME_TOO_LONG;
    }
    char *room = walk_room(length);
    status_t status = user_copy_in(room, from, length);
    if (status < 0) {
        return status;
    }
    *path = room;
    for (const char *at = room, *end = room + length; at < end; at += WORD_BYTES) {
        if (word_has_zero(word_load(at))) {
            return ERR_INVALID;
        }
    }
    return 0;
}
