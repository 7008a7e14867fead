// Every documented refusal of every call is provoked. A call that would succeed is spoilt in one way at a time: each
// handle made wrong, each address unreadable, each path impossible, memory refused; what is left is told case by case.
// Whatever of the inventory (abi/abi.toml) is then still not provoked must stand in `unreachable` with its reason, and
// nothing that is provoked may stand there.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kernel/alloc_fault.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "machine.h"
#include "refusals.h"

enum { ERRORS = 64, CALLS = 64 };

static bool provoked[CALLS][ERRORS]; // by call and minus the error
static unsigned complaints;

static bool documented(uint64_t call, int64_t error) {
    for (unsigned i = 0; i < REFUSALS; i++) {
        if (refusals[i].call == call && refusals[i].error == error) {
            return true;
        }
    }
    return false;
}

static const char *call_name(uint64_t call) {
    for (unsigned i = 0; i < REFUSALS; i++) {
        if (refusals[i].call == call) {
            return refusals[i].call_name;
        }
    }
    return "?";
}

[[gnu::format(printf, 1, 2)]] static void complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    complaints++;
}

// ---- the world in which calls are made -------------------------------------------------------------------------------

// Where things lie in scratch memory.
enum { PATH = 0, PATH2 = 512, NAME = 1024, ITEMS = 2048, CONFIG = 2304, SPEC = 2560, BUFFER = 4096 };

static struct user *me, *guest; // user 0; somebody else
static handle_t dir, file, text, server, client, mapped_server, memory, embryo, dead, notifier, thread, kernel_file;
static uint64_t watch_id, mapped, mapped_connection;
static handle_t guest_dir;

static handle_t good(int64_t handle) {
    if (handle <= 0) {
        machine_fail("the world cannot be made: %lld", (long long)handle);
    }
    return (handle_t)handle;
}

static uint64_t put(struct user *user, uint64_t at, const void *data, size_t size) {
    require(user_store(user, user->scratch + at, data, size));
    return user->scratch + at;
}

static uint64_t put_text(struct user *user, uint64_t at, const char *string) {
    return put(user, at, string, strlen(string) + 1);
}

static void make_names(void) {
    handle_t root = me->root;
    require_equal(user_make(me, root, "/tmp/d", NODE_DIR, 0777), 0);
    require_equal(user_make(me, root, "/tmp/d/sub", NODE_DIR, 0777), 0);
    require_equal(user_make(me, root, "/tmp/d/sub/x", NODE_DIR, 0777), 0);
    require_equal(user_make(me, root, "/tmp/d/closed", NODE_DIR, 0700), 0);
    require_equal(user_make(me, root, "/tmp/d/shown", NODE_DIR, 0755), 0);
    require_equal(user_make(me, root, "/tmp/d/shown/y", NODE_DIR, 0755), 0);
    require_equal(user_link(me, root, "/tmp/d/loop", "loop"), 0);
    dir = good(user_open(me, root, "/tmp/d", OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_ADMIN | OPEN_DIR, 0));
    file = good(user_open(me, dir, "f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0644));
    require_equal(user_write(me, file, "hello", 5, 0), 5);
    text = good(user_open(me, dir, "f", OPEN_READ, 0));
    kernel_file = good(user_open(me, root, "/kern/version", OPEN_READ, 0));
}

static void make_objects(void) {
    server = good(user_channel(me, dir, "channel", nullptr));
    client = good(CALL(me, CONNECT, server, RIGHTS_ALL));
    mapped_server = good(user_channel(me, 0, nullptr, &(struct abi_channel_config){.flags = CHANNEL_MAPPED}));
    handle_t peer = good(CALL(me, CONNECT, mapped_server, RIGHTS_ALL));
    require_equal(user_send(me, peer, "", 0, 0, 0), 0);
    require_equal(user_recv(me, mapped_server, nullptr, 0), 0);
    mapped_connection = me->word[2];
    memory = good(CALL(me, PAGES_CREATE, 3 * PAGE_SIZE));
    notifier = good(CALL(me, NOTIFIER_CREATE, 0));
    put_text(me, NAME, "n");
    embryo = good(CALL(me, PROCESS_CREATE, me->scratch + NAME, 1, ID_INHERIT, ID_INHERIT));
    dead = good(CALL(me, PROCESS_CREATE, me->scratch + NAME, 1, ID_INHERIT, ID_INHERIT));
    require_equal(CALL(me, KILL, dead, 0), 0);
    struct abi_watch_spec spec = {.events = EVENT_EXITED, .bits = 1};
    put(me, SPEC, &spec, sizeof spec);
    require_equal(CALL(me, WATCH, notifier, embryo, me->scratch + SPEC), 0);
    watch_id = me->word[0];
    require_equal(CALL(me, MAP, me->own, memory, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    mapped = me->word[0];
    int64_t other = CALL(me, THREAD_CREATE, me->own, machine_entry(nullptr), 0x7fff00000000, 0, 0);
    thread = good(other);
}

static void make_world(void) {
    machine_boot(&(struct machine_options){.memory = 16u << 20, .cpus = 2});
    me = machine_init();
    for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += PAGE_SIZE) {
        put(me, at, "", 1);
    }
    make_names();
    make_objects();
    guest = machine_spawn_as(me, "guest", nullptr, nullptr, PRIORITY_DEFAULT, 1000, 1000);
    require(guest != nullptr);
    guest_dir = good(user_open(guest, guest->root, "/tmp/d", OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_DIR, 0));
}

// ---- calls that succeed ----------------------------------------------------------------------------------------------

enum { ARGUMENTS = 6, UNUSED = 0xff };

// What an argument is, so that it can be spoilt.
struct shape {
    unsigned call;
    void (*prepare)(uint64_t arg[ARGUMENTS]);
    struct {
        unsigned argument; // UNUSED: none
        uint32_t rights;   // needed
    } handle[2];
    unsigned pointer[2];
    unsigned path;   // argument; its length is the next
    unsigned narrow; // a 32-bit argument
    bool takes_handle_slot, takes_memory;
};

static void set_path(uint64_t *arg, const char *path) {
    arg[0] = put_text(me, PATH, path);
    arg[1] = strlen(path);
}

static void set_wait(uint64_t *arg) {
    struct abi_wait_item item = {client, EVENT_WRITABLE};
    arg[0] = put(me, ITEMS, &item, sizeof item);
    arg[1] = 1;
}

static void set_close(uint64_t *arg) {
    arg[0] = good(CALL(me, DUP, file, RIGHT_READ));
}

static void set_dup(uint64_t *arg) {
    arg[0] = file, arg[1] = RIGHT_READ;
}

static void set_give(uint64_t *arg) {
    arg[0] = embryo, arg[1] = file, arg[2] = RIGHT_READ;
}

static void set_open(uint64_t *arg) {
    arg[0] = dir;
    set_path(&arg[1], "f");
    arg[3] = OPEN_READ | OPEN_WRITE;
}

static void set_read(uint64_t *arg) {
    arg[0] = file, arg[1] = me->scratch + BUFFER, arg[2] = 5;
}

static void set_write(uint64_t *arg) {
    arg[0] = file, arg[1] = me->scratch + BUFFER, arg[2] = 5;
}

static void set_stat(uint64_t *arg) {
    arg[0] = dir;
    set_path(&arg[1], "f");
    arg[3] = me->scratch + BUFFER;
}

static void set_list(uint64_t *arg) {
    arg[0] = dir, arg[2] = me->scratch + BUFFER, arg[3] = 1;
}

static void set_make(uint64_t *arg) {
    arg[0] = dir;
    set_path(&arg[1], "new");
    arg[3] = NODE_DIR, arg[4] = 0755;
}

static void set_remove(uint64_t *arg) {
    arg[0] = dir;
    set_path(&arg[1], "f");
}

static void set_rename(uint64_t *arg) {
    arg[0] = dir;
    set_path(&arg[1], "f");
    arg[3] = put_text(me, PATH2, "g"), arg[4] = 1;
}

static void set_setattr(uint64_t *arg) {
    arg[0] = dir;
    set_path(&arg[1], "f");
    arg[3] = ATTR_MODE, arg[4] = 0600;
}

static void set_channel_create(uint64_t *arg) {
    struct abi_channel_config config = {.depth = 4};
    arg[0] = dir;
    set_path(&arg[1], "c");
    arg[3] = put(me, CONFIG, &config, sizeof config);
}

static void set_connect(uint64_t *arg) {
    arg[0] = server, arg[1] = RIGHT_READ | RIGHT_WRITE;
}

static void set_send(uint64_t *arg) {
    arg[0] = client, arg[1] = me->scratch + BUFFER, arg[2] = 5, arg[3] = 77;
}

static void set_recv(uint64_t *arg) {
    require_equal(user_send(me, client, "hello", 5, 1, 0), 0);
    arg[0] = server, arg[1] = me->scratch + BUFFER, arg[2] = MESSAGE_MAX;
}

static void set_process_create(uint64_t *arg) {
    arg[0] = put_text(me, NAME, "child"), arg[1] = 5, arg[2] = ID_INHERIT, arg[3] = ID_INHERIT;
}

static void set_process_info(uint64_t *arg) {
    arg[0] = embryo, arg[1] = me->scratch + BUFFER;
}

static void set_kill(uint64_t *arg) {
    arg[0] = embryo;
}

static void set_thread_create(uint64_t *arg) {
    arg[0] = embryo, arg[1] = machine_entry(nullptr), arg[2] = 0x7fff00000000, arg[4] = 1;
}

static void set_pages_create(uint64_t *arg) {
    arg[0] = PAGE_SIZE;
}

static void set_map(uint64_t *arg) {
    arg[0] = me->own, arg[1] = memory, arg[4] = PAGE_SIZE, arg[5] = PROT_READ | PROT_WRITE;
}

static void set_unmap(uint64_t *arg) {
    arg[0] = me->own, arg[1] = mapped;
}

static void set_debug_print(uint64_t *arg) {
    arg[0] = me->scratch + BUFFER, arg[1] = 5;
}

static void set_notifier_create(uint64_t *arg) {
    arg[0] = 10;
}

static void set_signal(uint64_t *arg) {
    arg[0] = notifier, arg[1] = 4;
}

static void set_take(uint64_t *arg) {
    require_equal(CALL(me, SIGNAL, notifier, 4), 0);
    arg[0] = notifier, arg[1] = 4;
}

static void set_watch(uint64_t *arg) {
    struct abi_watch_spec spec = {.events = EVENT_WRITABLE | EVENT_PEER_LOST, .bits = 1};
    arg[0] = notifier, arg[1] = client, arg[2] = put(me, SPEC, &spec, sizeof spec);
}

static void set_watch_path(uint64_t *arg) {
    arg[0] = notifier, arg[1] = dir;
    set_path(&arg[2], "sub/x/none");
    arg[4] = 1;
}

static void set_unwatch(uint64_t *arg) {
    arg[0] = notifier, arg[1] = watch_id;
}

static void set_finish(uint64_t *arg) {
    arg[0] = client;
}

static void set_attach(uint64_t *arg) {
    arg[0] = mapped_server, arg[1] = mapped_connection;
}

// A payload of five bytes each way; the machine's scratch memory is all there.
enum { FIVE = 5 | 5 * CALL_RECEIVE, OTHER_BUFFER = 8192 };

static void answer_calls(struct user *self) {
    uint64_t buffer = me->scratch + OTHER_BUFFER;
    for (;;) {
        CALL(self, REPLY_WAIT, server, FIVE, buffer, buffer);
    }
}

static void make_calls(struct user *self) {
    uint64_t buffer = me->scratch + OTHER_BUFFER;
    for (;;) {
        CALL(self, CALL, client, FIVE, buffer, buffer);
    }
}

static struct user *another(program_t *program) {
    struct user *made = machine_thread(me, program, nullptr, PRIORITY_DEFAULT);
    require(made != nullptr);
    return made;
}

static void set_call(uint64_t *arg) {
    another(answer_calls);
    arg[0] = client, arg[1] = FIVE, arg[2] = arg[3] = me->scratch + BUFFER;
}

// It serves a call, and the next one will come.
static void set_reply_wait(uint64_t *arg) {
    another(make_calls);
    arg[0] = server, arg[1] = FIVE, arg[2] = arg[3] = me->scratch + BUFFER;
    require_equal(user_call(me, CALL_REPLY_WAIT, arg), me->pid);
}

static void set_exit(uint64_t *) {}

#define NO_HANDLE  {{UNUSED, 0}, {UNUSED, 0}}
#define NO_POINTER {UNUSED, UNUSED}
#define CHANGE     (RIGHT_READ | RIGHT_WRITE)

static const struct shape shapes[] = {
    {CALL_EXIT, set_exit, NO_HANDLE, NO_POINTER, UNUSED, 0, false, false},
    {CALL_CALL, set_call, {{0, RIGHT_CALL}, {UNUSED, 0}}, {2, 3}, UNUSED, 1, false, false},
    {CALL_REPLY_WAIT, set_reply_wait, {{0, RIGHT_READ}, {UNUSED, 0}}, {2, 3}, UNUSED, 1, false, false},
    {CALL_WAIT, set_wait, NO_HANDLE, {0, UNUSED}, UNUSED, 1, false, false},
    {CALL_CLOSE, set_close, {{0, 0}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, false, false},
    {CALL_DUP, set_dup, {{0, RIGHT_GRANT}, {UNUSED, 0}}, NO_POINTER, UNUSED, 1, true, true},
    {CALL_GIVE, set_give, {{0, RIGHT_ADMIN}, {1, RIGHT_GRANT}}, NO_POINTER, UNUSED, 2, false, true},
    {CALL_OPEN, set_open, {{0, CHANGE}, {UNUSED, 0}}, {1, UNUSED}, 1, 3, true, true},
    {CALL_READ, set_read, {{0, RIGHT_READ}, {UNUSED, 0}}, {1, UNUSED}, UNUSED, UNUSED, false, true},
    {CALL_WRITE, set_write, {{0, RIGHT_WRITE}, {UNUSED, 0}}, {1, UNUSED}, UNUSED, UNUSED, false, true},
    {CALL_STAT, set_stat, {{0, RIGHT_READ}, {UNUSED, 0}}, {1, 3}, 1, UNUSED, false, true},
    {CALL_LIST, set_list, {{0, RIGHT_READ}, {UNUSED, 0}}, {2, UNUSED}, UNUSED, 3, false, true},
    {CALL_MAKE, set_make, {{0, CHANGE}, {UNUSED, 0}}, {1, UNUSED}, 1, 4, false, true},
    {CALL_REMOVE, set_remove, {{0, CHANGE}, {UNUSED, 0}}, {1, UNUSED}, 1, UNUSED, false, true},
    {CALL_RENAME, set_rename, {{0, CHANGE}, {UNUSED, 0}}, {1, 3}, 1, UNUSED, false, true},
    {CALL_SETATTR, set_setattr, {{0, CHANGE}, {UNUSED, 0}}, {1, UNUSED}, 1, 3, false, true},
    {CALL_CHANNEL_CREATE, set_channel_create, {{0, CHANGE}, {UNUSED, 0}}, {1, 3}, 1, UNUSED, true, true},
    {CALL_CONNECT, set_connect, {{0, RIGHT_ADMIN}, {UNUSED, 0}}, NO_POINTER, UNUSED, 1, true, true},
    {CALL_SEND, set_send, {{0, RIGHT_WRITE}, {UNUSED, 0}}, {1, UNUSED}, UNUSED, UNUSED, false, true},
    {CALL_RECV, set_recv, {{0, RIGHT_READ}, {UNUSED, 0}}, {1, UNUSED}, UNUSED, UNUSED, false, true},
    {CALL_PROCESS_CREATE, set_process_create, NO_HANDLE, {0, UNUSED}, UNUSED, 2, true, true},
    {CALL_PROCESS_INFO, set_process_info, {{0, RIGHT_READ}, {UNUSED, 0}}, {1, UNUSED}, UNUSED, UNUSED, false, false},
    {CALL_KILL, set_kill, {{0, RIGHT_ADMIN}, {UNUSED, 0}}, NO_POINTER, UNUSED, 1, false, false},
    {CALL_THREAD_CREATE, set_thread_create, {{0, RIGHT_ADMIN}, {UNUSED, 0}}, NO_POINTER, UNUSED, 4, true, true},
    {CALL_PAGES_CREATE, set_pages_create, NO_HANDLE, NO_POINTER, UNUSED, UNUSED, true, true},
    {CALL_MAP,
     set_map,
     {{0, RIGHT_MAP}, {1, RIGHT_READ | RIGHT_WRITE | RIGHT_MAP}},
     NO_POINTER,
     UNUSED,
     5,
     false,
     true},
    {CALL_UNMAP, set_unmap, {{0, RIGHT_MAP}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, false, false},
    {CALL_DEBUG_PRINT, set_debug_print, NO_HANDLE, {0, UNUSED}, UNUSED, UNUSED, false, false},
    {CALL_NOTIFIER_CREATE, set_notifier_create, NO_HANDLE, NO_POINTER, UNUSED, 0, true, true},
    {CALL_SIGNAL, set_signal, {{0, RIGHT_WRITE}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, false, false},
    {CALL_TAKE, set_take, {{0, RIGHT_READ}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, false, false},
    {CALL_WATCH, set_watch, {{0, RIGHT_ADMIN}, {1, RIGHT_WATCH}}, {2, UNUSED}, UNUSED, UNUSED, false, true},
    {CALL_WATCH_PATH, set_watch_path, {{0, RIGHT_ADMIN}, {1, RIGHT_READ}}, {2, UNUSED}, 2, UNUSED, false, true},
    {CALL_UNWATCH, set_unwatch, {{0, RIGHT_ADMIN}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, false, false},
    {CALL_FINISH, set_finish, {{0, RIGHT_WRITE}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, false, false},
    {CALL_ATTACH, set_attach, {{0, RIGHT_READ}, {UNUSED, 0}}, NO_POINTER, UNUSED, UNUSED, true, true},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

// ---- spoiling them ---------------------------------------------------------------------------------------------------

static void expect(uint64_t call, int64_t status, int64_t error, const char *how) {
    if (status == error) {
        provoked[call][-error] = true;
    } else {
        complain("%s, %s: %lld instead of %lld", call_name(call), how, (long long)status, (long long)error);
    }
}

// A new world, in which the call would succeed with arg.
static void begin(const struct shape *shape, uint64_t arg[ARGUMENTS]) {
    memset(arg, 0, ARGUMENTS * sizeof arg[0]);
    make_world();
    shape->prepare(arg);
}

static bool may(const struct shape *shape, int64_t error) {
    return documented(shape->call, error);
}

static int64_t make_call(const struct shape *shape, const uint64_t arg[ARGUMENTS]) {
    int64_t status = user_call(me, shape->call, arg);
    if (status < 0 && status != USER_GONE && status != USER_PARKED && !documented(shape->call, status)) {
        complain("%s refuses with %lld, which is not documented", call_name(shape->call), (long long)status);
    }
    return status;
}

static void succeed(const struct shape *shape) {
    uint64_t arg[ARGUMENTS];
    begin(shape, arg);
    int64_t status = make_call(shape, arg);
    if (status < 0 && shape->call != CALL_EXIT) {
        complain("%s should succeed but gives %lld", call_name(shape->call), (long long)status);
    }
}

static void spoil_handles(const struct shape *shape) {
    uint64_t arg[ARGUMENTS];
    for (unsigned i = 0; i < 2 && shape->handle[i].argument != UNUSED; i++) {
        unsigned at = shape->handle[i].argument;
        static const uint64_t nothing[] = {0, 1, 0x7fffffff, 0xffffffff};
        begin(shape, arg);
        for (unsigned j = 0; j < sizeof nothing / sizeof nothing[0]; j++) {
            arg[at] = nothing[j];
            expect(shape->call, make_call(shape, arg), ERR_BAD_HANDLE, "a handle that names nothing");
        }
        if (may(shape, ERR_WRONG_KIND) && !(shape->call == CALL_GIVE && i == 1) &&
            !(shape->call == CALL_WATCH && i == 1)) {
            begin(shape, arg);
            arg[at] = (shape->call == CALL_MAP || shape->call == CALL_WATCH_PATH) && i == 1       ? embryo
                      : shape->handle[i].argument == 0 && arg[at] != embryo && arg[at] != me->own ? embryo
                                                                                                  : file;
            expect(shape->call, make_call(shape, arg), ERR_WRONG_KIND, "an object of another kind");
        }
        for (uint32_t right = 1; right <= RIGHT_ADMIN; right <<= 1) {
            if ((shape->handle[i].rights & right) == 0) {
                continue;
            }
            begin(shape, arg);
            int64_t less = ERR_RIGHTS; // the same without the right, and without what it never had
            for (uint32_t dropped = right; less == ERR_RIGHTS && dropped <= RIGHTS_ALL; dropped++) {
                less = (dropped & right) == 0 ? ERR_RIGHTS : CALL(me, DUP, arg[at], RIGHTS_ALL & ~dropped);
            }
            arg[at] = good(less);
            expect(shape->call, make_call(shape, arg), ERR_RIGHTS, "a handle without a right");
        }
    }
}

static void spoil_pointers(const struct shape *shape) {
    static const uint64_t hostile[] = {0,
                                       8,
                                       ARCH_USER_BASE - 1,
                                       0x123456789000,
                                       ARCH_USER_TOP - 1,
                                       ARCH_USER_TOP,
                                       0x8000000000000000,
                                       0xffff800000000000,
                                       UINT64_MAX - 2};
    uint64_t arg[ARGUMENTS];
    for (unsigned i = 0; i < 2 && shape->pointer[i] != UNUSED; i++) {
        begin(shape, arg);
        for (unsigned j = 0; j < sizeof hostile / sizeof hostile[0]; j++) {
            if (shape->call == CALL_CHANNEL_CREATE && i == 1 && hostile[j] == 0) {
                continue; // all defaults
            }
            arg[shape->pointer[i]] = hostile[j];
            expect(shape->call, make_call(shape, arg), ERR_FAULT, "an address that is not accessible");
        }
    }
}

static void spoil_narrow(const struct shape *shape) {
    uint64_t arg[ARGUMENTS];
    if (shape->narrow != UNUSED) {
        begin(shape, arg);
        arg[shape->narrow] |= 0x100000000;
        expect(shape->call, make_call(shape, arg), ERR_INVALID, "an argument beyond 32 bits");
    }
}

static void spoil_path(const struct shape *shape) {
    static const struct {
        const char *path;
        size_t length; // 0: strlen
        int error;
        const char *how;
    } bad[] = {
        {"a\0b", 3, ERR_INVALID, "a NUL in the path"},
        {"missing/x", 0, ERR_NOT_FOUND, "a directory on the way is missing"},
        {"f/x", 0, ERR_NOT_DIR, "a file on the way"},
        {"loop/x", 0, ERR_LOOP, "a link to itself on the way"},
    };
    uint64_t arg[ARGUMENTS];
    if (shape->path == UNUSED) {
        return;
    }
    unsigned at = shape->path;
    begin(shape, arg);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t length = bad[i].length != 0 ? bad[i].length : strlen(bad[i].path);
        put(me, PATH, bad[i].path, length);
        arg[at + 1] = length;
        if (bad[i].error != ERR_NOT_FOUND || may(shape, ERR_NOT_FOUND)) {
            expect(shape->call, make_call(shape, arg), bad[i].error, bad[i].how);
        }
    }
    char many[600];
    memset(many, 'x', sizeof many);
    put(me, PATH, many, sizeof many - 1);
    arg[at + 1] = NAME_LEN_MAX + 1;
    expect(shape->call, make_call(shape, arg), ERR_NAME_TOO_LONG, "a name that is too long");
    arg[at + 1] = PATH_LEN_MAX + 300;
    expect(shape->call, make_call(shape, arg), ERR_NAME_TOO_LONG, "a path that is too long");
    begin(shape, arg);
    require_equal(user_remove(me, dir, "sub/x"), 0);
    handle_t sub = good(user_open(me, dir, "sub", CHANGE | OPEN_DIR, 0));
    require_equal(user_remove(me, dir, "sub"), 0);
    arg[at - 1] = sub;
    if (may(shape, ERR_REMOVED)) {
        expect(shape->call, make_call(shape, arg), ERR_REMOVED, "a directory that has been removed");
    }
    if (may(shape, ERR_READ_ONLY)) {
        begin(shape, arg);
        arg[at - 1] = me->root;
        set_path(&arg[at],
                 shape->call == CALL_MAKE || shape->call == CALL_CHANNEL_CREATE ? "kern/new" : "kern/version");
        if (shape->call == CALL_RENAME) {
            arg[3] = put_text(me, PATH2, "kern/new");
            arg[4] = 8;
        }
        expect(shape->call, make_call(shape, arg), ERR_READ_ONLY, "what belongs to the kernel");
    }
}

static void spoil_memory(const struct shape *shape) {
    uint64_t arg[ARGUMENTS];
    if (!shape->takes_memory) {
        return;
    }
    for (unsigned nth = 1;; nth++) {
        begin(shape, arg);
        alloc_fault_arm(nth, true);
        int64_t status = make_call(shape, arg);
        bool fired = alloc_fault_fired();
        alloc_fault_arm(0, false);
        if (status == ERR_NO_MEMORY) {
            provoked[shape->call][-ERR_NO_MEMORY] = true;
        } else if (status < 0) {
            complain("%s, without memory: %lld", call_name(shape->call), (long long)status);
        }
        if (!fired) {
            break;
        }
    }
}

// The same with memory that the call has to bring in: a mapping that was never touched.
static void spoil_page(const struct shape *shape) {
    uint64_t arg[ARGUMENTS];
    for (unsigned i = 0; i < 2 && shape->pointer[i] != UNUSED; i++) {
        begin(shape, arg);
        handle_t fresh = good(CALL(me, PAGES_CREATE, PAGE_SIZE));
        require_equal(CALL(me, MAP, me->own, fresh, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
        arg[shape->pointer[i]] = me->word[0];
        alloc_fault_arm(1, true);
        int64_t status = make_call(shape, arg);
        alloc_fault_arm(0, false);
        expect(shape->call, status, ERR_NO_MEMORY, "a page that cannot be brought in");
    }
}

static void spoil_table(const struct shape *shape) {
    uint64_t arg[ARGUMENTS];
    if (!shape->takes_handle_slot && shape->call != CALL_GIVE) {
        return;
    }
    begin(shape, arg);
    // The table says that it is full; how it becomes so is the handle suite's.
    struct process *process = shape->call == CALL_GIVE ? process_after(me->thread->process->pid) : me->thread->process;
    if (shape->call == CALL_GIVE) {
        arg[0] = guest->process;
        process = guest->thread->process;
    }
    uint32_t used = process->handles.used;
    process->handles.used = HANDLES_MAX;
    int64_t status = make_call(shape, arg);
    process->handles.used = used;
    expect(shape->call, status, ERR_LIMIT, "a full table");
}

// ---- what is particular to a call ------------------------------------------------------------------------------------

static int64_t a_wait(handle_t handle, unsigned events, uint64_t deadline) {
    return user_wait_one(me, handle, events, deadline);
}

static int64_t wait_bad_handle(void) {
    return a_wait(12345, EVENT_READABLE, 0);
}
static int64_t wait_rights(void) {
    return a_wait(good(CALL(me, DUP, client, RIGHT_READ)), EVENT_READABLE, 0);
}
static int64_t wait_timed_out(void) {
    return a_wait(client, EVENT_READABLE, 0);
}
static int64_t wait_count(void) {
    return CALL(me, WAIT, me->scratch, WAIT_MAX + 1, 0);
}
static int64_t wait_event(void) {
    return a_wait(client, 0x80000000, 0);
}
static int64_t dup_more_rights(void) {
    return CALL(me, DUP, text, RIGHTS_ALL);
}
static int64_t give_more_rights(void) {
    return CALL(me, GIVE, embryo, text, RIGHTS_ALL);
}
static int64_t give_dead(void) {
    return CALL(me, GIVE, dead, file, RIGHT_READ);
}
static int64_t open_flags(void) {
    return user_open(me, dir, "f", 0x80000000, 0);
}
static int64_t open_mode(void) {
    return user_open(me, dir, "q", OPEN_WRITE | OPEN_CREATE, 01000);
}
static int64_t open_serve_file(void) {
    return user_open(me, dir, "f", OPEN_READ | OPEN_SERVE, 0);
}
static int64_t open_closed(void) {
    return user_open(guest, guest_dir, "closed/x", OPEN_READ, 0);
}
static int64_t open_not_mine(void) {
    return user_open(guest, guest_dir, "f", OPEN_WRITE, 0);
}
static int64_t open_missing(void) {
    return user_open(me, dir, "missing", OPEN_READ, 0);
}
static int64_t open_exclusive(void) {
    return user_open(me, dir, "f", OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, 0644);
}
static int64_t open_as_dir(void) {
    return user_open(me, dir, "f", OPEN_READ | OPEN_DIR, 0);
}
static int64_t open_dir_to_write(void) {
    return user_open(me, dir, "sub", OPEN_WRITE, 0);
}
static int64_t open_truncate_mapped(void) {
    require_equal(CALL(me, MAP, me->own, file, 0, 0, PAGE_SIZE, PROT_READ), 0);
    return user_open(me, dir, "f", OPEN_WRITE | OPEN_TRUNCATE, 0);
}
static int64_t open_version_to_write(void) {
    return user_open(me, me->root, "/kern/version", OPEN_WRITE, 0);
}
static int64_t read_memory_at_current(void) {
    return CALL(me, READ, memory, me->scratch, 5, OFFSET_CURRENT);
}
static int64_t read_directory(void) {
    return CALL(me, READ, dir, me->scratch, 5, 0);
}
static int64_t read_empty(void) {
    return CALL(me, READ, client, me->scratch, 5, 0);
}
static int64_t read_too_big(void) {
    require_equal(user_send(me, client, "hello", 5, 0, 0), 0);
    return CALL(me, READ, server, me->scratch, 4, 0);
}
static int64_t read_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return CALL(me, READ, client, me->scratch, 5, 0);
}
static int64_t write_memory_at_current(void) {
    return CALL(me, WRITE, memory, me->scratch, 5, OFFSET_CURRENT);
}
static int64_t write_directory(void) {
    return CALL(me, WRITE, dir, me->scratch, 5, 0);
}
static int64_t write_big_message(void) {
    return CALL(me, WRITE, client, me->scratch, MESSAGE_MAX + 1, 0);
}
static int64_t write_big_file(void) {
    return CALL(me, WRITE, file, me->scratch, 5, FILE_MAX);
}
static int64_t write_lonely(void) {
    CALL(me, CLOSE, server);
    return CALL(me, WRITE, client, me->scratch, 5, 0);
}
static int64_t write_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return CALL(me, WRITE, client, me->scratch, 5, 0);
}
static int64_t write_full(void) {
    int64_t status;
    do {
        status = CALL(me, WRITE, client, me->scratch, 5, 0);
    } while (status == 5);
    return status;
}
static int64_t write_executable(void) {
    require_equal(user_write(me, file, "code", 4, 0), 4);
    handle_t code = good(user_open(me, dir, "program", OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_CREATE, 0755));
    require_equal(user_write(me, code, "code", 4, 0), 4);
    require_equal(CALL(me, MAP, me->own, code, 0, 0, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
    return user_write(me, code, "x", 1, 0);
}
static int64_t ctl_of_channel(struct user *user, const char *command) {
    int64_t ctl = user_open(user, user->root, "/tmp/d/channel/ctl", OPEN_WRITE, 0);
    return ctl < 0 ? ctl : user_write(user, (handle_t)ctl, command, strlen(command), 0);
}
static int64_t write_bad_command(void) {
    return ctl_of_channel(me, "dance");
}
static int64_t write_command_of_another(void) {
    handle_t ctl = good(user_open(me, me->root, "/tmp/d/channel/ctl", OPEN_WRITE, 0));
    handle_t theirs = good(CALL(me, GIVE, guest->process, ctl, RIGHT_WRITE));
    return user_write(guest, theirs, "remove", 6, 0);
}
static int64_t write_command_for_dead(void) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%u/ctl", guest->pid);
    handle_t ctl = good(user_open(me, me->root, path, OPEN_WRITE, 0));
    require_equal(CALL(me, KILL, guest->process, 0), 0);
    return user_write(me, ctl, "kill 1", 6, 0);
}
static int64_t stat_closed(void) {
    struct abi_stat stat;
    return user_stat(guest, guest_dir, "closed/x", &stat);
}
static int64_t stat_missing(void) {
    struct abi_stat stat;
    return user_stat(me, dir, "missing", &stat);
}
static int64_t list_none(void) {
    return CALL(me, LIST, dir, 0, me->scratch, 0);
}
static int64_t list_file(void) {
    return CALL(me, LIST, file, 0, me->scratch, 1);
}
static int64_t list_closed(void) {
    handle_t closed = good(user_open(me, dir, "closed", OPEN_READ | OPEN_DIR, 0));
    handle_t theirs = good(CALL(me, GIVE, guest->process, closed, RIGHT_READ));
    return CALL(guest, LIST, theirs, 0, guest->scratch, 1);
}
static int64_t list_removed(void) {
    handle_t closed = good(user_open(me, dir, "closed", OPEN_READ | OPEN_DIR, 0));
    require_equal(user_remove(me, dir, "closed"), 0);
    return CALL(me, LIST, closed, 0, me->scratch, 1);
}
static int64_t make_kind(void) {
    return user_make(me, dir, "q", NODE_FILE, 0644);
}
static int64_t make_mode(void) {
    return user_make(me, dir, "q", NODE_DIR, 01000);
}
static int64_t make_not_mine(void) {
    return user_make(guest, guest_dir, "shown/q", NODE_DIR, 0755);
}
static int64_t make_existing(void) {
    return user_make(me, dir, "f", NODE_DIR, 0755);
}
static int64_t remove_nothing(void) {
    return user_remove(me, dir, "");
}
static int64_t remove_not_mine(void) {
    return user_remove(guest, guest_dir, "shown/y");
}
static int64_t remove_full(void) {
    return user_remove(me, dir, "sub");
}
static int64_t remove_dot(void) {
    return user_remove(me, dir, "sub/..");
}
static int64_t rename_nothing(void) {
    return user_rename(me, dir, "", "q");
}
static int64_t rename_not_mine(void) {
    return user_rename(guest, guest_dir, "f", "q");
}
static int64_t rename_existing(void) {
    return user_rename(me, dir, "f", "sub");
}
static int64_t rename_below_itself(void) {
    return user_rename(me, dir, "sub", "sub/x/sub");
}
static int64_t rename_dot(void) {
    return user_rename(me, dir, ".", "q");
}
static int64_t setattr_of(struct user *user, handle_t at, const char *path, uint64_t mask, uint64_t mode) {
    return CALL(user, SETATTR, at, put_text(user, PATH, path), strlen(path), mask, mode, 0);
}
static int64_t setattr_mask(void) {
    return setattr_of(me, dir, "f", 0x100, 0644);
}
static int64_t setattr_mode(void) {
    return setattr_of(me, dir, "f", ATTR_MODE, 01000);
}
static int64_t setattr_not_mine(void) {
    return setattr_of(guest, guest_dir, "f", ATTR_MODE, 0644);
}
static int64_t channel_config(void) {
    struct abi_channel_config config = {.message_max = MESSAGE_MAX + 1};
    return user_channel(me, dir, "q", &config);
}
static int64_t channel_not_mine(void) {
    return user_channel(guest, guest_dir, "shown/q", nullptr);
}
static int64_t channel_existing(void) {
    return user_channel(me, dir, "f", nullptr);
}
static int64_t connect_rights(void) {
    return CALL(me, CONNECT, server, 0x100);
}
static int64_t connect_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return CALL(me, CONNECT, server, RIGHT_READ);
}
static int64_t attach_not_mapped(void) {
    return CALL(me, ATTACH, server, mapped_connection);
}
static int64_t attach_nobody(void) {
    return CALL(me, ATTACH, mapped_server, mapped_connection + 1000);
}
static int64_t attach_forgotten(void) {
    handle_t peer = good(CALL(me, CONNECT, mapped_server, RIGHTS_ALL));
    require_equal(user_send(me, peer, "", 0, 0, 0), 0);
    require_equal(user_recv(me, mapped_server, nullptr, 0), 0);
    uint64_t connection = me->word[2];
    require_equal(CALL(me, CLOSE, peer), 0);
    require_equal(CALL(me, CLOSE, good(CALL(me, ATTACH, mapped_server, connection))),
                  0); // until its hang-up is received
    require_equal(user_recv(me, mapped_server, nullptr, 0), 0);
    return CALL(me, ATTACH, mapped_server, connection);
}
static int64_t map_rings_executable(void) {
    handle_t peer = good(CALL(me, CONNECT, mapped_server, RIGHTS_ALL));
    return CALL(me, MAP, me->own, peer, 0, 0, PAGE_SIZE, PROT_READ | PROT_EXEC);
}
static int64_t map_attached_executable(void) {
    handle_t rings = good(CALL(me, ATTACH, mapped_server, mapped_connection));
    return CALL(me, MAP, me->own, rings, 0, 0, PAGE_SIZE, PROT_READ | PROT_EXEC);
}
static int64_t map_not_mapped(void) {
    return CALL(me, MAP, me->own, client, 0, 0, PAGE_SIZE, PROT_READ);
}
static int64_t map_beyond_rings(void) {
    handle_t peer = good(CALL(me, CONNECT, mapped_server, RIGHTS_ALL));
    return CALL(me, MAP, me->own, peer, 0, 0, sizeof(struct abi_ring_pair) + PAGE_SIZE, PROT_READ);
}
static int64_t map_rings_read_only(void) {
    handle_t peer = good(CALL(me, CONNECT, mapped_server, RIGHT_READ));
    require_equal(CALL(me, MAP, me->own, peer, 0, 0, PAGE_SIZE, PROT_READ), 0);
    return CALL(me, MAP, me->own, peer, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
}
static int64_t send_to_somebody(void) {
    return user_send(me, client, "x", 1, 0, 7);
}
static int64_t send_big(void) {
    return CALL(me, SEND, client, me->scratch, MESSAGE_MAX + 1, 0, 0);
}
static int64_t send_to_nobody(void) {
    return user_send(me, server, "x", 1, 0, 999999);
}
static int64_t send_lonely(void) {
    CALL(me, CLOSE, server);
    return user_send(me, client, "x", 1, 0, 0);
}
static int64_t send_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return user_send(me, client, "x", 1, 0, 0);
}
static int64_t send_full(void) {
    int64_t status;
    do {
        status = user_send(me, client, "x", 1, 0, 0);
    } while (status == 0);
    return status;
}
static int64_t recv_lonely(void) {
    CALL(me, CLOSE, server);
    return CALL(me, RECV, client, me->scratch, MESSAGE_MAX);
}
static int64_t recv_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return CALL(me, RECV, client, me->scratch, MESSAGE_MAX);
}
static int64_t recv_empty(void) {
    return CALL(me, RECV, client, me->scratch, MESSAGE_MAX);
}
static int64_t recv_too_big(void) {
    require_equal(user_send(me, client, "hello", 5, 0, 0), 0);
    return CALL(me, RECV, server, me->scratch, 4);
}
static int64_t process_named(struct user *user, const char *name, uint32_t owner) {
    return CALL(user, PROCESS_CREATE, put_text(user, NAME, name), strlen(name), owner, ID_INHERIT);
}
static int64_t process_no_name(void) {
    return process_named(me, "", ID_INHERIT);
}
static int64_t process_bad_name(void) {
    return process_named(me, "a/b", ID_INHERIT);
}
static int64_t process_long_name(void) {
    return process_named(me, "0123456789012345678901234567890123", ID_INHERIT);
}
static int64_t process_as_root(void) {
    return process_named(guest, "x", 0);
}
static int64_t kill_dead(void) {
    return CALL(me, KILL, dead, 1);
}
static int64_t thread_entry(void) {
    return CALL(me, THREAD_CREATE, embryo, 0, 0x7fff00000000, 0, 1);
}
static int64_t thread_stack(void) {
    return CALL(me, THREAD_CREATE, embryo, 0x400000, 0x7fff00000008, 0, 1);
}
static int64_t thread_no_priority(void) {
    return CALL(me, THREAD_CREATE, embryo, 0x400000, 0x7fff00000000, 0, PRIORITIES);
}
static int64_t thread_priority(void) {
    return CALL(me, THREAD_CREATE, embryo, 0x400000, 0x7fff00000000, 0, PRIORITIES - 1);
}
static int64_t thread_dead(void) {
    return CALL(me, THREAD_CREATE, dead, 0x400000, 0x7fff00000000, 0, 1);
}
static int64_t pages_none(void) {
    return CALL(me, PAGES_CREATE, 0);
}
static int64_t pages_many(void) {
    return CALL(me, PAGES_CREATE, (uint64_t)PAGES_MAX + 1);
}
static int64_t map_at(uint64_t address, uint64_t offset, uint64_t length, uint64_t protection) {
    return CALL(me, MAP, me->own, memory, address, offset, length, protection);
}
static int64_t map_misaligned(void) {
    return map_at(0x10001, 0, PAGE_SIZE, PROT_READ);
}
static int64_t map_nothing(void) {
    return map_at(0, 0, 0, PROT_READ);
}
static int64_t map_kernel(void) {
    return map_at(ARCH_USER_TOP, 0, PAGE_SIZE, PROT_READ);
}
static int64_t map_beyond(void) {
    return map_at(0, 3 * PAGE_SIZE, PAGE_SIZE, PROT_READ);
}
static int64_t map_both(void) {
    return map_at(0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
}
static int64_t map_over(void) {
    return map_at(mapped, 0, PAGE_SIZE, PROT_READ);
}
static int64_t map_executable(void) {
    return map_at(0, 0, PAGE_SIZE, PROT_READ | PROT_EXEC);
}
static int64_t map_dead(void) {
    return CALL(me, MAP, dead, memory, 0, 0, PAGE_SIZE, PROT_READ);
}
static int64_t map_limit(void) {
    int64_t status;
    do {
        status = map_at(0, 0, PAGE_SIZE, PROT_READ);
    } while (status == 0);
    return status;
}
static int64_t unmap_nothing(void) {
    return CALL(me, UNMAP, me->own, 0x10000);
}
static int64_t unmap_dead(void) {
    return CALL(me, UNMAP, dead, mapped);
}
static int64_t print_nothing(void) {
    return CALL(me, DEBUG_PRINT, me->scratch, 0);
}
static int64_t print_much(void) {
    return CALL(me, DEBUG_PRINT, me->scratch, 256);
}
static int64_t notifier_deep(void) {
    return CALL(me, NOTIFIER_CREATE, NOTIFIER_DEPTH_MAX + 1);
}
static int64_t signal_nothing(void) {
    return CALL(me, SIGNAL, notifier, 0);
}
static int64_t take_nothing(void) {
    return CALL(me, TAKE, notifier, 0, 0);
}
static int64_t take_timed_out(void) {
    return CALL(me, TAKE, notifier, 2, 0);
}
static struct user *a_taker(void) {
    struct user *taker = machine_thread(me, nullptr, nullptr, PRIORITY_DEFAULT);
    require(taker != nullptr);
    require_equal(CALL(taker, TAKE, notifier, 2, FOREVER), USER_PARKED);
    return taker;
}
static int64_t take_limit(void) {
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        a_taker();
    }
    return CALL(me, TAKE, notifier, 2, FOREVER);
}
static int64_t take_removed(void) {
    struct user *taker = a_taker();
    require_equal(CALL(me, CLOSE, notifier), 0);
    return user_finish(taker);
}
static int64_t watch_with(handle_t object, struct abi_watch_spec spec) {
    return CALL(me, WATCH, notifier, object, put(me, SPEC, &spec, sizeof spec));
}
static int64_t watch_no_event(void) {
    return watch_with(client, (struct abi_watch_spec){.bits = 1});
}
static int64_t watch_no_events_there(void) {
    return watch_with(memory, (struct abi_watch_spec){.bits = 1, .events = EVENT_EXITED});
}
static int64_t watch_limit(void) {
    int64_t status;
    do {
        status = watch_with(client, (struct abi_watch_spec){.bits = 1, .events = EVENT_PEER_LOST});
    } while (status == 0);
    return status;
}
static int64_t watch_path_of(struct user *user, handle_t from, const char *path, uint64_t bits) {
    handle_t own = good(CALL(user, NOTIFIER_CREATE, 1));
    return CALL(user, WATCH_PATH, own, from, put_text(user, PATH, path), strlen(path), bits);
}
static int64_t watch_path_for_nothing(void) {
    return watch_path_of(me, dir, "f", 0);
}
static int64_t watch_path_of_no_name(void) {
    return watch_path_of(me, dir, "..", 1);
}
static int64_t watch_path_not_told_of(void) {
    return watch_path_of(me, me->root, "proc/none", 1);
}
static int64_t watch_path_closed(void) {
    return watch_path_of(guest, guest_dir, "closed/x", 1);
}
static int64_t watch_path_limit(void) {
    int64_t status;
    do {
        status = watch_path_of(me, dir, "f", 1);
    } while (status == 0);
    return status;
}
static int64_t unwatch_nothing(void) {
    return CALL(me, UNWATCH, notifier, 999999);
}

// A thread of this process that is parked in a call or as a server.
static struct user *parked_in(uint64_t call, handle_t handle, uint64_t shape, uint64_t receive) {
    struct user *user = another(nullptr);
    require_equal(user_call(user, call, (const uint64_t[6]){handle, shape, me->scratch + BUFFER, receive}),
                  USER_PARKED);
    return user;
}
static int64_t call_shaped(uint64_t shape, uint64_t deadline) {
    return CALL(me, CALL, client, shape, me->scratch, me->scratch, deadline);
}
static int64_t call_flag(void) {
    return call_shaped(0x80000000, 0);
}
static int64_t call_flag_of_reply(void) {
    return call_shaped(CALL_REPLY_ONLY, 0);
}
static int64_t call_long(void) {
    return call_shaped(MESSAGE_MAX + 1, 0);
}
static int64_t call_room(void) {
    return call_shaped((MESSAGE_MAX + 1) * CALL_RECEIVE, 0);
}
static int64_t call_too_big(void) {
    struct abi_channel_config config = {.message_max = 4};
    handle_t narrow = good(CALL(me, CONNECT, good(user_channel(me, 0, nullptr, &config)), RIGHTS_ALL));
    return CALL(me, CALL, narrow, 5, me->scratch);
}
static int64_t call_reply_too_big(void) {
    another(answer_calls);
    return call_shaped(5 | 4 * CALL_RECEIVE, 0);
}
static int64_t call_finished(void) {
    require_equal(CALL(me, FINISH, client), 0);
    return call_shaped(0, 0);
}
static int64_t call_lonely(void) {
    require_equal(CALL(me, CLOSE, server), 0);
    return call_shaped(0, 0);
}
static int64_t call_deserted(void) {
    struct user *caller = parked_in(CALL_CALL, client, 0, 0);
    require_equal(CALL(me, CLOSE, server), 0);
    return user_finish(caller);
}
static int64_t call_bereft(void) {
    struct user *serving = parked_in(CALL_REPLY_WAIT, server, 0, 0);
    struct user *caller = parked_in(CALL_CALL, client, 0, 0);
    CALL(serving, THREAD_EXIT);
    return user_finish(caller);
}
static int64_t call_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return call_shaped(0, 0);
}
static int64_t call_deserted_without_a_name(void) {
    struct user *caller = parked_in(CALL_CALL, client, 0, 0);
    require_equal(user_remove(me, dir, "channel"), 0);
    require_equal(CALL(me, CLOSE, server), 0);
    return user_finish(caller);
}
static int64_t call_removed_meanwhile(void) {
    require_equal(CALL(me, CLOSE, good(user_channel(me, dir, "box", nullptr))), 0);
    handle_t box = good(user_open(me, dir, "box/data", OPEN_WRITE, 0));
    struct user *caller = parked_in(CALL_CALL, box, 0, 0);
    require_equal(user_remove(me, dir, "box"), 0);
    return user_finish(caller);
}
static int64_t call_without_memory(void) {
    alloc_fault_arm(1, true); // to keep the payload until its turn
    int64_t status = call_shaped(5, 0);
    alloc_fault_arm(0, false);
    return status;
}
static int64_t call_busy(void) {
    for (unsigned i = 0; i < 4; i++) {
        parked_in(CALL_REPLY_WAIT, server, FIVE, 8);
    }
    return call_shaped(5, 0);
}
static int64_t call_late(void) {
    return call_shaped(CALL_TIMED, 0);
}
static int64_t call_timed_out(void) {
    struct user *caller = another(nullptr);
    require_equal(CALL(caller, CALL, client, CALL_TIMED, 0, 0, host_time() + 5000000), USER_PARKED);
    return user_finish(caller);
}
static int64_t reply_wait_shaped(uint64_t shape) {
    return CALL(me, REPLY_WAIT, server, shape, me->scratch, me->scratch, 0);
}
static int64_t reply_wait_flag(void) {
    return reply_wait_shaped(0x80000000);
}
static int64_t reply_wait_long(void) {
    return reply_wait_shaped(MESSAGE_MAX + 1);
}
static int64_t reply_wait_room(void) {
    return reply_wait_shaped((MESSAGE_MAX + 1) * CALL_RECEIVE);
}
static int64_t reply_to_nobody(void) {
    return reply_wait_shaped(CALL_REPLY_ONLY);
}
static int64_t reply_to_the_dead(uint64_t shape) {
    handle_t theirs = good(CALL(me, GIVE, guest->process, client, RIGHT_CALL));
    require_equal(CALL(guest, CALL, theirs), USER_PARKED);
    require_equal(reply_wait_shaped(0), guest->pid);
    require_equal(CALL(me, KILL, guest->process, 0), 0);
    return reply_wait_shaped(shape);
}
static int64_t reply_wait_to_the_dead(void) {
    int64_t status = reply_to_the_dead(0);
    require_equal(reply_wait_shaped(CALL_TIMED), ERR_TIMED_OUT); // told once
    return status;
}
static int64_t reply_only_to_the_dead(void) {
    return reply_to_the_dead(CALL_REPLY_ONLY);
}
static int64_t reply_wait_too_big(void) {
    parked_in(CALL_CALL, client, 5, 0);
    require_equal(reply_wait_shaped(4 * CALL_RECEIVE), ERR_TOO_BIG);
    int64_t status = reply_wait_shaped(4 * CALL_RECEIVE); // it waits
    require_equal(reply_wait_shaped(5 * CALL_RECEIVE), me->pid);
    return status;
}
static int64_t reply_wait_message(void) {
    require_equal(user_send(me, client, "x", 1, 0, 0), 0);
    return reply_wait_shaped(CALL_MESSAGES);
}
static int64_t reply_wait_removed(void) {
    require_equal(user_remove(me, dir, "channel"), 0);
    return reply_wait_shaped(0);
}
static int64_t reply_wait_closed(void) {
    struct user *serving = parked_in(CALL_REPLY_WAIT, server, 0, 0);
    require_equal(CALL(me, CLOSE, server), 0);
    return user_finish(serving);
}
static int64_t reply_wait_timed_out(void) {
    return reply_wait_shaped(CALL_TIMED);
}

static const struct {
    unsigned call;
    int error;
    int64_t (*provoke)(void);
} cases[] = {
    {CALL_CALL, ERR_INVALID, call_flag},
    {CALL_CALL, ERR_INVALID, call_flag_of_reply},
    {CALL_CALL, ERR_INVALID, call_long},
    {CALL_CALL, ERR_INVALID, call_room},
    {CALL_CALL, ERR_TOO_BIG, call_too_big},
    {CALL_CALL, ERR_TOO_BIG, call_reply_too_big},
    {CALL_CALL, ERR_PEER_CLOSED, call_finished},
    {CALL_CALL, ERR_PEER_CLOSED, call_lonely},
    {CALL_CALL, ERR_PEER_CLOSED, call_deserted},
    {CALL_CALL, ERR_PEER_CLOSED, call_bereft},
    {CALL_CALL, ERR_PEER_CLOSED, call_deserted_without_a_name},
    {CALL_CALL, ERR_REMOVED, call_removed},
    {CALL_CALL, ERR_REMOVED, call_removed_meanwhile},
    {CALL_CALL, ERR_NO_MEMORY, call_without_memory},
    {CALL_CALL, ERR_BUSY, call_busy},
    {CALL_CALL, ERR_TIMED_OUT, call_late},
    {CALL_CALL, ERR_TIMED_OUT, call_timed_out},
    {CALL_REPLY_WAIT, ERR_INVALID, reply_wait_flag},
    {CALL_REPLY_WAIT, ERR_INVALID, reply_wait_long},
    {CALL_REPLY_WAIT, ERR_INVALID, reply_wait_room},
    {CALL_REPLY_WAIT, ERR_PEER_CLOSED, reply_to_nobody},
    {CALL_REPLY_WAIT, ERR_PEER_CLOSED, reply_wait_to_the_dead},
    {CALL_REPLY_WAIT, ERR_PEER_CLOSED, reply_only_to_the_dead},
    {CALL_REPLY_WAIT, ERR_TOO_BIG, reply_wait_too_big},
    {CALL_REPLY_WAIT, ERR_EMPTY, reply_wait_message},
    {CALL_REPLY_WAIT, ERR_REMOVED, reply_wait_removed},
    {CALL_REPLY_WAIT, ERR_REMOVED, reply_wait_closed},
    {CALL_REPLY_WAIT, ERR_TIMED_OUT, reply_wait_timed_out},
    {CALL_WAIT, ERR_BAD_HANDLE, wait_bad_handle},
    {CALL_WAIT, ERR_RIGHTS, wait_rights},
    {CALL_WAIT, ERR_TIMED_OUT, wait_timed_out},
    {CALL_WAIT, ERR_INVALID, wait_count},
    {CALL_WAIT, ERR_INVALID, wait_event},
    {CALL_DUP, ERR_RIGHTS, dup_more_rights},
    {CALL_GIVE, ERR_RIGHTS, give_more_rights},
    {CALL_GIVE, ERR_DEAD, give_dead},
    {CALL_OPEN, ERR_INVALID, open_flags},
    {CALL_OPEN, ERR_INVALID, open_mode},
    {CALL_OPEN, ERR_WRONG_KIND, open_serve_file},
    {CALL_OPEN, ERR_ACCESS, open_closed},
    {CALL_OPEN, ERR_ACCESS, open_not_mine},
    {CALL_OPEN, ERR_NOT_FOUND, open_missing},
    {CALL_OPEN, ERR_EXISTS, open_exclusive},
    {CALL_OPEN, ERR_NOT_DIR, open_as_dir},
    {CALL_OPEN, ERR_IS_DIR, open_dir_to_write},
    {CALL_OPEN, ERR_BUSY, open_truncate_mapped},
    {CALL_OPEN, ERR_READ_ONLY, open_version_to_write},
    {CALL_READ, ERR_INVALID, read_memory_at_current},
    {CALL_READ, ERR_IS_DIR, read_directory},
    {CALL_READ, ERR_EMPTY, read_empty},
    {CALL_READ, ERR_TOO_BIG, read_too_big},
    {CALL_READ, ERR_REMOVED, read_removed},
    {CALL_WRITE, ERR_INVALID, write_memory_at_current},
    {CALL_WRITE, ERR_INVALID, write_bad_command},
    {CALL_WRITE, ERR_IS_DIR, write_directory},
    {CALL_WRITE, ERR_TOO_BIG, write_big_message},
    {CALL_WRITE, ERR_TOO_BIG, write_big_file},
    {CALL_WRITE, ERR_PEER_CLOSED, write_lonely},
    {CALL_WRITE, ERR_REMOVED, write_removed},
    {CALL_WRITE, ERR_FULL, write_full},
    {CALL_WRITE, ERR_BUSY, write_executable},
    {CALL_WRITE, ERR_ACCESS, write_command_of_another},
    {CALL_WRITE, ERR_DEAD, write_command_for_dead},
    {CALL_STAT, ERR_ACCESS, stat_closed},
    {CALL_STAT, ERR_NOT_FOUND, stat_missing},
    {CALL_LIST, ERR_INVALID, list_none},
    {CALL_LIST, ERR_NOT_DIR, list_file},
    {CALL_LIST, ERR_ACCESS, list_closed},
    {CALL_LIST, ERR_REMOVED, list_removed},
    {CALL_MAKE, ERR_INVALID, make_kind},
    {CALL_MAKE, ERR_INVALID, make_mode},
    {CALL_MAKE, ERR_ACCESS, make_not_mine},
    {CALL_MAKE, ERR_EXISTS, make_existing},
    {CALL_REMOVE, ERR_INVALID, remove_nothing},
    {CALL_REMOVE, ERR_ACCESS, remove_not_mine},
    {CALL_REMOVE, ERR_NOT_EMPTY, remove_full},
    {CALL_REMOVE, ERR_BUSY, remove_dot},
    {CALL_RENAME, ERR_INVALID, rename_nothing},
    {CALL_RENAME, ERR_ACCESS, rename_not_mine},
    {CALL_RENAME, ERR_EXISTS, rename_existing},
    {CALL_RENAME, ERR_LOOP, rename_below_itself},
    {CALL_RENAME, ERR_BUSY, rename_dot},
    {CALL_SETATTR, ERR_INVALID, setattr_mask},
    {CALL_SETATTR, ERR_INVALID, setattr_mode},
    {CALL_SETATTR, ERR_ACCESS, setattr_not_mine},
    {CALL_CHANNEL_CREATE, ERR_INVALID, channel_config},
    {CALL_CHANNEL_CREATE, ERR_ACCESS, channel_not_mine},
    {CALL_CHANNEL_CREATE, ERR_EXISTS, channel_existing},
    {CALL_CONNECT, ERR_INVALID, connect_rights},
    {CALL_CONNECT, ERR_REMOVED, connect_removed},
    {CALL_ATTACH, ERR_WRONG_KIND, attach_not_mapped},
    {CALL_ATTACH, ERR_NOT_FOUND, attach_nobody},
    {CALL_ATTACH, ERR_NOT_FOUND, attach_forgotten},
    {CALL_MAP, ERR_WRONG_KIND, map_rings_executable},
    {CALL_MAP, ERR_RIGHTS, map_attached_executable},
    {CALL_MAP, ERR_WRONG_KIND, map_not_mapped},
    {CALL_MAP, ERR_INVALID, map_beyond_rings},
    {CALL_MAP, ERR_RIGHTS, map_rings_read_only},
    {CALL_SEND, ERR_INVALID, send_to_somebody},
    {CALL_SEND, ERR_TOO_BIG, send_big},
    {CALL_SEND, ERR_NOT_FOUND, send_to_nobody},
    {CALL_SEND, ERR_PEER_CLOSED, send_lonely},
    {CALL_SEND, ERR_REMOVED, send_removed},
    {CALL_SEND, ERR_FULL, send_full},
    {CALL_RECV, ERR_PEER_CLOSED, recv_lonely},
    {CALL_RECV, ERR_REMOVED, recv_removed},
    {CALL_RECV, ERR_EMPTY, recv_empty},
    {CALL_RECV, ERR_TOO_BIG, recv_too_big},
    {CALL_PROCESS_CREATE, ERR_INVALID, process_no_name},
    {CALL_PROCESS_CREATE, ERR_INVALID, process_bad_name},
    {CALL_PROCESS_CREATE, ERR_NAME_TOO_LONG, process_long_name},
    {CALL_PROCESS_CREATE, ERR_ACCESS, process_as_root},
    {CALL_KILL, ERR_DEAD, kill_dead},
    {CALL_THREAD_CREATE, ERR_INVALID, thread_entry},
    {CALL_THREAD_CREATE, ERR_INVALID, thread_stack},
    {CALL_THREAD_CREATE, ERR_INVALID, thread_no_priority},
    {CALL_THREAD_CREATE, ERR_ACCESS, thread_priority},
    {CALL_THREAD_CREATE, ERR_DEAD, thread_dead},
    {CALL_PAGES_CREATE, ERR_INVALID, pages_none},
    {CALL_PAGES_CREATE, ERR_INVALID, pages_many},
    {CALL_MAP, ERR_INVALID, map_misaligned},
    {CALL_MAP, ERR_INVALID, map_nothing},
    {CALL_MAP, ERR_INVALID, map_kernel},
    {CALL_MAP, ERR_INVALID, map_beyond},
    {CALL_MAP, ERR_INVALID, map_both},
    {CALL_MAP, ERR_EXISTS, map_over},
    {CALL_MAP, ERR_BUSY, map_executable},
    {CALL_MAP, ERR_DEAD, map_dead},
    {CALL_MAP, ERR_LIMIT, map_limit},
    {CALL_UNMAP, ERR_INVALID, unmap_nothing},
    {CALL_UNMAP, ERR_DEAD, unmap_dead},
    {CALL_DEBUG_PRINT, ERR_INVALID, print_nothing},
    {CALL_DEBUG_PRINT, ERR_INVALID, print_much},
    {CALL_NOTIFIER_CREATE, ERR_INVALID, notifier_deep},
    {CALL_SIGNAL, ERR_INVALID, signal_nothing},
    {CALL_TAKE, ERR_INVALID, take_nothing},
    {CALL_TAKE, ERR_TIMED_OUT, take_timed_out},
    {CALL_TAKE, ERR_LIMIT, take_limit},
    {CALL_TAKE, ERR_REMOVED, take_removed},
    {CALL_WATCH, ERR_INVALID, watch_no_event},
    {CALL_WATCH, ERR_WRONG_KIND, watch_no_events_there},
    {CALL_WATCH, ERR_LIMIT, watch_limit},
    {CALL_WATCH_PATH, ERR_INVALID, watch_path_for_nothing},
    {CALL_WATCH_PATH, ERR_INVALID, watch_path_of_no_name},
    {CALL_WATCH_PATH, ERR_WRONG_KIND, watch_path_not_told_of},
    {CALL_WATCH_PATH, ERR_ACCESS, watch_path_closed},
    {CALL_WATCH_PATH, ERR_LIMIT, watch_path_limit},
    {CALL_UNWATCH, ERR_NOT_FOUND, unwatch_nothing},
};

// Documented but not provoked here, with the reason.
static const struct {
    unsigned call;
    int error;
    const char *why;
} unreachable[] = {
    {CALL_WAIT, ERR_WRONG_KIND, "objects without events are handed out without RIGHT_WATCH, which is looked at first"},
    {CALL_WRITE, ERR_READ_ONLY, "what cannot be changed is not opened for writing, so the right is missing first"},
};

static bool is_unreachable(unsigned call, int error) {
    for (unsigned i = 0; i < sizeof unreachable / sizeof unreachable[0]; i++) {
        if (unreachable[i].call == call && unreachable[i].error == error) {
            return true;
        }
    }
    return false;
}

Test(refuse, every_documented_refusal_is_provoked, .timeout = 200) {
    for (unsigned i = 0; i < SHAPES; i++) {
        succeed(&shapes[i]);
        spoil_handles(&shapes[i]);
        spoil_pointers(&shapes[i]);
        spoil_narrow(&shapes[i]);
        spoil_path(&shapes[i]);
        spoil_memory(&shapes[i]);
        spoil_page(&shapes[i]);
        spoil_table(&shapes[i]);
    }
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_world();
        int64_t status = cases[i].provoke();
        char how[32];
        snprintf(how, sizeof how, "case %u", i);
        expect(cases[i].call, status, cases[i].error, how);
    }
    for (unsigned i = 0; i < REFUSALS; i++) {
        bool done = provoked[refusals[i].call][-refusals[i].error];
        bool excused = is_unreachable(refusals[i].call, refusals[i].error);
        if (!done && !excused) {
            complain("never provoked: %s %s (%s)", refusals[i].call_name, refusals[i].error_name, refusals[i].cause);
        } else if (done && excused) {
            complain("provoked but excused: %s %s", refusals[i].call_name, refusals[i].error_name);
        }
    }
    cr_assert_eq(complaints, 0, "%u complaints", complaints);
}
