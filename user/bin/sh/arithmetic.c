// Arithmetic by precedence climbing.
#include "arithmetic.h"

#include "base/str.h"

enum { DEPTH_MAX = 64 };

struct evaluation {
    const char *at;
    const struct variable *variables;
    const char *wrong; // null: nothing so far
    unsigned depth;
};

static int64_t evaluate(struct evaluation *evaluation, unsigned level);

static void skip(struct evaluation *evaluation) {
    while (*evaluation->at == ' ' || *evaluation->at == '\t' || *evaluation->at == '\n') {
        evaluation->at++;
    }
}

static int64_t complain(struct evaluation *evaluation, const char *wrong) {
    if (evaluation->wrong == nullptr) {
        evaluation->wrong = wrong;
    }
    return 0;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int64_t number(struct evaluation *evaluation, const char *text, size_t length) {
    uint64_t value;
    return str_to_u64_bytes(text, length, &value) ? (int64_t)value : complain(evaluation, "not a number");
}

static int64_t variable(struct evaluation *evaluation, const char *name, size_t length) {
    const char *value = variable_get(evaluation->variables, name, length);
    if (value == nullptr || *value == 0) {
        return 0;
    }
    bool negative = *value == '-';
    int64_t magnitude = number(evaluation, value + negative, strlen(value + negative));
    return negative ? (int64_t)(0 - (uint64_t)magnitude) : magnitude;
}

static int64_t primary(struct evaluation *evaluation) {
    skip(evaluation);
    char c = *evaluation->at;
    if (c == '(') {
        evaluation->at++;
        int64_t value = evaluate(evaluation, 0);
        skip(evaluation);
        if (*evaluation->at != ')') {
            return complain(evaluation, "a ) is missing");
        }
        evaluation->at++;
        return value;
    }
    const char *start = evaluation->at;
    while (is_digit(*evaluation->at) || is_letter(*evaluation->at)) {
        evaluation->at++;
    }
    size_t length = (size_t)(evaluation->at - start);
    if (length == 0) {
        return complain(evaluation, "a number is missing");
    }
    return is_digit(c) ? number(evaluation, start, length) : variable(evaluation, start, length);
}

static int64_t unary(struct evaluation *evaluation) {
    skip(evaluation);
    char c = *evaluation->at;
    if ((c != '-' && c != '+' && c != '!' && c != '~') || evaluation->depth == DEPTH_MAX) {
        return primary(evaluation);
    }
    evaluation->at++;
    evaluation->depth++;
    int64_t value = unary(evaluation);
    evaluation->depth--;
    return c == '-' ? (int64_t)(0 - (uint64_t)value) : c == '!' ? !value : c == '~' ? ~value : value;
}

// The operators from the loosest to the tightest; longer ones before their beginnings.
static const struct {
    const char *text;
    unsigned level;
} operators[] = {
    {"||", 1}, {"&&", 2}, {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7}, {"==", 6}, {"!=", 6}, {"|", 3},
    {"^", 4},  {"&", 5},  {"<", 7},  {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

static int64_t divide(struct evaluation *evaluation, char operation, int64_t left, int64_t right) {
    if (right == 0) {
        return complain(evaluation, "a division by zero");
    }
    if (right == -1) { // the one quotient that does not fit wraps around
        return operation == '/' ? (int64_t)(0 - (uint64_t)left) : 0;
    }
    return operation == '/' ? left / right : left % right;
}

static int64_t apply(struct evaluation *evaluation, const char *operation, int64_t left, int64_t right) {
    uint64_t a = (uint64_t)left;
    uint64_t b = (uint64_t)right;
    bool doubled = operation[1] == operation[0];
    bool equals = operation[1] == '=';
    switch (operation[0]) {
    case '|':
        return doubled ? left || right : left | right;
    case '&':
        return doubled ? left && right : left & right;
    case '^':
        return left ^ right;
    case '=':
        return left == right;
    case '!':
        return left != right;
    case '<':
        return doubled ? (int64_t)(a << (b & 63)) : equals ? left <= right : left < right;
    case '>':
        return doubled ? left >> (b & 63) : equals ? left >= right : left > right;
    case '+':
        return (int64_t)(a + b);
    case '-':
        return (int64_t)(a - b);
    case '*':
        return (int64_t)(a * b);
    default:
        return divide(evaluation, operation[0], left, right);
    }
}

static size_t find_operator(struct evaluation *evaluation) {
    skip(evaluation);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (str_starts(evaluation->at, operators[i].text)) {
            return i;
        }
    }
    return SIZE_MAX;
}

// Everything that binds tighter than `level`.
static int64_t evaluate(struct evaluation *evaluation, unsigned level) {
    if (evaluation->depth == DEPTH_MAX) {
        return complain(evaluation, "nested too deeply");
    }
    evaluation->depth++;
    int64_t left = unary(evaluation);
    while (evaluation->wrong == nullptr) {
        size_t index = find_operator(evaluation);
        if (index != SIZE_MAX && operators[index].level > level) {
            evaluation->at += strlen(operators[index].text);
            int64_t right = evaluate(evaluation, operators[index].level);
            if (evaluation->wrong == nullptr) {
                left = apply(evaluation, operators[index].text, left, right);
            }
        } else if (level == 0 && *evaluation->at == '?') {
            evaluation->at++;
            int64_t yes = evaluate(evaluation, 0);
            skip(evaluation);
            if (*evaluation->at != ':') {
                (void)complain(evaluation, "a : is missing");
                break;
            }
            evaluation->at++;
            int64_t no = evaluate(evaluation, 0);
            left = left ? yes : no;
        } else {
            break;
        }
    }
    evaluation->depth--;
    return left;
}

const char *arithmetic_evaluate(const char *text, const struct variable *variables, int64_t *value) {
    struct evaluation evaluation = {.at = text, .variables = variables};
    *value = evaluate(&evaluation, 0);
    skip(&evaluation);
    if (evaluation.wrong == nullptr && *evaluation.at != 0) {
        (void)complain(&evaluation, "something is left over at its end");
    }
    return evaluation.wrong;
}
