// Files of the kernel of any length.
#include "abi/abi.h"
#include "bin/ipc/ipc.h"
#include "lib/file.h"
#include "lib/memory.h"

long source_begin(struct source *source, const char *path) {
    source->text = nullptr;
    long length = file_load_all(path, &source->text);
    if (length < 0) {
        source->text = nullptr;
        return length;
    }
    source->rest = source->text;
    return table_begin(&source->table, &source->rest) ? 0 : ERR_INVALID;
}

bool source_next(struct source *source) {
    return table_next(&source->table, &source->rest);
}

void source_end(struct source *source) {
    free(source->text);
    source->text = nullptr;
}

const char *source_word(const struct source *source, const char *field) {
    const char *value = table_value(&source->table, 0, field);
    return value != nullptr ? value : "-";
}

uint64_t source_number(const struct source *source, const char *field) {
    uint64_t value = 0;
    return table_number(&source->table, 0, field, &value) ? value : 0;
}
