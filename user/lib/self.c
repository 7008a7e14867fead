// The bootstrap record, read once. The record was written by the spawner, so the strings are taken as they are, but no
// offset is followed beyond the record's own size.
#include "lib/self.h"

#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/path.h"

static const struct abi_bootstrap *boot;
static char current[PATH_LEN_MAX + 1] = "/";

handle_t self_root(void) {
    return boot->root;
}
handle_t self_process(void) {
    return boot->process;
}
handle_t self_input(void) {
    return boot->input;
}
handle_t self_output(void) {
    return boot->output;
}
handle_t self_error(void) {
    return boot->error;
}
unsigned self_argc(void) {
    return boot->argc;
}

// The index-th of `count` strings that begin at `offset`; null if there is none, or if the record ends first.
static char *string_at(uint32_t offset, uint32_t count, unsigned index) {
    if (index >= count || offset >= boot->size) {
        return nullptr;
    }
    char *text = (char *)(uintptr_t)boot + offset;
    char *end = (char *)(uintptr_t)boot + boot->size;
    for (; index > 0; index--) {
        text += strnlen(text, (size_t)(end - text)) + 1;
        if (text >= end) {
            return nullptr;
        }
    }
    return text;
}

char *self_arg(unsigned index) {
    return string_at(boot->args, boot->argc, index);
}
const char *self_env_at(unsigned index) {
    return string_at(boot->env, boot->envc, index);
}

const char *self_name(void) {
    const char *name = self_arg(0);
    return name == nullptr || *name == 0 ? "?" : path_base(name);
}

const char *self_env(const char *name) {
    size_t length = strlen(name);
    const char *entry;
    for (unsigned i = 0; (entry = self_env_at(i)) != nullptr; i++) {
        if (strncmp(entry, name, length) == 0 && entry[length] == '=') {
            return entry + length + 1;
        }
    }
    return nullptr;
}

const char *self_cwd(void) {
    return current;
}

long self_chdir(const char *path) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(current, path, whole);
    if (status < 0) {
        return status;
    }
    long handle = sys_open(boot->root, whole, strlen(whole), OPEN_READ | OPEN_DIR, 0);
    if (handle < 0) {
        return handle;
    }
    sys_close((handle_t)handle);
    memcpy(current, whole, strlen(whole) + 1);
    return 0;
}

unsigned self_handle_count(void) {
    return boot->handlec;
}

handle_t self_handle(unsigned index) {
    if (index >= boot->handlec || boot->handles > boot->size ||
        (boot->size - boot->handles) / sizeof(uint32_t) <= index) {
        return 0;
    }
    return ((const uint32_t *)((const char *)boot + boot->handles))[index];
}

bool self_init(const struct abi_bootstrap *record) {
    if (record == nullptr || record->magic != BOOTSTRAP_MAGIC || record->size < sizeof *record) {
        return false;
    }
    boot = record;
    const char *cwd = string_at(record->cwd, 1, 0);
    if (cwd != nullptr && path_normalise("/", cwd, current) < 0) {
        memcpy(current, "/", 2);
    }
    return true;
}
