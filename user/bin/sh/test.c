// test and [: conditions on files, texts and numbers, for if and while.
#include "base/str.h"
#include "builtin.h"
#include "lib/file.h"

enum { DEPTH_MAX = 32 };

struct condition {
    const struct streams *streams;
    char **at;
    char **end;
    bool wrong;
    unsigned depth;
};

static bool evaluate_or(struct condition *condition);

static bool complain(struct condition *condition, const char *about, const char *sentence) {
    if (!condition->wrong) {
        (void)shell_say(condition->streams, "test: %s: %s", about, sentence);
    }
    condition->wrong = true;
    return false;
}

static bool next_is(const struct condition *condition, const char *text) {
    return condition->at < condition->end && str_equal(*condition->at, text);
}

// Kind and size of what is at a path, links followed by opening it.
static bool look(const char *path, struct abi_stat *stat) {
    if (file_stat(path, stat) < 0) {
        return false;
    }
    if (stat->kind == NODE_LINK) {
        long handle = file_open(path, OPEN_READ, 0);
        if (handle < 0) {
            return false;
        }
        file_close((handle_t)handle);
    }
    return true;
}

static bool check_file(char letter, const char *path) {
    struct abi_stat stat;
    bool there = file_stat(path, &stat) == 0;
    switch (letter) {
    case 'e':
        return look(path, &stat);
    case 'f':
        return there && (stat.kind == NODE_FILE || stat.kind == NODE_KERNEL);
    case 'd':
        return there && stat.kind == NODE_DIR;
    case 'c':
        return there && stat.kind == NODE_CHANNEL;
    case 'L':
    case 'h':
        return there && stat.kind == NODE_LINK;
    case 's':
        return there && stat.size > 0;
    default: { // r, w, x: by trying
        long handle = file_open(path, letter == 'r' ? OPEN_READ : letter == 'w' ? OPEN_WRITE : OPEN_EXEC, 0);
        if (handle >= 0) {
            file_close((handle_t)handle);
        }
        return handle >= 0;
    }
    }
}

static bool take_number(struct condition *condition, const char *text, int64_t *value) {
    bool negative = *text == '-';
    uint64_t magnitude;
    if (!str_to_u64(text + negative, &magnitude) || magnitude > INT64_MAX) {
        return complain(condition, text, "not a number");
    }
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

static bool compare(struct condition *condition, const char *left, const char *operation, const char *right) {
    if (str_equal(operation, "=") || str_equal(operation, "==")) {
        return str_equal(left, right);
    }
    if (str_equal(operation, "!=")) {
        return !str_equal(left, right);
    }
    int64_t a, b;
    if (!take_number(condition, left, &a) || !take_number(condition, right, &b)) {
        return false;
    }
    static const char names[][4] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    const bool results[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
    for (size_t i = 0; i < 6; i++) {
        if (strncmp(operation, names[i], 4) == 0) {
            return results[i];
        }
    }
    return complain(condition, operation, "no such comparison");
}

static bool is_comparison(const char *text) {
    static const char *const names[] = {"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal(text, names[i])) {
            return true;
        }
    }
    return false;
}

static bool evaluate_primary(struct condition *condition) {
    char **at = condition->at;
    long left = condition->end - at;
    if (left == 0) {
        return complain(condition, "the end", "a condition is missing");
    }
    if (left >= 3 && is_comparison(at[1])) {
        condition->at += 3;
        return compare(condition, at[0], at[1], at[2]);
    }
    if (next_is(condition, "!") && left > 1) {
        condition->at++;
        if (condition->depth++ == DEPTH_MAX) {
            return complain(condition, "!", "nested too deeply");
        }
        bool result = !evaluate_primary(condition);
        condition->depth--;
        return result;
    }
    if (next_is(condition, "(") && left > 1) {
        condition->at++;
        if (condition->depth++ == DEPTH_MAX) {
            return complain(condition, "(", "nested too deeply");
        }
        bool result = evaluate_or(condition);
        condition->depth--;
        if (!next_is(condition, ")")) {
            return complain(condition, "(", "its ) is missing");
        }
        condition->at++;
        return result;
    }
    if (left >= 2 && at[0][0] == '-' && at[0][1] != 0 && at[0][2] == 0) {
        condition->at += 2;
        switch (at[0][1]) {
        case 'n':
            return at[1][0] != 0;
        case 'z':
            return at[1][0] == 0;
        case 'e':
        case 'f':
        case 'd':
        case 'c':
        case 'L':
        case 'h':
        case 's':
        case 'r':
        case 'w':
        case 'x':
            return check_file(at[0][1], at[1]);
        default:
            return complain(condition, at[0], "no such condition");
        }
    }
    condition->at++;
    return at[0][0] != 0;
}

static bool evaluate_and(struct condition *condition) {
    bool result = evaluate_primary(condition);
    while (next_is(condition, "-a") && !condition->wrong) {
        condition->at++;
        bool right = evaluate_primary(condition);
        result = result && right;
    }
    return result;
}

static bool evaluate_or(struct condition *condition) {
    bool result = evaluate_and(condition);
    while (next_is(condition, "-o") && !condition->wrong) {
        condition->at++;
        bool right = evaluate_and(condition);
        result = result || right;
    }
    return result;
}

int builtin_test(struct shell *, const struct streams *streams, int argc, char **argv) {
    if (str_equal(argv[0], "[")) {
        if (!str_equal(argv[argc - 1], "]")) {
            (void)shell_say(streams, "[: its ] is missing");
            return SHELL_USAGE;
        }
        argc--;
    }
    if (argc == 1) {
        return 1;
    }
    struct condition condition = {.streams = streams, .at = argv + 1, .end = argv + argc};
    bool result = evaluate_or(&condition);
    if (condition.at < condition.end) {
        (void)complain(&condition, *condition.at, "left over");
    }
    return condition.wrong ? SHELL_USAGE : !result;
}
