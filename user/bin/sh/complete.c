// Completion: find the word, collect the names that begin with it, add what they have in common.
#include "complete.h"

#include "base/memory.h"
#include "base/str.h"
#include "builtin.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"

// The names found so far.
struct candidates {
    const char *prefix; // what they must begin with
    size_t prefix_length;
    unsigned count;
    bool directory; // the only one is a directory
    char common[NAME_LEN_MAX + 1];
    struct text *list;
};

static void add(struct candidates *candidates, const char *name, bool directory) {
    if (strncmp(name, candidates->prefix, candidates->prefix_length) != 0) {
        return;
    }
    if (candidates->count++ == 0) {
        (void)str_copy(candidates->common, sizeof candidates->common, name);
        candidates->directory = directory;
    } else if (str_equal(candidates->common, name)) {
        candidates->count--; // a builtin that is a program, too
        return;
    } else {
        size_t same = 0;
        while (candidates->common[same] != 0 && candidates->common[same] == name[same]) {
            same++;
        }
        candidates->common[same] = 0;
    }
    (void)!(text_add_string(candidates->list, name) && text_add_string(candidates->list, directory ? "/\n" : "\n"));
}

static void add_directory(struct candidates *candidates, const char *path) {
    struct abi_dirent *entries;
    long count = file_list(path, &entries);
    for (long i = 0; i < count; i++) {
        if (entries[i].name[0] != '.' || candidates->prefix[0] == '.') {
            add(candidates, entries[i].name, entries[i].stat.kind == NODE_DIR || entries[i].stat.kind == NODE_CHANNEL);
        }
    }
    if (count >= 0) {
        free(entries);
    }
}

static void add_commands(struct candidates *candidates, const struct shell *shell) {
    for (unsigned i = 0; builtin_name(i) != nullptr; i++) {
        add(candidates, builtin_name(i), false);
    }
    const char *at = variable_get(shell->variables, "PATH", 4);
    at = at != nullptr ? at : "/bin";
    while (*at != 0) {
        char directory[PATH_LEN_MAX + 1];
        size_t length = 0;
        while (at[length] != 0 && at[length] != ':') {
            length++;
        }
        if (length > 0 && str_copy_bytes(directory, sizeof directory, at, length) < sizeof directory) {
            add_directory(candidates, directory);
        }
        at += length + (at[length] == ':');
    }
}

static bool separates(char c) {
    return c == ' ' || c == '\t' || c == ';' || c == '&' || c == '|' || c == '<' || c == '>' || c == '(' || c == '=';
}

// Whether a command begins at `start`: at the line's beginning, behind an operator, behind a keyword.
static bool begins_command(const char *line, size_t start) {
    while (start > 0 && line[start - 1] == ' ') {
        start--;
    }
    if (start == 0 || line[start - 1] == ';' || line[start - 1] == '&' || line[start - 1] == '|' ||
        line[start - 1] == '(') {
        return true;
    }
    static const char *const keywords[] = {"if", "then", "else", "elif", "while", "until", "do", "{", "!", "time"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        size_t length = strlen(keywords[i]);
        if (start >= length && strncmp(line + start - length, keywords[i], length) == 0 &&
            (start == length || separates(line[start - length - 1]))) {
            return true;
        }
    }
    return false;
}

static void insert(struct text *text, const char *rest, bool finished, bool directory) {
    for (; *rest != 0; rest++) {
        bool special = separates(*rest) || *rest == '\'' || *rest == '"' || *rest == '\\' || *rest == '$' ||
                       *rest == '*' || *rest == '?' || *rest == '[' || *rest == '#' || *rest == ')';
        if ((special && !text_add_char(text, '\\')) || !text_add_char(text, *rest)) {
            return;
        }
    }
    if (finished) {
        (void)!text_add_char(text, directory ? '/' : ' ');
    }
}

void complete_word(void *context, const char *line, size_t cursor, struct editor_completion *completion) {
    const struct shell *shell = context;
    size_t start = cursor;
    while (start > 0 && (!separates(line[start - 1]) || (start > 1 && line[start - 2] == '\\'))) {
        start--;
    }
    char word[PATH_LEN_MAX + 1];
    size_t length = 0;
    for (size_t i = start; i < cursor; i++) {
        i += line[i] == '\\' && i + 1 < cursor;
        if (length == PATH_LEN_MAX) {
            return;
        }
        word[length++] = line[i];
    }
    word[length] = 0;
    size_t name = length; // where the last name begins
    while (name > 0 && word[name - 1] != '/') {
        name--;
    }
    struct candidates candidates = {.prefix = word + name, .prefix_length = length - name, .list = &completion->list};
    if (name == 0 && begins_command(line, start)) {
        add_commands(&candidates, shell);
    } else {
        char directory[PATH_LEN_MAX + 1] = ".";
        if (name > 0) {
            (void)str_copy_bytes(directory, sizeof directory, word, name);
        }
        add_directory(&candidates, directory);
    }
    if (candidates.count > 0) {
        insert(&completion->insert, candidates.common + candidates.prefix_length, candidates.count == 1,
               candidates.directory);
    }
}
