#include "transcript.h"

#include "../support/draw.h"

#include "base/format.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"

enum {
    HANDLES = TRANSCRIPT_CALLS_MAX + 8, // of one transcript, closed ones too: no call gives two
    IDS = 2048,
    MAPPINGS = 256,
    LINE = 4096,
    TEXT = 4096,
    CHANNELS = 3, // names c0, c1, …
    BOOKS_EVERY = 8,
};

// The arena: memory for arguments, shared by both actors; then nothing; a page that can only be read; nothing; places
// for mappings.
enum { ARGUMENTS_SIZE = 0x10000, SECOND = 0x1000, RECORD = 0x2000, DATA = 0x4000, SLOTS = 8, SLOT_SIZE = 0x10000 };
static constexpr uint64_t ARGUMENTS = TRANSCRIPT_ARENA;
static constexpr uint64_t ARGUMENTS_END = ARGUMENTS + ARGUMENTS_SIZE;
static constexpr uint64_t UNMAPPED = TRANSCRIPT_ARENA + 0x100000;
static constexpr uint64_t UNWRITABLE = TRANSCRIPT_ARENA + 0x200000;
static constexpr uint64_t SLOT = TRANSCRIPT_ARENA + 0x1000000;

static const char directory[] = "/tmp/transcript";

// What a handle is for, as far as the choice of calls goes.
enum class {
    DIRECTORY = 1 << 0,
    ORDINARY = 1 << 1,
    STATS = 1 << 2,
    CTL = 1 << 3,
    EVENTS = 1 << 4,
    LATENCY = 1 << 5,
    CHANNEL_NODE = 1 << 6,
    SERVER = 1 << 7,
    CONNECTION = 1 << 8,
    NOTIFIER = 1 << 9,
    PAGES = 1 << 10,
    ACTOR = 1 << 11,  // the process of an actor
    EMBRYO = 1 << 12, // a process without threads
    ALL = (1 << 13) - 1,
    TEXTS = STATS | CTL | EVENTS | LATENCY,
    NODES = DIRECTORY | ORDINARY | TEXTS | CHANNEL_NODE,
    PROCESSES = ACTOR | EMBRYO,
};

struct known {
    handle_t value;
    enum transcript_actor holder;
    unsigned class;
    unsigned object; // handles of the same object have the same
    bool open, pinned;
};

// Ids are unique among their own kind only.
enum id_kind { NODE_ID, CONNECTION_ID, CHANNEL_ID, WATCH_ID, PROCESS_ID, ID_KINDS };

struct mapping {
    unsigned process; // object
    uint64_t address, length;
    unsigned protection;
    bool there;
};

static struct transcript {
    const struct transcript_machine *machine;
    uint64_t random;
    enum transcript_actor actor;
    struct known handle[HANDLES];
    unsigned handles, objects;
    struct {
        enum id_kind kind;
        uint64_t value;
    } id[IDS];
    unsigned ids;
    struct mapping mapping[MAPPINGS];
    unsigned mappings;
    uint64_t cookie; // of the entry listed last
    char line[LINE];
    size_t length;
    // The call being made.
    uint64_t number, arg[6], result[4];
    int64_t status;
} t;

// ---- chance ----------------------------------------------------------------------------------------------------------

// Chance is drawn in statements of their own: the order within an expression is the compiler's.
static uint64_t draw(void) {
    return draw_next(&t.random);
}

static uint64_t below(uint64_t bound) {
    return draw_below(&t.random, bound);
}

static bool one_in(uint64_t n) {
    return below(n) == 0;
}

#define one_of(array) (array)[below(sizeof(array) / sizeof *(array))]

// ---- lines -----------------------------------------------------------------------------------------------------------

[[gnu::format(printf, 1, 2)]] static void say(const char *text, ...) {
    va_list args;
    va_start(args, text);
    size_t room = sizeof t.line - t.length;
    size_t length = vformat(t.line + t.length, room, text, args);
    va_end(args);
    t.length += length < room ? length : room - 1;
}

static void end_line(void) {
    t.line[t.length] = '\0';
    t.machine->line(t.machine->context, t.line);
    t.length = 0;
    t.line[0] = '\0';
}

static void say_bytes(const char *bytes, size_t length) {
    if (length > 80) {
        say(" %zu:%016llx", length, (unsigned long long)hash_bytes(bytes, length));
        return;
    }
    say(" \"");
    for (size_t i = 0; i < length; i++) {
        bool plain = bytes[i] > ' ' && bytes[i] <= '~' && bytes[i] != '"' && bytes[i] != '\\';
        say(plain ? "%c" : "\\%02x", (unsigned char)bytes[i]);
    }
    say("\"");
}

static unsigned id_index(enum id_kind kind, uint64_t value) {
    unsigned index = 0;
    for (unsigned i = 0; i < t.ids; i++) {
        if (t.id[i].kind == kind) {
            if (t.id[i].value == value) {
                return index;
            }
            index++;
        }
    }
    if (t.ids < IDS) {
        t.id[t.ids].kind = kind;
        t.id[t.ids++].value = value;
    }
    return index;
}

static void say_id(enum id_kind kind, uint64_t value) {
    static const char letter[ID_KINDS] = {'n', 'k', 'c', 'w', 'p'};
    if (value == 0) {
        say(" 0");
    } else {
        say(" %c%u", letter[kind], id_index(kind, value));
    }
}

// A random one of the ids seen; 0 if there is none.
static uint64_t some_id(enum id_kind kind) {
    unsigned count = 0;
    for (unsigned i = 0; i < t.ids; i++) {
        count += t.id[i].kind == kind;
    }
    uint64_t chosen = count == 0 ? 0 : below(count);
    for (unsigned i = 0; i < t.ids; i++) {
        if (t.id[i].kind == kind && chosen-- == 0) {
            return t.id[i].value;
        }
    }
    return 0;
}

static void say_address(uint64_t address) {
    if (address >= TRANSCRIPT_ARENA && address - TRANSCRIPT_ARENA < TRANSCRIPT_ARENA_SIZE) {
        say(" @%llx", (unsigned long long)(address - TRANSCRIPT_ARENA));
    } else {
        say(" %#llx", (unsigned long long)address);
    }
}

// ---- calls -----------------------------------------------------------------------------------------------------------

static int64_t call_as(enum transcript_actor actor, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                       uint64_t a4, uint64_t a5) {
    const uint64_t arg[6] = {a0, a1, a2, a3, a4, a5};
    uint64_t unused[4];
    return t.machine->call(t.machine->context, actor, number, arg, unused);
}

static void store(uint64_t to, const void *from, size_t length) {
    if (length > 0) {
        t.machine->store(t.machine->context, to, from, length);
    }
}

static void load(void *to, uint64_t from, size_t length) {
    if (length > 0) {
        t.machine->load(t.machine->context, to, from, length);
    }
}

// A call's own line begins with its name; arguments follow as they are chosen.
static void begin(uint64_t number, const char *name) {
    t.number = number;
    memset(t.arg, 0, sizeof t.arg);
    say("%s %s", t.actor == TRANSCRIPT_FIRST ? "-" : "+", name);
}

static void perform(void) {
    memset(t.result, 0, sizeof t.result);
    t.status = t.machine->call(t.machine->context, t.actor, t.number, t.arg, t.result);
    const char *name = t.status < 0 ? abi_error_name(t.status) : nullptr;
    if (name != nullptr) {
        say(" = %s", name);
    }
}

static void say_status(void) {
    if (t.status >= 0) {
        say(" = %lld", (long long)t.status);
    }
}

// Result words that the call's own rule has not told: 0, by the ABI.
static void finish_call(unsigned told) {
    for (unsigned i = t.status < 0 ? 0 : told; i < 4; i++) {
        if (t.result[i] != 0) {
            say(" !word%u=%#llx", i, (unsigned long long)t.result[i]);
        }
    }
    end_line();
}

static struct known *handle_add(enum transcript_actor holder, handle_t value, unsigned class, unsigned object) {
    struct known *known = &t.handle[t.handles++];
    *known = (struct known){.value = value, .holder = holder, .class = class, .object = object, .open = true};
    return known;
}

static void say_new(const struct known *known) {
    say(" = h%u", (unsigned)(known - t.handle));
}

// The call's handle, if it gave one.
static struct known *born(unsigned class) {
    if (t.status < 0) {
        return nullptr;
    }
    struct known *known = handle_add(t.actor, (handle_t)t.status, class, t.objects++);
    say_new(known);
    return known;
}

// ---- arguments -------------------------------------------------------------------------------------------------------

static void number_is(unsigned index, uint64_t value) {
    t.arg[index] = value;
    say(" %#llx", (unsigned long long)value);
}

static struct known *find(unsigned classes, bool open) {
    unsigned count = 0;
    for (unsigned i = 0; i < t.handles; i++) {
        const struct known *known = &t.handle[i];
        count += known->holder == t.actor && known->open >= open && (known->class & classes) != 0;
    }
    uint64_t chosen = count == 0 ? 0 : below(count);
    for (unsigned i = 0; i < t.handles; i++) {
        struct known *known = &t.handle[i];
        if (known->holder == t.actor && known->open >= open && (known->class & classes) != 0 && chosen-- == 0) {
            return known;
        }
    }
    return nullptr;
}

// Mostly an open handle of one of the classes; sometimes any other of `others`, one that was closed, or nonsense: null.
static struct known *handle_is_among(unsigned index, unsigned classes, unsigned others) {
    // No table has so many handles: none of these ever names something.
    static const uint64_t nonsense[] = {0, 0xffffffff, 0x80000000, 0x7fffffff, 0x1ffff, 0xffffffffffffffff};
    struct known *known = one_in(16) ? find(others, false) : one_in(40) ? nullptr : find(classes, true);
    if (known == nullptr) {
        number_is(index, one_of(nonsense));
        return nullptr;
    }
    t.arg[index] = known->value;
    say(" h%u", (unsigned)(known - t.handle));
    if (one_in(100)) {
        t.arg[index] |= (uint64_t)1 << 32;
        say("+2^32");
    }
    return known;
}

static struct known *handle_is(unsigned index, unsigned classes) {
    return handle_is_among(index, classes, ALL);
}

static uint64_t bad_address(void) {
    static const uint64_t bad[] = {0,
                                   8,
                                   UNMAPPED,
                                   ARGUMENTS_END - 4,
                                   UNWRITABLE,
                                   0x00007ffffffff000,
                                   0x0000800000000000,
                                   0xffff800000000000,
                                   0xffffffff80000000,
                                   0xfffffffffffffffc};
    return one_of(bad);
}

// An argument that points to `length` bytes, put at `place`; sometimes it points elsewhere.
static void bytes_at(unsigned index, unsigned place, const void *bytes, size_t length) {
    static const char zero[8];
    t.arg[index] = ARGUMENTS + place;
    if (one_in(40)) {
        t.arg[index] = bad_address();
        store(ARGUMENTS_END - sizeof zero, zero, sizeof zero);
    } else {
        store(ARGUMENTS + place, bytes, length);
    }
    say_address(t.arg[index]);
}

static void out_is(unsigned index, unsigned place) {
    t.arg[index] = one_in(40) ? bad_address() : ARGUMENTS + place;
    say_address(t.arg[index]);
}

// The part of what the call wrote that can be loaded.
static size_t fetch(void *to, uint64_t from, size_t length) {
    if (from < ARGUMENTS || from >= ARGUMENTS_END) {
        return 0;
    }
    length = length < ARGUMENTS_END - from ? length : ARGUMENTS_END - from;
    load(to, from, length);
    return length;
}

static char path[1024];
static size_t path_length;

static unsigned some_channel(void) {
    return one_in(2) ? 0 : (unsigned)below(CHANNELS);
}

static void choose_path(void) {
    static const char *const names[] = {"a", "b", "d", "d/a", "d/b", "e", "e/a", "d/e/f", "c0", "c1", "c2", "l"};
    static const char *const common[] = {"a", "d", "d/a"};
    static const char *const inner[] = {"data", "data", "data", "stats", "ctl", "events", "latency", "nothing"};
    static const char *const odd[] = {"",    "/",      ".",   "..", "a/..", "d/..",   "../../a", "//a//", "d/./a",
                                      "a/b", "l/../a", "a//", "d/", "\x01", "d/\x7f", "...",     "c0/",   "c0/.."};
    if (one_in(3)) {
        unsigned channel = some_channel();
        path_length = format(path, sizeof path, "c%u/%s", channel, one_of(inner));
    } else {
        path_length = format(path, sizeof path, "%s",
                             one_in(12)  ? one_of(odd)
                             : one_in(2) ? one_of(names)
                                         : one_of(common));
    }
    switch (below(60)) {
    case 0: // a NUL
        path[path_length++] = '\0';
        path[path_length++] = 'x';
        break;
    case 1: // a name at or above the limit
        path_length = NAME_LEN_MAX + below(2);
        memset(path, 'n', path_length);
        break;
    case 2: // a path at or above the limit
        path_length = PATH_LEN_MAX + below(2);
        for (size_t i = 0; i < path_length; i++) {
            path[i] = i % 2 == 0 ? '.' : '/';
        }
        break;
    default:
        break;
    }
}

static void path_is(unsigned index, unsigned place) {
    choose_path();
    say_bytes(path, path_length);
    bytes_at(index, place, path, path_length);
    t.arg[index + 1] = path_length;
    if (one_in(200)) {
        number_is(index + 1, (uint64_t)1 << 63);
    }
}

// The directory that most calls go out from.
static void directory_is(unsigned index) {
    if (one_in(4)) {
        handle_is(index, DIRECTORY);
        return;
    }
    t.arg[index] = t.handle[t.actor].value;
    say(" h%u", t.actor);
}

static unsigned some_mode(void) {
    static const unsigned modes[] = {0777, 0777, 0700, 0755, 0644, 0666, 0, 0400, 0200, 0100, 0007, 0070, 0111};
    return one_in(40) ? 01000 : one_of(modes);
}

static unsigned some_rights(void) {
    static const unsigned rights[] = {RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT,
                                      RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT,
                                      RIGHT_READ | RIGHT_WRITE | RIGHT_GRANT,
                                      RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN,
                                      RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_GRANT,
                                      RIGHT_READ | RIGHT_WATCH,
                                      RIGHT_WRITE | RIGHT_GRANT,
                                      RIGHT_WRITE,
                                      RIGHT_READ};
    return one_in(30) ? 0x100 : one_in(6) ? (unsigned)below(0x100) : one_of(rights);
}

// ---- what calls tell -------------------------------------------------------------------------------------------------

static void say_stat(const struct abi_stat *stat) {
    say_id(NODE_ID, stat->id);
    // The size of a kernel file is that of a text with times in it.
    say(stat->kind == NODE_KERNEL ? " kernel" : " size=%llu", (unsigned long long)stat->size);
    say(" kind=%u mode=%#x owner=%u group=%u", stat->kind, stat->mode, stat->owner, stat->group);
    if (stat->modified < stat->created || stat->accessed < stat->created) {
        say(" !times");
    }
}

static void say_event(const struct abi_event_record *record) {
    bool of_channel = record->cookie % 2 != 0;
    say(" [%llu cookie=%llu event=%#x count=%u", (unsigned long long)record->sequence,
        (unsigned long long)record->cookie, record->event, record->count);
    say_id(PROCESS_ID, record->pid);
    switch (record->event) {
    case EVENT_OPENED:
    case EVENT_CLOSED:
        say_id(of_channel ? CONNECTION_ID : NODE_ID, record->value);
        break;
    case EVENT_CREATED:
    case EVENT_DELETED:
    case EVENT_REMOVED: // of a node; of a channel it is 0
        say_id(NODE_ID, record->value);
        break;
    default:
        say(" %llu", (unsigned long long)record->value);
    }
    say_bytes(record->name, record->name_len <= NAME_LEN_MAX ? record->name_len : 0);
    say("]");
}

// A text of the kernel, field by field: what is of this machine's time is left out.
struct field {
    const char *text;
    size_t length;
};

enum { FIELDS = 24 };

static unsigned split(const char **at, const char *end, struct field field[FIELDS]) {
    unsigned count = 0;
    while (*at < end && **at != '\n') {
        while (*at < end && **at == ' ') {
            ++*at;
        }
        const char *from = *at;
        while (*at < end && **at != ' ' && **at != '\n') {
            ++*at;
        }
        if (*at > from && count < FIELDS) {
            field[count++] = (struct field){from, (size_t)(*at - from)};
        }
    }
    *at += *at < end;
    return count;
}

static bool field_is(const struct field *field, const char *text) {
    return field->length == strlen(text) && memcmp(field->text, text, field->length) == 0;
}

static bool field_ends(const struct field *field, const char *text) {
    size_t length = strlen(text);
    return field->length >= length && memcmp(field->text + field->length - length, text, length) == 0;
}

static void say_field(const struct field *name, const struct field *value, bool of_connection) {
    uint64_t number = 0;
    bool is_number = str_to_u64_bytes(value->text, value->length, &number);
    if (field_ends(name, "_ns")) {
        say(" _");
    } else if (is_number && field_is(name, "pid")) {
        say_id(PROCESS_ID, number);
    } else if (is_number && field_is(name, "id")) {
        say_id(CHANNEL_ID, number);
    } else if (is_number && field_is(name, "value") && of_connection) {
        say_id(CONNECTION_ID, number);
    } else {
        say(" %.*s", (int)value->length, value->text);
    }
}

static void say_text(const char *text, size_t length, unsigned class) {
    static const struct field events[] = {{"sequence", 8}, {"time_ns", 7}, {"event", 5},
                                          {"pid", 3},      {"value", 5},   {"count", 5}};
    if (class == LATENCY) {
        return;
    }
    const char *at = text, *end = text + length;
    struct field name[FIELDS], value[FIELDS];
    unsigned names = sizeof events / sizeof *events;
    if (class == EVENTS) {
        memcpy(name, events, sizeof events);
    } else {
        names = split(&at, end, name);
    }
    while (at < end) {
        unsigned values = split(&at, end, value);
        bool of_connection = values > 2 && (field_is(&value[2], "opened") || field_is(&value[2], "closed"));
        say(" {");
        for (unsigned i = 0; i < values; i++) {
            say_field(i < names ? &name[i] : &value[i], &value[i], of_connection);
        }
        say(" }");
    }
}

enum { BUFFER_MAX = 0x10000 };
static_assert(BUFFER_MAX >= READ_MAX);
static char buffer[BUFFER_MAX + 1];

// What a call of `length` bytes put there.
static void say_read(uint64_t from, size_t length, unsigned class) {
    size_t got = fetch(buffer, from, length < BUFFER_MAX ? length : BUFFER_MAX);
    if ((class & TEXTS) != 0) {
        say_text(buffer, got, class);
    } else if (class == NOTIFIER) {
        for (size_t at = 0; at + sizeof(struct abi_event_record) <= got; at += sizeof(struct abi_event_record)) {
            struct abi_event_record record;
            memcpy(&record, buffer + at, sizeof record);
            say_event(&record);
        }
    } else {
        say(" %016llx", (unsigned long long)hash_bytes(buffer, got));
    }
}

static size_t some_bytes(size_t length) {
    uint64_t from = draw();
    for (size_t i = 0; i < length; i++) {
        buffer[i] = (char)hash_u64(from + i);
    }
    return length;
}

// ---- the namespace ---------------------------------------------------------------------------------------------------

// What a handle just opened is for. Asking is part of the sequence, like everything else.
static unsigned class_of_open(handle_t handle, uint64_t flags) {
    const char *last = path;
    for (size_t i = 0; i < path_length; i++) {
        last = path[i] == '/' ? path + i + 1 : last;
    }
    size_t length = path_length - (size_t)(last - path);
    const struct field name = {last, length};
    struct abi_stat stat = {};
    int64_t status = call_as(t.actor, CALL_STAT, handle, ARGUMENTS, 0, ARGUMENTS + RECORD, 0, 0);
    if (status == ERR_WRONG_KIND) {
        return field_is(&name, "events") ? EVENTS : (flags & OPEN_SERVE) != 0 ? SERVER : CONNECTION;
    }
    if (status == 0) {
        load(&stat, ARGUMENTS + RECORD, sizeof stat);
    }
    switch (stat.kind) {
    case NODE_DIR:
        return DIRECTORY;
    case NODE_CHANNEL:
        return CHANNEL_NODE;
    case NODE_FILE:
        return ORDINARY;
    default:
        return field_is(&name, "stats")     ? STATS
               : field_is(&name, "ctl")     ? CTL
               : field_is(&name, "events")  ? EVENTS
               : field_is(&name, "latency") ? LATENCY
                                            : ORDINARY;
    }
}

static void do_open(void) {
    static const unsigned flags[] = {OPEN_READ,
                                     OPEN_READ | OPEN_WRITE,
                                     OPEN_READ | OPEN_WRITE,
                                     OPEN_WRITE,
                                     OPEN_READ | OPEN_WRITE | OPEN_CREATE,
                                     OPEN_READ | OPEN_WRITE | OPEN_CREATE,
                                     OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE,
                                     OPEN_WRITE | OPEN_TRUNCATE,
                                     OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE,
                                     OPEN_WRITE | OPEN_APPEND,
                                     OPEN_READ | OPEN_DIR,
                                     OPEN_READ | OPEN_WRITE | OPEN_DIR,
                                     OPEN_READ | OPEN_EXEC,
                                     OPEN_READ | OPEN_WRITE | OPEN_ADMIN,
                                     OPEN_READ | OPEN_NOFOLLOW,
                                     OPEN_READ | OPEN_WRITE | OPEN_SERVE,
                                     OPEN_READ | OPEN_WRITE | OPEN_SERVE};
    begin(CALL_OPEN, "open");
    directory_is(0);
    path_is(1, 0);
    uint64_t chosen = one_of(flags);
    if (one_in(12)) {
        chosen = one_in(2) ? below(0x1000) : chosen ^ (uint64_t)1 << below(12);
    }
    number_is(3, chosen);
    number_is(4, some_mode());
    perform();
    unsigned class = t.status >= 0 ? class_of_open((handle_t)t.status, chosen) : 0;
    if (born(class) != nullptr) {
        say(" %#x", class);
    }
    finish_call(0);
}

static void do_make(void) {
    begin(CALL_MAKE, "make");
    directory_is(0);
    unsigned kind = one_in(20) ? (unsigned)below(9) : one_in(4) ? NODE_LINK : NODE_DIR;
    if (kind == NODE_LINK) {
        static const char *const targets[] = {"a", "b", "d", "../a", "l", "d/e", "c0", "d/../b", "nowhere", "e", ""};
        choose_path();
        path[path_length++] = '\0';
        path_length += format(path + path_length, sizeof path - path_length, "%s", one_of(targets));
        say_bytes(path, path_length);
        bytes_at(1, 0, path, path_length);
        t.arg[2] = path_length;
    } else {
        path_is(1, 0);
    }
    number_is(3, kind);
    number_is(4, some_mode());
    perform();
    say_status();
    finish_call(0);
}

static void do_remove(void) {
    begin(CALL_REMOVE, "remove");
    directory_is(0);
    path_is(1, 0);
    perform();
    say_status();
    finish_call(0);
}

static void do_rename(void) {
    begin(CALL_RENAME, "rename");
    directory_is(0);
    path_is(1, 0);
    path_is(3, SECOND);
    perform();
    say_status();
    finish_call(0);
}

// What stat and setattr name: an open node itself, or a path below a directory.
static void node_is(void) {
    if (one_in(3)) {
        handle_is(0, NODES);
        bytes_at(1, 0, "", 0);
    } else {
        directory_is(0);
        path_is(1, 0);
    }
}

static void do_stat(void) {
    begin(CALL_STAT, "stat");
    node_is();
    out_is(3, RECORD);
    perform();
    struct abi_stat stat;
    if (t.status == 0 && fetch(&stat, t.arg[3], sizeof stat) == sizeof stat) {
        say_stat(&stat);
    }
    finish_call(0);
}

static void do_list(void) {
    begin(CALL_LIST, "list");
    if (one_in(2)) {
        handle_is(0, DIRECTORY | CHANNEL_NODE);
    } else {
        directory_is(0);
    }
    bool on = one_in(3);
    t.arg[1] = on ? t.cookie : 0;
    say(on ? " on" : " 0");
    out_is(2, DATA);
    static const unsigned counts[] = {1, 2, 3, 16, 17, 16, 0, 0x7fffffff};
    number_is(3, one_of(counts));
    perform();
    say_status();
    if (t.status > 0 && t.arg[2] >= ARGUMENTS && t.arg[2] < ARGUMENTS_END) {
        for (int64_t i = 0; i < t.status; i++) {
            struct abi_dirent entry;
            load(&entry, t.arg[2] + (uint64_t)i * sizeof entry, sizeof entry);
            say_bytes(entry.name, entry.name_len <= NAME_LEN_MAX ? entry.name_len : 0);
            say_stat(&entry.stat);
            t.cookie = entry.cookie;
        }
    }
    finish_call(0);
}

static void do_setattr(void) {
    begin(CALL_SETATTR, "setattr");
    node_is();
    number_is(3, one_in(20) ? below(16) : one_in(5) ? below(8) : ATTR_MODE);
    number_is(4, some_mode());
    uint64_t owner = below(2) * TRANSCRIPT_USER;
    number_is(5, owner | below(2) * TRANSCRIPT_USER << 32);
    perform();
    say_status();
    finish_call(0);
}

static uint64_t some_offset(void) {
    static const uint64_t offsets[] = {0,    1,     5,         4095,          4096,       10000,
                                       8191, 65536, 0x1000000, 0x1000000 - 2, 1ull << 40, 1ull << 63};
    return one_in(2) ? OFFSET_CURRENT : one_in(2) ? 0 : one_of(offsets);
}

static void do_read(void) {
    static const uint64_t lengths[] = {0,   1,   7,   16,  64,   111,  112,   113,
                                       255, 256, 300, 336, 4096, 5000, 65537, 1ull << 63};
    begin(CALL_READ, "read");
    const struct known *known = handle_is(0, one_in(3) ? NOTIFIER : ALL & ~PROCESSES);
    unsigned class = known == nullptr ? 0 : known->class;
    out_is(1, DATA);
    // Where a text is cut must not depend on how long its times are.
    number_is(2, (class & TEXTS) != 0 ? TEXT : one_of(lengths));
    number_is(3, (class & TEXTS) != 0 ? 0 : some_offset());
    perform();
    if ((class & TEXTS) == 0) {
        say_status();
    }
    if (t.status >= 0) {
        say_read(t.arg[1], (size_t)t.status, class);
    }
    finish_call(0);
}

static void do_write(void) {
    static const uint64_t lengths[] = {0, 1, 10, 100, 256, 257, 4096, 5000, 20000};
    static const char *const commands[] = {"mode 0640", "mode 0777", "mode 9", "mode", "remove", "nonsense", ""};
    begin(CALL_WRITE, "write");
    const struct known *known = handle_is(0, ALL & ~PROCESSES);
    size_t length = 0;
    if (known != nullptr && known->class == CTL && !one_in(8)) {
        length = format(buffer, sizeof buffer, "%s", one_of(commands));
    } else {
        length = some_bytes(one_of(lengths));
    }
    say_bytes(buffer, length);
    bytes_at(1, DATA, buffer, length);
    t.arg[2] = length;
    number_is(3, some_offset());
    perform();
    say_status();
    finish_call(0);
}

// ---- channels --------------------------------------------------------------------------------------------------------

static void do_channel_create(void) {
    static const unsigned depths[] = {0, 1, 2, 3, 7, 40, 65537}, sizes[] = {0, 0, 256, 256, 255, 16, 1, 257};
    begin(CALL_CHANNEL_CREATE, "channel_create");
    directory_is(0);
    if (one_in(4)) {
        say(" unnamed");
    } else if (one_in(6)) {
        path_is(1, 0);
    } else {
        path_length = format(path, sizeof path, "c%u", some_channel());
        say_bytes(path, path_length);
        bytes_at(1, 0, path, path_length);
        t.arg[2] = path_length;
    }
    if (!one_in(4)) {
        struct abi_channel_config config = {.depth = one_of(depths)};
        config.message_max = one_of(sizes);
        config.depth = one_in(200) ? CHANNEL_DEPTH_MAX : config.depth;
        config.mode = one_in(3) ? 0 : some_mode();
        config.flags = one_in(20) ? (unsigned)below(8) : one_in(6);
        config.flags |= one_in(2) ? CHANNEL_MAPPED : 0;
        say(" depth=%u size=%u mode=%#x flags=%u", config.depth, config.message_max, config.mode, config.flags);
        bytes_at(3, RECORD, &config, sizeof config);
    }
    perform();
    born(SERVER);
    finish_call(0);
}

static void do_connect(void) {
    begin(CALL_CONNECT, "connect");
    handle_is(0, SERVER);
    number_is(1, some_rights());
    perform();
    born(CONNECTION);
    finish_call(0);
}

static void do_connect_first(void) {
    (find(SERVER, true) == nullptr ? do_channel_create : do_connect)();
}

static void do_send(void) {
    static const uint64_t lengths[] = {0, 1, 1, 8, 16, 16, 100, 255, 256, 257, 1ull << 40};
    begin(CALL_SEND, "send");
    const struct known *known = handle_is(0, one_in(3) ? SERVER : CONNECTION);
    uint64_t length = one_of(lengths);
    size_t stored = some_bytes(length < 300 ? length : 0);
    say_bytes(buffer, stored);
    bytes_at(1, DATA, buffer, stored);
    number_is(2, length);
    number_is(3, one_in(5) ? draw() : below(8));
    uint64_t connection = known != nullptr && known->class == SERVER ? some_id(CONNECTION_ID) : 0;
    if (one_in(20)) {
        static const uint64_t nobody[] = {0, UINT64_MAX, 1ull << 40};
        number_is(4, one_of(nobody));
    } else {
        say_id(CONNECTION_ID, connection);
        t.arg[4] = connection;
    }
    perform();
    if (t.status >= 0) {
        say_status();
        say(" #%llu", (unsigned long long)t.result[0]);
    }
    finish_call(1);
}

static void do_recv(void) {
    static const uint64_t capacities[] = {256, 256, 256, 256, 1000, 0, 1, 16, 255, 1ull << 63};
    begin(CALL_RECV, "recv");
    handle_is(0, one_in(2) ? SERVER : CONNECTION);
    out_is(1, DATA);
    number_is(2, one_of(capacities));
    perform();
    if (t.status >= 0) {
        say_status();
        say_read(t.arg[1], (size_t)t.status, 0);
        say_id(PROCESS_ID, t.result[0] & UINT32_MAX);
        say(" kind=%llu id=%#llx", (unsigned long long)(t.result[0] >> 32), (unsigned long long)t.result[1]);
        say_id(CONNECTION_ID, t.result[2]);
        say(" #%llu", (unsigned long long)t.result[3]);
    }
    finish_call(4);
}

// The memory of a mapped connection; of others a refusal.
// The shape of a call to servers. Nobody else runs, so nothing ends one but its deadline, which has passed.
static void shape_is(uint64_t flags) {
    static const uint64_t lengths[] = {0, 0, 0, 1, 8, 16, 100, 255, 256, 257};
    uint64_t length = one_of(lengths);
    size_t stored = some_bytes(length <= MESSAGE_MAX ? length : 0);
    uint64_t room = one_of(lengths);
    uint64_t shape = length | room * CALL_RECEIVE | CALL_TIMED | flags;
    number_is(1, one_in(30) ? (shape ^ (uint64_t)1 << below(32)) | CALL_TIMED : shape);
    say_bytes(buffer, stored);
    bytes_at(2, DATA, buffer, stored);
    out_is(3, RECORD);
    number_is(4, below(2));
}

static void do_call(void) {
    begin(CALL_CALL, "call");
    handle_is(0, one_in(8) ? SERVER : CONNECTION);
    shape_is(0);
    perform();
    say_status();
    finish_call(1);
}

static void do_reply_wait(void) {
    begin(CALL_REPLY_WAIT, "reply_wait");
    handle_is(0, one_in(8) ? CONNECTION : SERVER);
    uint64_t flags = one_in(3) ? CALL_MESSAGES : 0;
    shape_is(one_in(4) ? flags | CALL_REPLY_ONLY : flags);
    perform();
    say_status();
    finish_call(2);
}

static void do_attach(void) {
    begin(CALL_ATTACH, "attach");
    handle_is(0, SERVER);
    t.arg[1] = some_id(CONNECTION_ID);
    say_id(CONNECTION_ID, t.arg[1]);
    perform();
    born(PAGES);
    finish_call(0);
}

static void do_finish(void) {
    begin(CALL_FINISH, "finish");
    handle_is(0, CONNECTION);
    perform();
    say_status();
    finish_call(0);
}

// The books of every channel that has a name.
static void tell_books(void) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        path_length = format(path, sizeof path, "c%u/stats", i);
        store(ARGUMENTS, path, path_length);
        int64_t handle =
            call_as(TRANSCRIPT_FIRST, CALL_OPEN, t.handle[0].value, ARGUMENTS, path_length, OPEN_READ, 0, 0);
        if (handle != ERR_NOT_FOUND) {
            say("  c%u %s", i, handle < 0 ? abi_error_name(handle) : "");
            int64_t got = call_as(TRANSCRIPT_FIRST, CALL_READ, (uint64_t)handle, ARGUMENTS + DATA, TEXT, 0, 0, 0);
            if (got > 0) {
                say_read(ARGUMENTS + DATA, (size_t)got, STATS);
            }
            call_as(TRANSCRIPT_FIRST, CALL_CLOSE, (uint64_t)handle, 0, 0, 0, 0, 0);
            end_line();
        }
    }
}

// ---- notifiers, watching, waiting ------------------------------------------------------------------------------------

static uint64_t some_bits(void) {
    uint64_t bit = 1ull << below(6);
    return one_in(12) ? 0 : one_in(6) ? draw() : bit | 1ull << below(6);
}

static void do_notifier_create(void) {
    static const unsigned depths[] = {0, 1, 2, 5, 64, 1024, 1025};
    begin(CALL_NOTIFIER_CREATE, "notifier_create");
    number_is(0, one_of(depths));
    perform();
    born(NOTIFIER);
    finish_call(0);
}

static void do_signal(void) {
    begin(CALL_SIGNAL, "signal");
    handle_is(0, NOTIFIER);
    number_is(1, some_bits());
    perform();
    say_status();
    finish_call(0);
}

static void do_take(void) {
    begin(CALL_TAKE, "take");
    handle_is(0, NOTIFIER);
    number_is(1, one_in(3) ? UINT64_MAX : some_bits());
    perform();
    if (t.status >= 0) {
        say_status();
        say(" %#llx", (unsigned long long)t.result[0]);
    }
    finish_call(1);
}

static void do_watch(void) {
    static const unsigned events[] = {EVENT_READABLE,
                                      EVENT_READABLE | EVENT_WRITABLE,
                                      EVENT_READABLE | EVENT_PEER_LOST | EVENT_REMOVED,
                                      EVENT_CREATED | EVENT_DELETED,
                                      EVENT_OPENED | EVENT_CLOSED | EVENT_ATTRIBUTE,
                                      EVENT_ATTRIBUTE | EVENT_REMOVED | EVENT_EXITED,
                                      EVENT_EXITED,
                                      0x3ff};
    begin(CALL_WATCH, "watch");
    handle_is(0, NOTIFIER);
    const struct known *known = handle_is(1, one_in(2) ? ALL : NODES | SERVER | CONNECTION);
    bool of_channel = known != nullptr && (known->class & (CHANNEL_NODE | SERVER | CONNECTION | EVENTS)) != 0;
    struct abi_watch_spec spec = {.cookie = 2 * below(1000) + of_channel};
    spec.events = one_of(events);
    spec.events = one_in(20) ? (unsigned)below(0x1000) : spec.events;
    spec.bits = one_in(2) ? 0 : some_bits();
    spec.flags = one_in(20) ? (unsigned)below(8) : one_in(6) ? WATCH_SILENT : one_in(3) ? WATCH_COALESCE : 0;
    // Only where values are the application's own: ids are this machine's.
    if (spec.events == EVENT_READABLE && one_in(2)) {
        spec.match_mask = below(8);
        spec.match_value = below(4);
    }
    say(" cookie=%llu bits=%#llx match=%llu/%llu events=%#x flags=%u", (unsigned long long)spec.cookie,
        (unsigned long long)spec.bits, (unsigned long long)spec.match_mask, (unsigned long long)spec.match_value,
        spec.events, spec.flags);
    bytes_at(2, RECORD, &spec, sizeof spec);
    perform();
    if (t.status >= 0) {
        say_status();
        say_id(WATCH_ID, t.result[0]);
    }
    finish_call(1);
}

static void do_unwatch(void) {
    begin(CALL_UNWATCH, "unwatch");
    handle_is(0, NOTIFIER);
    if (one_in(12)) {
        number_is(1, one_in(2) ? 0 : UINT64_MAX);
    } else {
        t.arg[1] = some_id(WATCH_ID);
        say_id(WATCH_ID, t.arg[1]);
    }
    perform();
    say_status();
    finish_call(0);
}

static void do_wait(void) {
    struct abi_wait_item item[WAIT_MAX];
    unsigned count = 1 + (unsigned)below(one_in(8) ? WAIT_MAX : 3);
    begin(CALL_WAIT, "wait");
    for (unsigned i = 0; i < count; i++) {
        handle_is(0, one_in(2) ? ALL : SERVER | CONNECTION | NOTIFIER);
        item[i].handle = (uint32_t)t.arg[0];
        item[i].events = one_in(25) ? 0x40 : 1 + (unsigned)below(0x1f);
        say("/%#x", item[i].events);
    }
    bytes_at(0, RECORD, item, count * sizeof item[0]);
    number_is(1, one_in(40) ? WAIT_MAX + 1 : one_in(40) ? 0 : count);
    perform();
    if (t.status >= 0) {
        say_status();
        say(" %#llx", (unsigned long long)t.result[0]);
    }
    finish_call(1);
}

// ---- handles and processes -------------------------------------------------------------------------------------------

static void do_dup(void) {
    begin(CALL_DUP, "dup");
    const struct known *known = handle_is(0, ALL);
    number_is(1, some_rights());
    perform();
    if (t.status >= 0 && known != nullptr) {
        say_new(handle_add(t.actor, (handle_t)t.status, known->class, known->object));
    }
    finish_call(0);
}

static void do_give(void) {
    begin(CALL_GIVE, "give");
    const struct known *process = handle_is(0, PROCESSES);
    const struct known *known = handle_is(1, ALL);
    number_is(2, some_rights());
    perform();
    if (t.status >= 0 && process != nullptr && known != nullptr) {
        if (process->class == EMBRYO) {
            say_status();
        } else {
            enum transcript_actor holder =
                process->object == t.handle[2].object ? TRANSCRIPT_FIRST : TRANSCRIPT_PARTNER;
            say_new(handle_add(holder, (handle_t)t.status, known->class, known->object));
        }
    }
    finish_call(0);
}

static void do_close(void) {
    begin(CALL_CLOSE, "close");
    struct known *known = one_in(40) ? nullptr : find(ALL & ~ACTOR, !one_in(12));
    if (known == nullptr || known->pinned) {
        number_is(0, 0);
    } else {
        t.arg[0] = known->value;
        say(" h%u", (unsigned)(known - t.handle));
    }
    perform();
    if (t.status >= 0) {
        say_status();
        known->open = false;
    }
    finish_call(0);
}

static void do_process_create(void) {
    static const char *const names[] = {
        "one", "a-long-name-that-has-31-letters", "a-long-name-that-has-32-letters-", "", "x/y", "x\ny"};
    begin(CALL_PROCESS_CREATE, "process_create");
    const char *name = one_in(3) ? one_of(names) : names[0];
    say_bytes(name, strlen(name));
    bytes_at(0, 0, name, strlen(name));
    t.arg[1] = strlen(name);
    number_is(2, one_in(4) ? TRANSCRIPT_USER : ID_INHERIT);
    number_is(3, one_in(4) ? 0 : ID_INHERIT);
    perform();
    struct known *known = born(EMBRYO);
    if (known != nullptr) {
        known->pinned = true; // until it has ended: its end is to be waited for
    }
    finish_call(0);
}

static void do_process_info(void) {
    begin(CALL_PROCESS_INFO, "process_info");
    const struct known *known = handle_is(0, PROCESSES);
    out_is(1, RECORD);
    perform();
    struct abi_process_info info;
    if (t.status == 0 && known != nullptr && fetch(&info, t.arg[1], sizeof info) == sizeof info) {
        say_id(PROCESS_ID, info.pid);
        if (known->class == EMBRYO) {
            say_id(PROCESS_ID, info.parent);
            say(" ended=%d used=%d", info.ended != 0, info.cpu_time != 0);
        }
        say(" state=%u status=%d owner=%u group=%u", info.state, info.exit_status, info.owner, info.group);
    }
    finish_call(0);
}

// An embryo's end comes in steps, which other CPUs may take: wait for it.
static int64_t await_end(unsigned object) {
    for (unsigned i = 0; i < t.handles; i++) {
        struct known *known = &t.handle[i];
        if (known->object == object && known->class == EMBRYO && known->pinned) {
            const struct abi_wait_item item = {known->value, EVENT_EXITED};
            known->pinned = false;
            store(ARGUMENTS + RECORD, &item, sizeof item);
            for (unsigned m = 0; m < t.mappings; m++) {
                t.mapping[m].there = t.mapping[m].there && t.mapping[m].process != object;
            }
            return call_as(known->holder, CALL_WAIT, ARGUMENTS + RECORD, 1, FOREVER, 0, 0, 0);
        }
    }
    return ERR_NOT_FOUND;
}

static void do_kill(void) {
    begin(CALL_KILL, "kill");
    const struct known *known = handle_is_among(0, EMBRYO, ALL & ~ACTOR);
    number_is(1, below(200));
    perform();
    if (t.status >= 0 && known != nullptr) {
        say_status();
        say(" wait=%lld", (long long)await_end(known->object));
    }
    finish_call(0);
}

// ---- memory ----------------------------------------------------------------------------------------------------------

static void do_pages_create(void) {
    static const uint64_t sizes[] = {1, 4096, 4097, 16384, 65536, 1 << 20, 0, PAGES_MAX, PAGES_MAX + 1ull, UINT64_MAX};
    begin(CALL_PAGES_CREATE, "pages_create");
    number_is(0, one_in(2) ? 16384 : one_of(sizes));
    perform();
    born(PAGES);
    finish_call(0);
}

static void do_map(void) {
    static const uint64_t lengths[] = {4096, 4096, 8192, 1, 5000, 16384, 0, 65536, 1ull << 63};
    static const uint64_t offsets[] = {0, 0, 0, 4096, 8192, 100, 1 << 20, 1ull << 63};
    static const unsigned protections[] = {PROT_READ,  PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
                                           PROT_WRITE, PROT_READ | PROT_EXEC,  PROT_WRITE | PROT_EXEC,
                                           8};
    begin(CALL_MAP, "map");
    const struct known *process = handle_is(0, PROCESSES);
    handle_is(1, one_in(3) ? ORDINARY : one_in(6) ? CONNECTION : PAGES);
    uint64_t slot = SLOT + below(SLOTS) * SLOT_SIZE;
    uint64_t address = one_in(3) ? 0 : one_in(10) ? bad_address() : slot + below(2) * PAGE_SIZE;
    // Nothing is ever put where the kernel's refusal is tried.
    address = address == UNMAPPED || address == 0x00007ffffffff000 ? 12 : address;
    t.arg[2] = address;
    say_address(address);
    number_is(3, one_in(2) ? 0 : one_of(offsets));
    number_is(4, one_in(2) ? PAGE_SIZE : one_of(lengths));
    number_is(5, one_in(2) ? PROT_READ | PROT_WRITE : one_of(protections));
    perform();
    if (t.status >= 0 && process != nullptr) {
        say_status();
        say(" m%u", t.mappings);
        if (address != 0 && t.result[0] != address) {
            say(" !elsewhere");
        }
        if (t.mappings < MAPPINGS) {
            t.mapping[t.mappings++] = (struct mapping){.process = process->object,
                                                       .address = t.result[0],
                                                       .length = t.arg[4],
                                                       .protection = (unsigned)t.arg[5],
                                                       .there = true};
        }
    }
    finish_call(1);
}

static void do_unmap(void) {
    static const uint64_t nowhere[] = {0, 100, UNMAPPED, UNMAPPED + 1, 0xffff800000000000, UINT64_MAX};
    begin(CALL_UNMAP, "unmap");
    const struct known *process = handle_is(0, PROCESSES);
    struct mapping *chosen = nullptr;
    if (t.mappings > 0 && !one_in(10)) {
        struct mapping *mapping = &t.mapping[below(t.mappings)];
        // Addresses that the kernel chose mean something in their own process only.
        bool own = process != nullptr && process->object == mapping->process && mapping->there;
        chosen = own ? mapping : nullptr;
    }
    if (chosen == nullptr) {
        t.arg[1] = one_of(nowhere);
        say_address(t.arg[1]);
    } else {
        t.arg[1] = chosen->address;
        say(" m%u", (unsigned)(chosen - t.mapping));
    }
    perform();
    if (t.status >= 0) {
        say_status();
        if (chosen != nullptr) {
            chosen->there = false;
        }
    }
    finish_call(0);
}

// A load and perhaps a store of the first actor in one of its mappings.
static void do_touch(void) {
    if (t.mappings == 0) {
        return;
    }
    const struct mapping *mapping = &t.mapping[below(t.mappings)];
    uint64_t offset = below(mapping->length) & ~(uint64_t)7, value = 0;
    bool usable = mapping->there && mapping->process == t.handle[2].object;
    if (!usable) {
        return;
    }
    load(&value, mapping->address + offset, sizeof value);
    say("  touch m%u+%llx %llx", (unsigned)(mapping - t.mapping), (unsigned long long)offset,
        (unsigned long long)value);
    if ((mapping->protection & PROT_WRITE) != 0) {
        value = draw();
        store(mapping->address + offset, &value, sizeof value);
    }
    end_line();
}

// ---- calls that are only tried ---------------------------------------------------------------------------------------

static void do_odd(void) {
    static const uint64_t numbers[] = {CALL_COUNT, CALL_COUNT + 1, UINT64_MAX, 1ull << 32, 1ull << 63, 255};
    switch (below(6)) {
    case 0:
        begin(one_of(numbers), "no_call");
        say(" %#llx", (unsigned long long)t.number);
        break;
    case 1:
        begin(CALL_ABI_VERSION, "abi_version");
        break;
    case 2:
        begin(CALL_YIELD, "yield");
        break;
    case 3: // never one that the log takes
        begin(CALL_DEBUG_PRINT, "debug_print");
        t.arg[0] = one_in(2) ? ARGUMENTS : UNMAPPED;
        say_address(t.arg[0]);
        number_is(1, t.arg[0] == UNMAPPED ? 5 : below(2) * 256);
        break;
    case 4: // never one that starts
        begin(CALL_THREAD_CREATE, "thread_create");
        handle_is(0, PROCESSES);
        t.arg[1] = one_in(2) ? 0xffff800000000000 : ARGUMENTS;
        say_address(t.arg[1]);
        t.arg[2] = t.arg[1] == ARGUMENTS ? ARGUMENTS + 8 : ARGUMENTS;
        say_address(t.arg[2]);
        number_is(4, below(40));
        break;
    default:
        begin(CALL_CLOCK, "clock");
        perform();
        say_status();
        t.result[0] = 0;
        finish_call(0);
        return;
    }
    perform();
    say_status();
    finish_call(0);
}

// ---- the whole -------------------------------------------------------------------------------------------------------

// What there is none of yet is made first: most calls shall get somewhere.
static const struct {
    void (*make)(void);
    unsigned weight;
    unsigned needs; // a handle of one of these classes
    void (*instead)(void);
} steps[] = {
    {do_open, 24, 0, nullptr},
    {do_make, 4, 0, nullptr},
    {do_remove, 3, 0, nullptr},
    {do_rename, 3, 0, nullptr},
    {do_stat, 5, 0, nullptr},
    {do_list, 4, 0, nullptr},
    {do_setattr, 4, 0, nullptr},
    {do_read, 12, ALL & ~PROCESSES & ~DIRECTORY, do_open},
    {do_write, 8, ORDINARY | CONNECTION | CTL, do_open},
    {do_channel_create, 4, 0, nullptr},
    {do_connect, 5, SERVER, do_channel_create},
    {do_send, 22, CONNECTION, do_connect_first},
    {do_recv, 16, SERVER | CONNECTION, do_channel_create},
    {do_call, 6, CONNECTION, do_connect_first},
    {do_reply_wait, 6, SERVER, do_channel_create},
    {do_finish, 2, CONNECTION, do_connect_first},
    {do_attach, 3, SERVER, do_connect_first},
    {do_notifier_create, 2, 0, nullptr},
    {do_signal, 5, NOTIFIER, do_notifier_create},
    {do_take, 5, NOTIFIER, do_notifier_create},
    {do_watch, 8, NOTIFIER, do_notifier_create},
    {do_unwatch, 2, NOTIFIER, do_notifier_create},
    {do_wait, 6, SERVER | CONNECTION | NOTIFIER, do_notifier_create},
    {do_dup, 5, 0, nullptr},
    {do_give, 6, 0, nullptr},
    {do_close, 9, 0, nullptr},
    {do_process_create, 1, 0, nullptr},
    {do_process_info, 3, EMBRYO, do_process_create},
    {do_kill, 1, EMBRYO, do_process_create},
    {do_pages_create, 2, 0, nullptr},
    {do_map, 7, PAGES, do_pages_create},
    {do_unmap, 4, 0, nullptr},
    {do_touch, 6, 0, nullptr},
    {do_odd, 3, 0, nullptr},
};

static void step(void) {
    unsigned sum = 0;
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        sum += steps[i].weight;
    }
    uint64_t chosen = below(sum);
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (chosen < steps[i].weight) {
            t.actor = one_in(3) ? TRANSCRIPT_PARTNER : TRANSCRIPT_FIRST;
            bool lacks = steps[i].needs != 0 && find(steps[i].needs, true) == nullptr;
            (lacks ? steps[i].instead : steps[i].make)();
            return;
        }
        chosen -= steps[i].weight;
    }
}

static bool arena_map(uint64_t address, uint64_t size, unsigned protection) {
    const struct transcript_machine *m = t.machine;
    int64_t pages = call_as(TRANSCRIPT_FIRST, CALL_PAGES_CREATE, size, 0, 0, 0, 0, 0);
    bool done =
        pages >= 0 &&
        call_as(TRANSCRIPT_FIRST, CALL_MAP, m->process[0], (uint64_t)pages, address, 0, size, protection) == 0 &&
        call_as(TRANSCRIPT_FIRST, CALL_MAP, m->partner, (uint64_t)pages, address, 0, size, protection) == 0;
    call_as(TRANSCRIPT_FIRST, CALL_CLOSE, (uint64_t)pages, 0, 0, 0, 0, 0);
    return done;
}

static void arena_unmap(uint64_t address) {
    call_as(TRANSCRIPT_FIRST, CALL_UNMAP, t.machine->process[0], address, 0, 0, 0, 0);
    call_as(TRANSCRIPT_FIRST, CALL_UNMAP, t.machine->partner, address, 0, 0, 0, 0);
}

static void learn_pid(enum transcript_actor actor) {
    struct abi_process_info info = {};
    call_as(actor, CALL_PROCESS_INFO, t.machine->process[actor], ARGUMENTS + RECORD, 0, 0, 0, 0);
    load(&info, ARGUMENTS + RECORD, sizeof info);
    id_index(PROCESS_ID, info.pid);
}

// The first handles, in this order: each actor's directory, the first actor's own process, the partner's own, and the
// partner's as the first actor names it. They stay open.
static bool prepare(void) {
    const struct transcript_machine *m = t.machine;
    if (!arena_map(ARGUMENTS, ARGUMENTS_SIZE, PROT_READ | PROT_WRITE) || !arena_map(UNWRITABLE, PAGE_SIZE, PROT_READ)) {
        return false;
    }
    store(ARGUMENTS, directory, sizeof directory - 1);
    int64_t made = call_as(TRANSCRIPT_FIRST, CALL_MAKE, m->root, ARGUMENTS, sizeof directory - 1, NODE_DIR, 0777, 0);
    int64_t opened = call_as(TRANSCRIPT_FIRST, CALL_OPEN, m->root, ARGUMENTS, sizeof directory - 1,
                             OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_DIR | OPEN_ADMIN, 0, 0);
    if (made < 0 || opened < 0) {
        return false;
    }
    int64_t given = ERR_RIGHTS;
    for (unsigned dropped = 0; given == ERR_RIGHTS && dropped <= RIGHTS_ALL; dropped++) {
        given = call_as(TRANSCRIPT_FIRST, CALL_GIVE, m->partner, (uint64_t)opened, RIGHTS_ALL & ~dropped, 0, 0, 0);
    }
    if (given < 0) {
        return false;
    }
    learn_pid(TRANSCRIPT_FIRST);
    learn_pid(TRANSCRIPT_PARTNER);
    handle_add(TRANSCRIPT_FIRST, (handle_t)opened, DIRECTORY, 0)->pinned = true;
    handle_add(TRANSCRIPT_PARTNER, (handle_t)given, DIRECTORY, 0)->pinned = true;
    handle_add(TRANSCRIPT_FIRST, m->process[0], ACTOR, 1)->pinned = true;
    handle_add(TRANSCRIPT_PARTNER, m->process[1], ACTOR, 2)->pinned = true;
    handle_add(TRANSCRIPT_FIRST, m->partner, ACTOR, 2)->pinned = true;
    t.objects = 3;
    return true;
}

// Empty a directory: what it has goes, or is moved up first if it is itself a directory with entries.
static bool empty(handle_t handle) {
    unsigned moved = 0;
    for (unsigned round = 0; round < 10000; round++) {
        int64_t got = call_as(TRANSCRIPT_FIRST, CALL_LIST, handle, 0, ARGUMENTS + DATA, 1, 0, 0);
        if (got <= 0) {
            return got == 0;
        }
        struct abi_dirent entry;
        load(&entry, ARGUMENTS + DATA, sizeof entry);
        store(ARGUMENTS, entry.name, entry.name_len);
        int64_t removed = call_as(TRANSCRIPT_FIRST, CALL_REMOVE, handle, ARGUMENTS, entry.name_len, 0, 0, 0);
        if (removed == 0) {
            continue;
        }
        int64_t below_it = call_as(TRANSCRIPT_FIRST, CALL_OPEN, handle, ARGUMENTS, entry.name_len,
                                   OPEN_READ | OPEN_WRITE | OPEN_DIR | OPEN_NOFOLLOW, 0, 0);
        int64_t inner = call_as(TRANSCRIPT_FIRST, CALL_LIST, (uint64_t)below_it, 0, ARGUMENTS + DATA, 1, 0, 0);
        call_as(TRANSCRIPT_FIRST, CALL_CLOSE, (uint64_t)below_it, 0, 0, 0, 0, 0);
        if (inner != 1) {
            return false;
        }
        struct abi_dirent child;
        load(&child, ARGUMENTS + DATA, sizeof child);
        char from[2 * sizeof child.name], to[sizeof child.name];
        size_t from_length = format(from, sizeof from, "%s/%s", entry.name, child.name);
        size_t to_length = format(to, sizeof to, "moved%u", moved++);
        store(ARGUMENTS, from, from_length);
        store(ARGUMENTS + SECOND, to, to_length);
        int64_t renamed =
            call_as(TRANSCRIPT_FIRST, CALL_RENAME, handle, ARGUMENTS, from_length, ARGUMENTS + SECOND, to_length, 0);
        if (renamed != 0) {
            return false;
        }
    }
    return false;
}

static bool clean_up(void) {
    const struct transcript_machine *m = t.machine;
    for (unsigned i = 0; i < t.handles; i++) {
        struct known *known = &t.handle[i];
        if (known->open && known->class == EMBRYO && known->pinned) {
            call_as(known->holder, CALL_KILL, known->value, 0, 0, 0, 0, 0);
            await_end(known->object);
        }
    }
    for (unsigned i = 0; i < t.mappings; i++) {
        const struct mapping *mapping = &t.mapping[i];
        if (mapping->there) {
            handle_t process = mapping->process == t.handle[2].object ? m->process[0] : m->partner;
            call_as(TRANSCRIPT_FIRST, CALL_UNMAP, process, mapping->address, 0, 0, 0, 0);
        }
    }
    for (unsigned i = 0; i < t.handles; i++) {
        if (t.handle[i].open && (!t.handle[i].pinned || i == TRANSCRIPT_PARTNER)) {
            call_as(t.handle[i].holder, CALL_CLOSE, t.handle[i].value, 0, 0, 0, 0, 0);
        }
    }
    bool clean = empty(t.handle[0].value);
    call_as(TRANSCRIPT_FIRST, CALL_CLOSE, t.handle[0].value, 0, 0, 0, 0, 0);
    store(ARGUMENTS, directory, sizeof directory - 1);
    int64_t removed = call_as(TRANSCRIPT_FIRST, CALL_REMOVE, m->root, ARGUMENTS, sizeof directory - 1, 0, 0, 0);
    arena_unmap(ARGUMENTS);
    arena_unmap(UNWRITABLE);
    return clean && removed == 0;
}

bool transcript_run(const struct transcript_machine *machine, uint64_t seed, unsigned count) {
    memset(&t, 0, sizeof t);
    t.machine = machine;
    t.random = hash_u64(seed + 1);
    if (count > TRANSCRIPT_CALLS_MAX || !prepare()) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        say("%u ", i);
        size_t before = t.length;
        step();
        if (t.length == before) { // it had nothing to do
            t.length = 0;
        }
        if (i % BOOKS_EVERY == BOOKS_EVERY - 1) {
            tell_books();
        }
    }
    return clean_up();
}

uint64_t transcript_digest(uint64_t digest, const char *line) {
    return hash_u64(digest ^ hash_bytes(line, strlen(line)));
}
