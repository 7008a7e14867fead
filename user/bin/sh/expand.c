// Expansion. Characters are collected with a mark beside each that tells whether it was quoted; only unquoted ones
// split fields or mean something in a pattern.
#include "expand.h"

#include "arithmetic.h"
#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "lib/pattern.h"
#include "lib/text.h"
#include "parser.h"

struct expansion {
    struct shell *shell;
    const struct streams *streams;
    struct arena *arena;
    struct strings *fields; // null: everything goes into one text
    struct text bytes;
    struct text marks; // beside bytes: 'q' quoted, 'u' not
    bool begun;        // there is a field even if it is empty
    unsigned depth;
};

static bool expand_range(struct expansion *expansion, const char *at, const char *end, bool quoted);

static void emit(struct expansion *expansion, char byte, bool quoted) {
    if (!text_add_char(&expansion->bytes, byte) || !text_add_char(&expansion->marks, quoted ? 'q' : 'u')) {
        arena_exhausted();
    }
    expansion->begun = true;
}

// The collected text; with `pattern`, quoted special characters get a backslash.
static char *collect(struct expansion *expansion, bool pattern) {
    struct text text = {};
    for (size_t i = 0; i < expansion->bytes.length; i++) {
        char byte = expansion->bytes.bytes[i];
        bool special = byte == '*' || byte == '?' || byte == '[' || byte == '\\' || byte == ']';
        if ((pattern && special && expansion->marks.bytes[i] == 'q' && !text_add_char(&text, '\\')) ||
            !text_add_char(&text, byte)) {
            arena_exhausted();
        }
    }
    char *copy = arena_copy(expansion->arena, text_string(&text), text.length);
    text_free(&text);
    return copy;
}

static bool has_pattern(const struct expansion *expansion) {
    for (size_t i = 0; i < expansion->bytes.length; i++) {
        char byte = expansion->bytes.bytes[i];
        if (expansion->marks.bytes[i] == 'u' && (byte == '*' || byte == '?' || byte == '[')) {
            return true;
        }
    }
    return false;
}

static void end_field(struct expansion *expansion) {
    if (expansion->begun) {
        if (!has_pattern(expansion) ||
            glob_expand(collect(expansion, true), expansion->arena, expansion->fields) == 0) {
            strings_add(expansion->fields, expansion->arena, collect(expansion, false));
        }
    }
    expansion->begun = false;
    text_clear(&expansion->bytes);
    text_clear(&expansion->marks);
}

// The value of something behind a dollar: split at blanks unless it is quoted.
static void emit_value(struct expansion *expansion, const char *value, bool quoted) {
    for (; *value != 0; value++) {
        bool blank = *value == ' ' || *value == '\t' || *value == '\n';
        if (blank && !quoted && expansion->fields != nullptr) {
            end_field(expansion);
        } else {
            emit(expansion, *value, quoted);
        }
    }
}

// $@ and $*.
static void emit_parameters(struct expansion *expansion, bool quoted, bool separate) {
    const struct shell *shell = expansion->shell;
    for (unsigned i = 0; i < shell->parameter_count; i++) {
        if (i > 0 && quoted && separate && expansion->fields != nullptr) {
            end_field(expansion);
            expansion->begun = true;
        } else if (i > 0) {
            emit_value(expansion, " ", quoted);
        }
        expansion->begun |= quoted;
        emit_value(expansion, shell->parameters[i], quoted);
    }
}

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The length of the parameter's name at `at`: a variable, a number, or one special character. 0 for none.
static size_t name_length(const char *at, const char *end, bool braces) {
    size_t length = 0;
    if (at < end && is_digit(*at)) {
        do {
            length++;
        } while (braces && at + length < end && is_digit(at[length]));
        return length;
    }
    while (at + length < end && (is_name_start(at[length]) || (length > 0 && is_digit(at[length])))) {
        length++;
    }
    if (length == 0 && at < end && *at != 0) {
        for (const char *special = "?$!#@*-"; *special != 0; special++) {
            if (*at == *special) {
                return 1;
            }
        }
    }
    return length;
}

// The value of a parameter other than $@ and $*; null if it is not set. `number` is room for a number's digits.
static const char *parameter(const struct shell *shell, const char *name, size_t length, char number[24]) {
    if (is_digit(*name)) {
        uint64_t index = 0;
        if (!str_to_u64_bytes(name, length, &index) || index > shell->parameter_count) {
            return nullptr;
        }
        return index == 0 ? shell->name : shell->parameters[index - 1];
    }
    long value;
    switch (*name) {
    case '?':
        value = shell->status;
        break;
    case '$':
        value = shell->pid;
        break;
    case '!':
        value = shell->background;
        if (value == 0) {
            return nullptr;
        }
        break;
    case '#':
        value = shell->parameter_count;
        break;
    case '-':
        (void)format(number, 24, "%s%s%s", shell->interactive ? "i" : "", shell->exit_on_error ? "e" : "",
                     shell->trace ? "x" : "");
        return number;
    default:
        return variable_get(shell->variables, name, length);
    }
    (void)format(number, 24, "%ld", value);
    return number;
}

static bool bad_substitution(struct expansion *expansion, const char *at, const char *end) {
    shell_say(expansion->streams, "${%.*s}: this substitution is not understood", (int)(end - at), at);
    expansion->shell->status = SHELL_USAGE;
    return false;
}

// Remove from `value` the shortest (or longest) beginning or end that matches the pattern.
static char *trim(struct arena *arena, const char *value, char *pattern, bool front, bool longest) {
    size_t length = strlen(value);
    for (size_t i = 0; i <= length; i++) {
        size_t cut = longest ? length - i : i;
        const char *part = front ? arena_copy(arena, value, cut) : value + length - cut;
        if (pattern_match(pattern, part)) {
            return front ? arena_copy(arena, value + cut, length - cut) : arena_copy(arena, value, length - cut);
        }
    }
    return arena_copy(arena, value, length);
}

// ${#name}: the length of its value; `at` is behind the #.
static bool expand_length(struct expansion *expansion, const char *at, const char *end, bool quoted) {
    char number[24];
    char digits[24];
    size_t length = name_length(at, end, true);
    if (length == 0 || at + length != end) {
        return bad_substitution(expansion, at - 1, end);
    }
    const char *value = parameter(expansion->shell, at, length, number);
    (void)format(digits, sizeof digits, "%lu", value == nullptr ? 0 : (unsigned long)strlen(value));
    emit_value(expansion, digits, quoted);
    return true;
}

// ${name#pattern} and its like; `operation` points at the # or %.
static bool expand_trimmed(struct expansion *expansion, const char *value, const char *operation, const char *end,
                           bool quoted) {
    bool longest = operation + 1 < end && operation[1] == *operation;
    const char *text = operation + 1 + longest;
    struct word word = {.text = text, .length = (size_t)(end - text)};
    char *pattern = expand_pattern(expansion->shell, expansion->streams, &word, expansion->arena);
    if (pattern == nullptr) {
        return false;
    }
    emit_value(expansion, trim(expansion->arena, value != nullptr ? value : "", pattern, *operation == '#', longest),
               quoted);
    return true;
}

// ${name-word} ${name=word} ${name+word} ${name?word}, with a : before the sign an empty value counts as none. The name
// is `length` bytes at `at`, the sign or its : follows.
static bool expand_alternative(struct expansion *expansion, const char *at, size_t length, const char *value,
                               const char *end, bool quoted) {
    bool or_empty = at[length] == ':';
    const char *sign = at + length + or_empty;
    bool usable = value != nullptr && (!or_empty || *value != 0);
    if (sign >= end || (*sign != '-' && *sign != '=' && *sign != '+' && *sign != '?')) {
        return bad_substitution(expansion, at, end);
    }
    if (*sign == '+' ? !usable : usable) {
        emit_value(expansion, usable ? value : "", quoted);
        return true;
    }
    if (*sign == '-' || *sign == '+') {
        return expand_range(expansion, sign + 1, end, quoted);
    }
    struct word word = {.text = sign + 1, .length = (size_t)(end - (sign + 1))};
    char *text = expand_text(expansion->shell, expansion->streams, &word, expansion->arena);
    if (text == nullptr) {
        return false;
    }
    if (*sign == '?') {
        shell_say(expansion->streams, "%.*s: %s", (int)length, at, *text != 0 ? text : "is not set");
        expansion->shell->status = 1;
        return false;
    }
    if (!is_name_start(*at)) {
        return bad_substitution(expansion, at, end);
    }
    variable_set(&expansion->shell->variables, at, length, text, false);
    emit_value(expansion, text, quoted);
    return true;
}

// What stands between the braces of ${…}.
static bool expand_braces(struct expansion *expansion, const char *at, const char *end, bool quoted) {
    if (*at == '#' && at + 1 < end) {
        return expand_length(expansion, at + 1, end, quoted);
    }
    size_t length = name_length(at, end, true);
    if (length == 0) {
        return bad_substitution(expansion, at, end);
    }
    if (at + length == end && (*at == '@' || *at == '*')) {
        emit_parameters(expansion, quoted, *at == '@');
        return true;
    }
    char number[24];
    const char *value = parameter(expansion->shell, at, length, number);
    if (at + length == end) {
        expansion->begun |= quoted;
        emit_value(expansion, value != nullptr ? value : "", quoted);
        return true;
    }
    if (at[length] == '#' || at[length] == '%') {
        return expand_trimmed(expansion, value, at + length, end, quoted);
    }
    return expand_alternative(expansion, at, length, value, end, quoted);
}

static bool expand_arithmetic(struct expansion *expansion, const char *at, const char *end, bool quoted) {
    struct word word = {.text = at, .length = (size_t)(end - at)};
    char *text = expand_text(expansion->shell, expansion->streams, &word, expansion->arena);
    if (text == nullptr) {
        return false;
    }
    int64_t value;
    const char *wrong = arithmetic_evaluate(text, expansion->shell->variables, &value);
    if (wrong != nullptr) {
        shell_say(expansion->streams, "$((%s)): %s", text, wrong);
        expansion->shell->status = 1;
        return false;
    }
    char digits[24];
    (void)format(digits, sizeof digits, "%ld", (long)value);
    emit_value(expansion, digits, quoted);
    return true;
}

static bool expand_command(struct expansion *expansion, const char *text, size_t length, bool quoted) {
    char *output = shell_capture(expansion->shell, expansion->streams, text, length, expansion->arena);
    if (output == nullptr) {
        return false;
    }
    expansion->begun |= quoted;
    emit_value(expansion, output, quoted);
    return true;
}

// `commands`: a backslash before ` \ $ is taken away first.
static bool expand_backquotes(struct expansion *expansion, const char *at, const char *end, bool quoted) {
    char *text = arena_take(expansion->arena, (size_t)(end - at) + 1);
    size_t length = 0;
    for (; at < end; at++) {
        at += *at == '\\' && at + 1 < end && (at[1] == '`' || at[1] == '\\' || at[1] == '$');
        text[length++] = *at;
    }
    return expand_command(expansion, text, length, quoted);
}

// The construct from the dollar at `at` to `next`.
static bool expand_dollar(struct expansion *expansion, const char *at, const char *end, const char **next,
                          bool quoted) {
    if (at + 1 < end && (at[1] == '(' || at[1] == '{')) {
        *next = syntax_skip(at);
        if (*next == nullptr || *next > end) {
            return bad_substitution(expansion, at + 1, end);
        }
        if (at[1] == '{') {
            return expand_braces(expansion, at + 2, *next - 1, quoted);
        }
        if (at[2] == '(' && *next - 2 > at + 2 && (*next)[-2] == ')') {
            return expand_arithmetic(expansion, at + 3, *next - 2, quoted);
        }
        return expand_command(expansion, at + 2, (size_t)(*next - 1 - (at + 2)), quoted);
    }
    size_t length = name_length(at + 1, end, false);
    *next = at + 1 + length;
    if (length == 0) {
        emit(expansion, '$', quoted);
        return true;
    }
    if (at[1] == '@' || at[1] == '*') {
        emit_parameters(expansion, quoted, at[1] == '@');
        return true;
    }
    char number[24];
    const char *value = parameter(expansion->shell, at + 1, length, number);
    expansion->begun |= quoted;
    emit_value(expansion, value != nullptr ? value : "", quoted);
    return true;
}

static bool expand_double(struct expansion *expansion, const char *at, const char *end) {
    // "$@" without parameters is no field at all; any other pair of quotes is one.
    bool only_parameters = end - at == 2 && at[0] == '$' && at[1] == '@';
    expansion->begun |= !only_parameters;
    return expand_range(expansion, at, end, true);
}

// Everything from `at` to `end`; `quoted` inside double quotes.
static bool expand_range(struct expansion *expansion, const char *at, const char *end, bool quoted) {
    if (expansion->depth == PARSER_DEPTH_MAX) {
        return bad_substitution(expansion, at, end);
    }
    expansion->depth++;
    bool fine = true;
    while (fine && at < end) {
        const char *next = quoted && *at == '\'' ? at + 1 : syntax_skip(at);
        if (next == nullptr || next > end) {
            next = end;
        }
        if (*at == '$') {
            fine = expand_dollar(expansion, at, end, &next, quoted);
        } else if (*at == '`' && next > at + 1) {
            fine = expand_backquotes(expansion, at + 1, next - 1, quoted);
        } else if (*at == '"' && !quoted && next > at + 1) {
            fine = expand_double(expansion, at + 1, next - 1);
        } else if (*at == '\'' && !quoted && next > at + 1) {
            expansion->begun = true;
            for (at++; at < next - 1; at++) {
                emit(expansion, *at, true);
            }
        } else if (*at == '\\' && next == at + 2) {
            bool kept = quoted && at[1] != '$' && at[1] != '`' && at[1] != '"' && at[1] != '\\' && at[1] != '\n';
            if (kept) {
                emit(expansion, '\\', true);
            }
            if (at[1] != '\n') {
                emit(expansion, at[1], true);
            }
        } else {
            emit(expansion, *at, quoted);
            next = at + 1;
        }
        at = next;
    }
    expansion->depth--;
    return fine;
}

// A ~ alone or before a slash is $HOME.
static const char *expand_tilde(struct expansion *expansion, const struct word *word) {
    if (word->length == 0 || word->text[0] != '~' || (word->length > 1 && word->text[1] != '/')) {
        return word->text;
    }
    const char *home = variable_get(expansion->shell->variables, "HOME", 4);
    for (home = home != nullptr ? home : "/"; *home != 0; home++) {
        if (*home != '/' || home[1] != 0 || word->length == 1) { // "/" and "/x" do not make "//x"
            emit(expansion, *home, true);
        }
    }
    return word->text + 1;
}

static bool expand_word(struct expansion *expansion, const struct word *word) {
    const char *at = expand_tilde(expansion, word);
    return expand_range(expansion, at, word->text + word->length, false);
}

static void release(struct expansion *expansion) {
    text_free(&expansion->bytes);
    text_free(&expansion->marks);
}

bool expand_words(struct shell *shell, const struct streams *streams, const struct word *words, struct arena *arena,
                  struct strings *fields) {
    struct expansion expansion = {.shell = shell, .streams = streams, .arena = arena, .fields = fields};
    bool fine = true;
    for (; fine && words != nullptr; words = words->next) {
        fine = expand_word(&expansion, words);
        end_field(&expansion);
    }
    release(&expansion);
    return fine;
}

static char *expand_one(struct shell *shell, const struct streams *streams, const struct word *word,
                        struct arena *arena, bool pattern) {
    struct expansion expansion = {.shell = shell, .streams = streams, .arena = arena};
    char *text = expand_word(&expansion, word) ? collect(&expansion, pattern) : nullptr;
    release(&expansion);
    return text;
}

char *expand_text(struct shell *shell, const struct streams *streams, const struct word *word, struct arena *arena) {
    return expand_one(shell, streams, word, arena, false);
}

char *expand_pattern(struct shell *shell, const struct streams *streams, const struct word *word, struct arena *arena) {
    return expand_one(shell, streams, word, arena, true);
}
