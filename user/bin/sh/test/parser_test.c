// The shell's parser: what it makes of good lines, what it says of bad ones, and that nothing makes it stumble.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "parser.h"

void arena_exhausted(void) {
    abort();
}

static char shown[4096];

static void show(const char *format, ...) {
    size_t length = strlen(shown);
    va_list args;
    va_start(args, format);
    vsnprintf(shown + length, sizeof shown - length, format, args);
    va_end(args);
}

static void show_tree(const struct syntax *s);

static void show_words(const struct word *word) {
    for (; word != nullptr; word = word->next) {
        show(" %.*s", (int)word->length, word->text);
    }
}

static void show_all(const struct syntax *s) {
    for (; s != nullptr; s = s->next) {
        show(" ");
        show_tree(s);
        show(s->background ? "&" : "");
    }
}

static void show_tree(const struct syntax *s) {
    static const char *const names[] = {"cmd", "pipe", "and",   "or",    "list", "group",
                                        "sub", "if",   "while", "until", "for",  "case"};
    if (s->kind == SYNTAX_PIPELINE && s->first->next == nullptr && !s->inverted) {
        show_tree(s->first);
        return;
    }
    show("(%s%s", s->inverted ? "!" : "", names[s->kind]);
    if (s->name.length > 0) {
        show(" %.*s", (int)s->name.length, s->name.text);
    }
    show_words(s->assignments);
    show_words(s->words);
    if (s->kind == SYNTAX_LIST || s->kind == SYNTAX_PIPELINE) {
        show_all(s->first);
    } else {
        const struct syntax *parts[] = {s->first, s->second, s->third};
        for (int i = 0; i < 3; i++) {
            if (parts[i] != nullptr) {
                show(" ");
                show_tree(parts[i]);
            }
        }
    }
    for (const struct case_branch *b = s->branches; b != nullptr; b = b->next) {
        show(" {");
        show_words(b->patterns);
        if (b->body != nullptr) {
            show(" ");
            show_tree(b->body);
        }
        show("}");
    }
    for (const struct redirection *r = s->redirections; r != nullptr; r = r->next) {
        show(" %d%s%.*s", r->stream,
             r->kind == REDIRECT_INPUT    ? "<"
             : r->kind == REDIRECT_OUTPUT ? ">"
             : r->kind == REDIRECT_APPEND ? ">>"
                                          : ">&",
             (int)r->target.length, r->target.text);
    }
    show(")");
}

static enum parse_result parse(const char *text, char *message) {
    struct arena arena = {};
    struct parser parser;
    struct syntax *tree;
    enum parse_result result;
    shown[0] = 0;
    parser_init(&parser, text, &arena);
    while ((result = parser_next(&parser, &tree)) == PARSE_LINE) {
        if (tree != nullptr) {
            show_tree(tree);
        }
    }
    if (message != nullptr) {
        strcpy(message, parser.message);
    }
    arena_free(&arena);
    return result;
}

static void expect(const char *text, const char *wanted) {
    char message[128];
    cr_assert_eq(parse(text, message), PARSE_END, "%s: %s", text, message);
    cr_assert_str_eq(shown, wanted, "%s: %s", text, shown);
}

Test(parser, simple_commands) {
    expect("", "");
    expect("  # only a comment", "");
    expect("echo a b", "(list (cmd echo a b))");
    expect("echo a#b # c", "(list (cmd echo a#b))");
    expect("a; b\nc", "(list (cmd a) (cmd b))(list (cmd c))");
    expect("a 'b c' \"d;e\" f\\ g $(h i; j) ${k}", "(list (cmd a 'b c' \"d;e\" f\\ g $(h i; j) ${k}))");
    expect("X=1 Y='a b' cmd Z=3", "(list (cmd X=1 Y='a b' cmd Z=3))");
    expect("a \\\n b", "(list (cmd a b))");
}

Test(parser, pipelines_and_chains) {
    expect("a | b | c", "(list (pipe (cmd a) (cmd b) (cmd c)))");
    expect("a && b || c", "(list (or (and (cmd a) (cmd b)) (cmd c)))");
    expect("! a | b", "(list (!pipe (cmd a) (cmd b)))");
    expect("a & b &", "(list (cmd a)& (cmd b)&)");
    expect("a |\n b &&\n c", "(list (and (pipe (cmd a) (cmd b)) (cmd c)))");
}

Test(parser, redirections) {
    expect("a < b > c 2>> d", "(list (cmd a 0<b 1>c 2>>d))");
    expect("a >b 2>&1", "(list (cmd a 1>b 2>&1))");
    expect("a2>b", "(list (cmd a2 1>b))");
    expect("a 2 >b", "(list (cmd a 2 1>b))");
    expect("> x", "(list (cmd 1>x))");
    expect("{ a; } > b", "(list (group (list (cmd a)) 1>b))");
}

Test(parser, compound_commands) {
    expect("if a; then b; elif c; then d; else e; fi",
           "(list (if (list (cmd a)) (list (cmd b)) (if (list (cmd c)) (list (cmd d)) (list (cmd e)))))");
    expect("while a\ndo\n b\n c\ndone", "(list (while (list (cmd a)) (list (cmd b) (cmd c))))");
    expect("until a; do b; done", "(list (until (list (cmd a)) (list (cmd b))))");
    expect("for x in 1 2 $y; do b $x; done", "(list (for x 1 2 $y (list (cmd b $x))))");
    expect("for x do b; done", "(list (for x (list (cmd b))))");
    expect("for x in; do b; done", "(list (for x (list (cmd b))))");
    expect("(a; b) | c", "(list (pipe (sub (list (cmd a) (cmd b))) (cmd c)))");
    expect("case $x in a|b) c;; (*) d; e;; esac", "(list (case $x { a b (list (cmd c))} { * (list (cmd d) (cmd e))}))");
    expect("case x in a) ;; b) c\nesac", "(list (case x { a} { b (list (cmd c))}))");
    expect("if a; then b; fi; echo fi", "(list (if (list (cmd a)) (list (cmd b))) (cmd echo fi))");
}

Test(parser, keywords_elsewhere_are_words) {
    expect("echo if then done", "(list (cmd echo if then done))");
    expect("iffy", "(list (cmd iffy))");
}

static void refused(const char *text) {
    cr_assert_eq(parse(text, nullptr), PARSE_ERROR, "%s", text);
}
static void incomplete(const char *text) {
    cr_assert_eq(parse(text, nullptr), PARSE_INCOMPLETE, "%s", text);
}

Test(parser, nonsense_refused) {
    refused("if; then a; fi");
    refused("| a");
    refused("a | | b");
    refused("a ;; b");
    refused("fi");
    refused("a && && b");
    refused(") a");
    refused("f() { a; }");
    refused("a > > b");
    refused("a > \n");
    refused("for 1x in a; do b; done");
    refused("while a; do ; done");
    refused("a << b");
    refused("a 3> b");
    refused("; a");
    refused("{ }");
    refused("( )");
}

Test(parser, unfinished_is_not_wrong) {
    incomplete("if a");
    incomplete("if a; then");
    incomplete("while a; do b\n");
    incomplete("a |");
    incomplete("a &&");
    incomplete("echo 'a");
    incomplete("echo \"a $(b");
    incomplete("echo \\");
    incomplete("( a");
    incomplete("{ a;");
    incomplete("case x in");
    incomplete("for x in a b");
}

Test(parser, what_stands_before_an_error_is_there) {
    cr_assert_eq(parse("a\nb\nfi\nc", nullptr), PARSE_ERROR);
    cr_assert_str_eq(shown, "(list (cmd a))(list (cmd b))");
}

Test(parser, messages_name_line_and_token) {
    char message[128];
    cr_assert_eq(parse("a\n\nb | ; c", message), PARSE_ERROR);
    cr_assert_str_eq(message, "line 3: ';' where a command should be");
}

Test(parser, nesting_has_a_limit) {
    char text[1000] = "";
    for (int i = 0; i < 400; i++) {
        strcat(text, "( ");
    }
    cr_assert_eq(parse(text, nullptr), PARSE_ERROR);
    memset(text, 0, sizeof text);
    for (int i = 0; i < 300; i++) {
        strcat(text, "$((");
    }
    (void)parse(text, nullptr);
}

Test(parser, any_text_ends_cleanly) {
    static const char *const pieces[] = {
        "if ", "then ", "fi ", "while ", "do ", "done ", "for x in ", "case ", "esac ", " in ",  "{ ",  "} ", "( ",
        ") ",  "; ",    ";; ", "& ",     "&& ", "|",     "|| ",       "> ",    "<",     "2>&1 ", "'",   "\"", "\\",
        "$",   "$(",    "${",  "`",      "a ",  "b=",    "\n",        "# ",    "!",     " ",     "$((", "))"};
    srand(11);
    for (int round = 0; round < 200000; round++) {
        char text[256] = "";
        for (int i = rand() % 20; i > 0; i--) {
            strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof pieces[0])]);
        }
        (void)parse(text, nullptr);
    }
}
