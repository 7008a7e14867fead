// Paths: what the kernel gets to see.
#include <criterion/criterion.h>

#include "lib/path.h"

static void expect(const char *cwd, const char *path, const char *wanted) {
    char out[PATH_LEN_MAX + 1];
    cr_assert_eq(path_normalise(cwd, path, out), 0, "%s + %s", cwd, path);
    cr_assert_str_eq(out, wanted, "%s + %s", cwd, path);
}

Test(path, absolute_ignores_cwd) {
    expect("/a/b", "/", "/");
    expect("/a/b", "/x", "/x");
    expect("/a/b", "//x///y/", "/x/y");
}

Test(path, relative_goes_below_cwd) {
    expect("/", "x", "/x");
    expect("/a", "b/c", "/a/b/c");
    expect("/a", ".", "/a");
    expect("/", ".", "/");
}

Test(path, dots_are_taken_lexically) {
    expect("/a/b", "..", "/a");
    expect("/a/b", "../..", "/");
    expect("/a/b", "../../../../c", "/c");
    expect("/", "/a/./b/../c/.", "/a/c");
    expect("/", "...", "/...");
    expect("/", "..x", "/..x");
}

Test(path, empty_refused) {
    char out[PATH_LEN_MAX + 1];
    cr_assert_eq(path_normalise("/", "", out), ERR_INVALID);
}

Test(path, limits_are_exact) {
    char name[NAME_LEN_MAX + 2];
    char out[PATH_LEN_MAX + 1];
    memset(name, 'n', sizeof name);
    name[NAME_LEN_MAX + 1] = 0;
    cr_assert_eq(path_normalise("/", name, out), ERR_NAME_TOO_LONG);
    name[NAME_LEN_MAX] = 0;
    cr_assert_eq(path_normalise("/", name, out), 0);
    char path[PATH_LEN_MAX + 3];
    for (size_t i = 0; i < sizeof path; i++) {
        path[i] = i % 2 == 0 ? '/' : 'x';
    }
    path[PATH_LEN_MAX] = 0; // "/x/x…/": the last slash goes
    cr_assert_eq(path_normalise("/", path, out), 0);
    cr_assert_eq(strlen(out), PATH_LEN_MAX - 1);
    path[PATH_LEN_MAX] = 'x';
    path[PATH_LEN_MAX + 1] = 0;
    cr_assert_eq(path_normalise("/", path, out), ERR_NAME_TOO_LONG);
}

Test(path, result_may_replace_cwd) {
    char cwd[PATH_LEN_MAX + 1] = "/a/b";
    cr_assert_eq(path_normalise(cwd, "../c", cwd), 0);
    cr_assert_str_eq(cwd, "/a/c");
}

Test(path, base_is_the_last_name) {
    cr_assert_str_eq(path_base("/bin/ls"), "ls");
    cr_assert_str_eq(path_base("ls"), "ls");
    cr_assert_str_eq(path_base("/"), "/");
}

Test(path, join_puts_one_slash) {
    char out[PATH_LEN_MAX + 1];
    cr_assert_eq(path_join("/", "a", out), 0);
    cr_assert_str_eq(out, "/a");
    cr_assert_eq(path_join(out, "b", out), 0);
    cr_assert_str_eq(out, "/a/b");
    char longest[PATH_LEN_MAX + 1];
    memset(longest, 'x', PATH_LEN_MAX);
    longest[PATH_LEN_MAX] = 0;
    cr_assert_eq(path_join("/", longest, out), ERR_NAME_TOO_LONG);
}
