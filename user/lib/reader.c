// Lines out of pieces.
#include "lib/reader.h"

#include "lib/file.h"

void reader_init(struct reader *reader, handle_t handle) {
    reader->handle = handle;
    reader->start = 0;
    reader->end = 0;
}

long reader_line(struct reader *reader, struct text *line) {
    text_clear(line);
    bool something = false;
    for (;;) {
        size_t at = reader->start;
        while (at < reader->end && reader->buffer[at] != '\n') {
            at++;
        }
        something = something || reader->end > reader->start;
        if (line->length > READER_LINE_MAX) {
            return ERR_TOO_BIG;
        }
        if (!text_add(line, reader->buffer + reader->start, at - reader->start)) {
            return ERR_NO_MEMORY;
        }
        if (at < reader->end) {
            reader->start = at + 1;
            return 1;
        }
        reader->start = 0;
        reader->end = 0;
        long length = file_read(reader->handle, reader->buffer, sizeof reader->buffer);
        if (length <= 0) {
            return length < 0 ? length : something;
        }
        reader->end = (size_t)length;
    }
}
