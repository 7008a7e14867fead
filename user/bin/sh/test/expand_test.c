// Expansion, with a small stand-in for the file tree and for substitutions.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "expand.h"
#include "lib/file.h"
#include "parser.h"

static char told[256];
static struct shell shell;
static struct arena arena;

void arena_exhausted(void) {
    abort();
}

int shell_say(const struct streams *, const char *form, ...) {
    va_list args;
    va_start(args, form);
    vsnprintf(told, sizeof told, form, args);
    va_end(args);
    return 1;
}

char *shell_capture(struct shell *, const struct streams *, const char *text, size_t length, struct arena *into) {
    char output[128];
    int size = snprintf(output, sizeof output, "<%.*s> out", (int)length, text);
    return arena_copy(into, output, (size_t)size);
}

// The tree: /dir/{a.c,b.c,.h} and x*y.
static const char *const tree[] = {"/dir", "/dir/a.c", "/dir/b.c", "/dir/.h", "x*y"};

long file_stat(const char *path, struct abi_stat *) {
    for (size_t i = 0; i < 5; i++) {
        if (strcmp(path, tree[i]) == 0) {
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

long file_list(const char *path, struct abi_dirent **entries) {
    static const char *const names[][4] = {{"a.c", "b.c", ".h", nullptr}, {"dir", nullptr}, {"x*y", nullptr}};
    int which = strcmp(path, "/dir") == 0 || strcmp(path, "/dir/") == 0 ? 0 : strcmp(path, "/") == 0 ? 1 : 2;
    if (which == 2 && strcmp(path, ".") != 0) {
        return ERR_NOT_FOUND;
    }
    struct abi_dirent *list = calloc(4, sizeof *list);
    long count = 0;
    for (; names[which][count] != nullptr; count++) {
        strcpy(list[count].name, names[which][count]);
    }
    *entries = list;
    return count;
}

static void set(const char *name, const char *value) {
    variable_set(&shell.variables, name, strlen(name), value, false);
}

static void begin(void) {
    static char *parameters[] = {"one", "two three", "", nullptr};
    shell = (struct shell){.name = "sh", .parameters = parameters, .parameter_count = 3, .status = 7, .pid = 42};
    set("a", "value");
    set("s", "x  y z");
    set("e", "");
    set("n", "12");
    set("star", "/dir/*");
    set("file", "/usr/lib/name.tar.gz");
    set("HOME", "/home");
}

static void end(void) {
    arena_free(&arena);
    while (shell.variables != nullptr) {
        variable_remove(&shell.variables, shell.variables->name);
    }
}

TestSuite(expand, .init = begin, .fini = end);

// The fields, each in [ ].
static const char *fields(const char *text) {
    static char result[512];
    struct word word = {.text = text, .length = strlen(text)};
    struct strings list = {};
    struct streams streams = {};
    result[0] = 0;
    if (!expand_words(&shell, &streams, &word, &arena, &list)) {
        return "error";
    }
    for (size_t i = 0; i < list.count; i++) {
        strcat(strcat(strcat(result, "["), list.items[i]), "]");
    }
    return result;
}

#define EXPECT(text, wanted) cr_assert_str_eq(fields(text), wanted)

Test(expand, quotes_go) {
    EXPECT("abc", "[abc]");
    EXPECT("'a b'", "[a b]");
    EXPECT("\"a b\"", "[a b]");
    EXPECT("a\\ b", "[a b]");
    EXPECT("''", "[]");
    EXPECT("a''b", "[ab]");
    EXPECT("\"a\\\"b\\n\"", "[a\"b\\n]");
    EXPECT("\"it's\"", "[it's]");
    EXPECT("'a\"b'", "[a\"b]");
}

Test(expand, variables) {
    EXPECT("$a", "[value]");
    EXPECT("${a}s", "[values]");
    EXPECT("$as", "");
    EXPECT("\"$as\"", "[]");
    EXPECT("'$a'", "[$a]");
    EXPECT("\\$a", "[$a]");
    EXPECT("$", "[$]");
    EXPECT("$?-$$-$#", "[7-42-3]");
    EXPECT("$0$1", "[shone]");
    EXPECT("${10}", "");
}

Test(expand, splitting) {
    EXPECT("$s", "[x][y][z]");
    EXPECT("\"$s\"", "[x  y z]");
    EXPECT("p$s", "[px][y][z]");
    EXPECT("$e", "");
    EXPECT("$e$e", "");
    EXPECT("\"\"$e", "[]");
}

Test(expand, parameters) {
    EXPECT("$*", "[one][two][three]");
    EXPECT("\"$*\"", "[one two three ]");
    EXPECT("\"$@\"", "[one][two three][]");
    EXPECT("p\"$@\"s", "[pone][two three][s]");
    shell.parameter_count = 0;
    EXPECT("\"$@\"", "");
    EXPECT("\"$*\"", "[]");
}

Test(expand, substitutes_for_what_is_missing) {
    EXPECT("${x:-d}", "[d]");
    EXPECT("${e:-d}", "[d]");
    EXPECT("${e-d}", "");
    EXPECT("${a:-d}", "[value]");
    EXPECT("${a:+set}", "[set]");
    EXPECT("${x:+set}", "");
    EXPECT("${x:=kept}$x", "[keptkept]");
    EXPECT("${y:-\"a b\"}", "[a b]");
    EXPECT("${y:-$s}", "[x][y][z]");
    EXPECT("${#a}${#q}", "[50]");
    EXPECT("${z:?is needed}", "error");
    cr_assert_str_eq(told, "z: is needed");
}

Test(expand, trimming) {
    EXPECT("${file##*/}", "[name.tar.gz]");
    EXPECT("${file#*/}", "[usr/lib/name.tar.gz]");
    EXPECT("${file%.*}", "[/usr/lib/name.tar]");
    EXPECT("${file%%.*}", "[/usr/lib/name]");
    EXPECT("${file%x}", "[/usr/lib/name.tar.gz]");
}

Test(expand, commands) {
    EXPECT("$(echo hi)", "[<echo][hi>][out]");
    EXPECT("\"$(echo hi)\"", "[<echo hi> out]");
    EXPECT("\"`a \\`b\\``\"", "[<a `b`> out]");
    EXPECT("\"$(a \"b c\" $(d))\"", "[<a \"b c\" $(d)> out]");
}

Test(expand, arithmetic) {
    EXPECT("$((1 + 2 * 3))", "[7]");
    EXPECT("$(((1+2)*3))", "[9]");
    EXPECT("$((n / 5))$((n % 5))", "[22]");
    EXPECT("$(( $n - 20 ))", "[-8]");
    EXPECT("$((nothing + 1))", "[1]");
    EXPECT("$((1 / 0))", "error");
    EXPECT("$((1 +))", "error");
}

Test(expand, file_names) {
    EXPECT("/dir/*", "[/dir/a.c][/dir/b.c]");
    EXPECT("/*/a.c", "[/dir/a.c]");
    EXPECT("/dir/.*", "[/dir/.h]");
    EXPECT("/dir/[b-z]*", "[/dir/b.c]");
    EXPECT("/dir/*.x", "[/dir/*.x]");
    EXPECT("'/dir/*'", "[/dir/*]");
    EXPECT("/dir/\\*", "[/dir/*]");
    EXPECT("$star", "[/dir/a.c][/dir/b.c]");
    EXPECT("\"$star\"", "[/dir/*]");
    EXPECT("x\\*?", "[x*y]");
}

Test(expand, tilde) {
    EXPECT("~", "[/home]");
    EXPECT("~/x", "[/home/x]");
    EXPECT("a~", "[a~]");
    EXPECT("'~'", "[~]");
}

Test(expand, bad_substitutions_are_told) {
    EXPECT("${}", "error");
    EXPECT("${a!b}", "error");
    EXPECT("${1=x}", "[one]");
    EXPECT("${9=x}", "error");
}

Test(expand, text_is_one) {
    struct streams streams = {};
    struct word word = {.text = "$s*", .length = 3};
    cr_assert_str_eq(expand_text(&shell, &streams, &word, &arena), "x  y z*");
    word = (struct word){.text = "'*'*", .length = 4};
    cr_assert_str_eq(expand_pattern(&shell, &streams, &word, &arena), "\\**");
}

Test(expand, any_word_ends_cleanly) {
    static const char *const pieces[] = {"$", "{", "}", "(", ")", "a", "'", "\"", "\\",  "`",  "*", "[", "]",
                                         "#", "%", ":", "-", "=", "?", "@", "1",  "$((", "))", "+", "/", "~"};
    srand(3);
    for (int round = 0; round < 100000; round++) {
        char text[64] = "";
        for (int i = rand() % 12; i > 0; i--) {
            strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof pieces[0])]);
        }
        const char *at = text; // the parser only lets whole constructs through
        while (at != nullptr && *at != 0) {
            at = syntax_skip(at);
        }
        if (at != nullptr) {
            (void)fields(text);
        }
        arena_free(&arena);
    }
}
