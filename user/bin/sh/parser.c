// Recursive descent. An error sets parser->message and everything then unwinds by returning null; the first error
// counts.
#include "parser.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"

void parser_init(struct parser *parser, const char *text, struct arena *arena) {
    *parser = (struct parser){.text = text, .at = text, .line = 1, .arena = arena};
}

// ---- characters
// ------------------------------------------------------------------------------------------------------

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_name(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

static bool ends_word(char c) {
    return c == 0 || c == ' ' || c == '\t' || c == '\n' || c == ';' || c == '&' || c == '|' || c == '<' || c == '>' ||
           c == '(' || c == ')';
}

bool syntax_is_assignment(const char *text, size_t size, size_t *length) {
    size_t at = 0;
    while (at < size && (at == 0 ? is_name_start(text[at]) : is_name(text[at]))) {
        at++;
    }
    *length = at;
    return at > 0 && at < size && text[at] == '=';
}

static const char *skip_nested(const char *at, char open, char close, unsigned depth);

static const char *skip_single(const char *at) {
    for (at++; *at != '\''; at++) {
        if (*at == 0) {
            return nullptr;
        }
    }
    return at + 1;
}

static const char *skip_backquote(const char *at) {
    for (at++; *at != '`'; at++) {
        if (*at == '\\' && at[1] != 0) {
            at++;
        }
        if (*at == 0) {
            return nullptr;
        }
    }
    return at + 1;
}

static const char *skip_construct(const char *at, unsigned depth);

static const char *skip_double(const char *at, unsigned depth) {
    for (at++; *at != '"';) {
        if (*at == 0) {
            return nullptr;
        }
        // Single quotes mean nothing in here.
        at = *at == '\'' ? at + 1 : skip_construct(at, depth);
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at + 1;
}

// Skip what begins with `open` at `at` and ends with its `close`, minding quotes and nesting.
static const char *skip_nested(const char *at, char open, char close, unsigned depth) {
    unsigned level = 0;
    for (;;) {
        if (*at == 0 || depth == 0) {
            return nullptr;
        }
        if (*at == open) {
            level++;
        }
        if (*at == close && --level == 0) {
            return at + 1;
        }
        at = skip_construct(at, depth - 1);
        if (at == nullptr) {
            return nullptr;
        }
    }
}

static const char *skip_construct(const char *at, unsigned depth) {
    switch (*at) {
    case 0:
        return nullptr;
    case '\\':
        return at[1] == 0 ? nullptr : at + 2;
    case '\'':
        return skip_single(at);
    case '"':
        return skip_double(at, depth);
    case '`':
        return skip_backquote(at);
    case '$':
        if (at[1] == '(') {
            return skip_nested(at + 1, '(', ')', depth);
        }
        return at[1] == '{' ? skip_nested(at + 1, '{', '}', depth) : at + 1;
    default:
        return at + 1;
    }
}

const char *syntax_skip(const char *at) {
    return skip_construct(at, PARSER_DEPTH_MAX);
}

// ---- tokens
// ----------------------------------------------------------------------------------------------------------

static bool failed(const struct parser *parser) {
    return parser->message[0] != 0 || parser->incomplete;
}

// The token at the current place, for messages.
static void describe(const struct parser *parser, char *text, size_t capacity) {
    const char *at = parser->at;
    if (*at == 0) {
        (void)str_copy(text, capacity, "the end");
    } else if (*at == '\n') {
        (void)str_copy(text, capacity, "the end of the line");
    } else {
        size_t length = 1;
        if (!ends_word(*at)) {
            while (!ends_word(at[length])) {
                length++;
            }
        } else if ((at[1] == *at) && (*at == ';' || *at == '&' || *at == '|')) {
            length = 2;
        }
        (void)format(text, capacity, "'%.*s'", length < 32 ? (int)length : 32, at);
    }
}

// At the current place, something else should stand: the end of the text is incomplete, anything else an error.
static void *refuse(struct parser *parser, const char *wanted) {
    if (failed(parser)) {
        return nullptr;
    }
    if (*parser->at == 0) {
        parser->incomplete = true;
    }
    char found[48];
    describe(parser, found, sizeof found);
    (void)format(parser->message, sizeof parser->message, "line %u: %s where %s should be", parser->line, found,
                 wanted);
    return nullptr;
}

static void skip_blanks(struct parser *parser) {
    for (;;) {
        if (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\r') {
            parser->at++;
        } else if (parser->at[0] == '\\' && parser->at[1] == '\n') {
            parser->at += 2;
            parser->line++;
        } else {
            break;
        }
    }
    if (*parser->at == '#') {
        while (*parser->at != 0 && *parser->at != '\n') {
            parser->at++;
        }
    }
}

static void skip_newlines(struct parser *parser) {
    for (skip_blanks(parser); *parser->at == '\n'; skip_blanks(parser)) {
        parser->at++;
        parser->line++;
    }
}

// Whether the operator `text` is next (and not a longer one that begins with it).
static bool at_operator(struct parser *parser, const char *text) {
    skip_blanks(parser);
    size_t length = strlen(text);
    if (strncmp(parser->at, text, length) != 0) {
        return false;
    }
    return length > 1 || parser->at[1] != *text || (*text != '&' && *text != '|' && *text != ';');
}

static bool take_operator(struct parser *parser, const char *text) {
    if (!at_operator(parser, text)) {
        return false;
    }
    parser->at += strlen(text);
    return true;
}

// Whether the unquoted word `text` is next.
static bool at_keyword(struct parser *parser, const char *text) {
    skip_blanks(parser);
    size_t length = strlen(text);
    return strncmp(parser->at, text, length) == 0 && ends_word(parser->at[length]);
}

static bool take_keyword(struct parser *parser, const char *text) {
    if (!at_keyword(parser, text)) {
        return false;
    }
    parser->at += strlen(text);
    return true;
}

// Words that end a list and so cannot begin a command.
static bool at_closing(struct parser *parser) {
    static const char *const closing[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    for (size_t i = 0; i < sizeof closing / sizeof closing[0]; i++) {
        if (at_keyword(parser, closing[i])) {
            return true;
        }
    }
    return at_operator(parser, ")") || at_operator(parser, ";;");
}

// Take the word at the current place, which is not an operator.
static bool take_word(struct parser *parser, struct word *word) {
    skip_blanks(parser);
    const char *start = parser->at;
    const char *at = start;
    while (!ends_word(*at)) {
        const char *next = syntax_skip(at);
        if (next == nullptr) {
            parser->incomplete = true;
            (void)format(parser->message, sizeof parser->message, "line %u: the text ends inside %s", parser->line,
                         *at == '\'' || *at == '"' ? "quotes"
                         : *at == '\\'             ? "a word"
                                                   : "an expansion");
            return false;
        }
        for (; at < next; at++) {
            parser->line += *at == '\n';
        }
    }
    if (at == start) {
        (void)refuse(parser, "a word");
        return false;
    }
    *word = (struct word){.text = start, .length = (size_t)(at - start)};
    parser->at = at;
    return true;
}

// ---- redirections
// ----------------------------------------------------------------------------------------------------

static bool at_redirection(struct parser *parser) {
    skip_blanks(parser);
    const char *at = parser->at;
    if (*at >= '0' && *at <= '9' && (at[1] == '<' || at[1] == '>')) {
        return true;
    }
    return *at == '<' || *at == '>';
}

// Append the redirection at the current place.
static bool take_redirection(struct parser *parser, struct redirection ***end) {
    struct redirection *redirection = arena_take(parser->arena, sizeof *redirection);
    bool numbered = *parser->at >= '0' && *parser->at <= '9';
    unsigned stream = numbered ? (unsigned)(*parser->at++ - '0') : *parser->at == '>';
    if (stream > 2) {
        (void)format(parser->message, sizeof parser->message, "line %u: only the streams 0, 1 and 2 exist",
                     parser->line);
        return false;
    }
    redirection->stream = (uint8_t)stream;
    bool output = *parser->at == '>';
    redirection->kind = output ? REDIRECT_OUTPUT : REDIRECT_INPUT;
    parser->at++;
    if (output && *parser->at == '>') {
        redirection->kind = REDIRECT_APPEND;
        parser->at++;
    } else if (*parser->at == '&') {
        redirection->kind = REDIRECT_COPY;
        parser->at++;
    } else if (!output && *parser->at == '<') {
        (void)format(parser->message, sizeof parser->message, "line %u: this shell has no here-documents",
                     parser->line);
        return false;
    }
    if (!take_word(parser, &redirection->target)) {
        return false;
    }
    **end = redirection;
    *end = &redirection->next;
    return true;
}

// ---- commands
// --------------------------------------------------------------------------------------------------------

static struct syntax *parse_list(struct parser *parser);

static struct syntax *new_syntax(struct parser *parser, enum syntax_kind kind) {
    struct syntax *syntax = arena_take(parser->arena, sizeof *syntax);
    skip_blanks(parser);
    syntax->kind = kind;
    syntax->line = parser->line;
    syntax->text = parser->at;
    return syntax;
}

static void finish(const struct parser *parser, struct syntax *syntax) {
    size_t length = (size_t)(parser->at - syntax->text);
    while (length > 0 &&
           (syntax->text[length - 1] == ' ' || syntax->text[length - 1] == '\t' || syntax->text[length - 1] == '\n')) {
        length--;
    }
    syntax->length = length;
}

// A list that must not be empty, up to the keyword `end`, which is not taken.
static struct syntax *parse_body(struct parser *parser, const char *end) {
    struct syntax *list = parse_list(parser);
    if (failed(parser)) {
        return nullptr;
    }
    return list == nullptr ? refuse(parser, "a command") : at_keyword(parser, end) ? list : refuse(parser, end);
}

static void expect_keyword(struct parser *parser, const char *keyword) {
    skip_newlines(parser);
    if (!failed(parser) && !take_keyword(parser, keyword)) {
        (void)refuse(parser, keyword);
    }
}

// Behind `if` or `elif`.
static struct syntax *parse_if(struct parser *parser, struct syntax *syntax) {
    syntax->first = parse_body(parser, "then");
    expect_keyword(parser, "then");
    syntax->second = failed(parser) ? nullptr : parse_list(parser);
    if (failed(parser)) {
        return nullptr;
    }
    if (syntax->second == nullptr) {
        return refuse(parser, "a command");
    }
    if (at_keyword(parser, "elif")) {
        struct syntax *nested = new_syntax(parser, SYNTAX_IF);
        (void)take_keyword(parser, "elif");
        if (parse_if(parser, nested) == nullptr) {
            return nullptr;
        }
        syntax->third = nested;
        return syntax;
    }
    if (take_keyword(parser, "else")) {
        syntax->third = parse_body(parser, "fi");
    }
    expect_keyword(parser, "fi");
    return failed(parser) ? nullptr : syntax;
}

// `do list done`
static struct syntax *parse_do(struct parser *parser, struct syntax *syntax) {
    expect_keyword(parser, "do");
    syntax->second = failed(parser) ? nullptr : parse_body(parser, "done");
    expect_keyword(parser, "done");
    return failed(parser) ? nullptr : syntax;
}

static struct syntax *parse_while(struct parser *parser, struct syntax *syntax) {
    syntax->first = parse_body(parser, "do");
    return failed(parser) ? nullptr : parse_do(parser, syntax);
}

static bool name_valid(const struct word *word) {
    for (size_t i = 0; i < word->length; i++) {
        if (i == 0 ? !is_name_start(word->text[i]) : !is_name(word->text[i])) {
            return false;
        }
    }
    return word->length > 0;
}

// Take words up to the end of the line or an operator.
static bool take_words(struct parser *parser, struct word **end) {
    for (skip_blanks(parser); !ends_word(*parser->at); skip_blanks(parser)) {
        struct word *word = arena_take(parser->arena, sizeof *word);
        if (!take_word(parser, word)) {
            return false;
        }
        *end = word;
        end = &word->next;
    }
    return true;
}

static struct syntax *parse_for(struct parser *parser, struct syntax *syntax) {
    skip_blanks(parser);
    const char *start = parser->at;
    if (!take_word(parser, &syntax->name)) {
        return nullptr;
    }
    if (!name_valid(&syntax->name)) {
        parser->at = start;
        return refuse(parser, "a variable's name");
    }
    skip_newlines(parser);
    syntax->all_parameters = !take_keyword(parser, "in");
    if (!syntax->all_parameters && !take_words(parser, &syntax->words)) {
        return nullptr;
    }
    (void)take_operator(parser, ";");
    return parse_do(parser, syntax);
}

// One `pattern | pattern) list`, without the `;;`.
static struct case_branch *parse_branch(struct parser *parser) {
    struct case_branch *branch = arena_take(parser->arena, sizeof *branch);
    struct word **end = &branch->patterns;
    (void)take_operator(parser, "(");
    do {
        struct word *pattern = arena_take(parser->arena, sizeof *pattern);
        if (!take_word(parser, pattern)) {
            return nullptr;
        }
        *end = pattern;
        end = &pattern->next;
    } while (take_operator(parser, "|"));
    if (!take_operator(parser, ")")) {
        return refuse(parser, ")");
    }
    branch->body = parse_list(parser);
    return failed(parser) ? nullptr : branch;
}

static struct syntax *parse_case(struct parser *parser, struct syntax *syntax) {
    syntax->words = arena_take(parser->arena, sizeof *syntax->words);
    if (!take_word(parser, syntax->words)) {
        return nullptr;
    }
    skip_newlines(parser);
    expect_keyword(parser, "in");
    struct case_branch **end = &syntax->branches;
    for (skip_newlines(parser); !failed(parser) && !at_keyword(parser, "esac"); skip_newlines(parser)) {
        struct case_branch *branch = parse_branch(parser);
        if (branch == nullptr) {
            return nullptr;
        }
        *end = branch;
        end = &branch->next;
        if (!take_operator(parser, ";;") && !at_keyword(parser, "esac")) {
            return refuse(parser, ";; or esac");
        }
    }
    expect_keyword(parser, "esac");
    return failed(parser) ? nullptr : syntax;
}

static struct syntax *parse_group(struct parser *parser, struct syntax *syntax) {
    syntax->first = parse_body(parser, "}");
    expect_keyword(parser, "}");
    return failed(parser) ? nullptr : syntax;
}

static struct syntax *parse_subshell(struct parser *parser, struct syntax *syntax) {
    syntax->first = parse_list(parser);
    if (failed(parser)) {
        return nullptr;
    }
    if (syntax->first == nullptr) {
        return refuse(parser, "a command");
    }
    return take_operator(parser, ")") ? syntax : refuse(parser, ")");
}

static struct syntax *parse_simple(struct parser *parser, struct syntax *syntax) {
    struct word **assignments = &syntax->assignments;
    struct word **words = &syntax->words;
    struct redirection **redirections = &syntax->redirections;
    for (;;) {
        if (at_redirection(parser)) {
            if (!take_redirection(parser, &redirections)) {
                return nullptr;
            }
            continue;
        }
        if (ends_word(*parser->at)) {
            break;
        }
        struct word *word = arena_take(parser->arena, sizeof *word);
        if (!take_word(parser, word)) {
            return nullptr;
        }
        size_t length;
        bool assigns = syntax->words == nullptr && syntax_is_assignment(word->text, word->length, &length);
        struct word ***end = assigns ? &assignments : &words;
        **end = word; // NOLINT(clang-analyzer-core.NullDereference): both begin at a member and move to one
        *end = &word->next;
    }
    if (*parser->at == '(' && syntax->words != nullptr) {
        return refuse(parser, "a word (this shell has no functions)");
    }
    bool nothing = syntax->words == nullptr && syntax->assignments == nullptr && syntax->redirections == nullptr;
    return nothing ? refuse(parser, "a command") : syntax;
}

static const struct {
    const char *keyword;
    enum syntax_kind kind;
    struct syntax *(*parse)(struct parser *parser, struct syntax *syntax);
} compounds[] = {
    {"if", SYNTAX_IF, parse_if},    {"while", SYNTAX_WHILE, parse_while}, {"until", SYNTAX_UNTIL, parse_while},
    {"for", SYNTAX_FOR, parse_for}, {"case", SYNTAX_CASE, parse_case},    {"{", SYNTAX_GROUP, parse_group},
};

// Any command but a simple one; null without an error if a simple one is next.
static struct syntax *parse_compound(struct parser *parser) {
    if (at_operator(parser, "(")) {
        struct syntax *syntax = new_syntax(parser, SYNTAX_SUBSHELL);
        parser->at++;
        return parse_subshell(parser, syntax);
    }
    for (size_t i = 0; i < sizeof compounds / sizeof compounds[0]; i++) {
        if (at_keyword(parser, compounds[i].keyword)) {
            struct syntax *syntax = new_syntax(parser, compounds[i].kind);
            (void)take_keyword(parser, compounds[i].keyword);
            return compounds[i].parse(parser, syntax);
        }
    }
    return nullptr;
}

static struct syntax *parse_command(struct parser *parser) {
    if (at_closing(parser)) {
        return refuse(parser, "a command");
    }
    if (parser->depth == PARSER_DEPTH_MAX) {
        (void)format(parser->message, sizeof parser->message, "line %u: commands are nested too deeply", parser->line);
        return nullptr;
    }
    parser->depth++;
    struct syntax *syntax = parse_compound(parser);
    if (syntax != nullptr) {
        struct redirection **end = &syntax->redirections;
        while (at_redirection(parser) && take_redirection(parser, &end)) {
        }
    } else if (!failed(parser)) {
        syntax = parse_simple(parser, new_syntax(parser, SYNTAX_SIMPLE));
    }
    parser->depth--;
    if (failed(parser)) {
        return nullptr;
    }
    finish(parser, syntax);
    return syntax;
}

static struct syntax *parse_pipeline(struct parser *parser) {
    struct syntax *pipeline = new_syntax(parser, SYNTAX_PIPELINE);
    while (take_keyword(parser, "!")) {
        pipeline->inverted = !pipeline->inverted;
    }
    struct syntax **end = &pipeline->first;
    do {
        if (pipeline->first != nullptr) {
            skip_newlines(parser);
        }
        struct syntax *command = parse_command(parser);
        if (command == nullptr) {
            return nullptr;
        }
        *end = command;
        end = &command->next;
    } while (take_operator(parser, "|"));
    finish(parser, pipeline);
    return pipeline;
}

static struct syntax *parse_chain(struct parser *parser) {
    struct syntax *left = parse_pipeline(parser);
    while (left != nullptr) {
        bool and = take_operator(parser, "&&");
        if (!and&&!take_operator(parser, "||")) {
            break;
        }
        skip_newlines(parser);
        struct syntax *chain = arena_take(parser->arena, sizeof *chain);
        chain->kind = and ? SYNTAX_AND : SYNTAX_OR;
        chain->line = left->line;
        chain->text = left->text;
        chain->first = left;
        chain->second = parse_pipeline(parser);
        if (chain->second == nullptr) {
            return nullptr;
        }
        finish(parser, chain);
        left = chain;
    }
    return left;
}

// Chains up to what ends a list; with `one_line`, up to the end of the line. Null without an error if there is none.
static struct syntax *parse_chains(struct parser *parser, bool one_line) {
    struct syntax *list = new_syntax(parser, SYNTAX_LIST);
    struct syntax **end = &list->first;
    for (;;) {
        if (!one_line) {
            skip_newlines(parser);
        }
        skip_blanks(parser);
        if (*parser->at == 0 || *parser->at == '\n' || at_closing(parser)) {
            break;
        }
        struct syntax *chain = parse_chain(parser);
        if (chain == nullptr) {
            return nullptr;
        }
        *end = chain;
        end = &chain->next;
        chain->background = take_operator(parser, "&");
        if (!chain->background && !take_operator(parser, ";") && (one_line || *parser->at != '\n')) {
            break;
        }
    }
    finish(parser, list);
    return list->first != nullptr ? list : nullptr;
}

static struct syntax *parse_list(struct parser *parser) {
    return parse_chains(parser, false);
}

enum parse_result parser_next(struct parser *parser, struct syntax **tree) {
    *tree = nullptr;
    skip_blanks(parser);
    if (failed(parser) || *parser->at == 0) {
        return failed(parser) ? PARSE_ERROR : PARSE_END;
    }
    *tree = parse_chains(parser, true);
    skip_blanks(parser);
    if (!failed(parser) && *parser->at != 0 && *parser->at != '\n') {
        (void)refuse(parser, *tree == nullptr ? "a command" : "the end of the command");
    }
    if (failed(parser)) {
        *tree = nullptr;
        return parser->incomplete ? PARSE_INCOMPLETE : PARSE_ERROR;
    }
    if (*parser->at == '\n') {
        parser->at++;
        parser->line++;
    }
    return PARSE_LINE;
}
