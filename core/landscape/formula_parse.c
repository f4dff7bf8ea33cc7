/*
 * From text to program: recursive descent, which emits each operation behind its operands.
 *
 * What depends on no variable is computed here, once. An operation that is there already, with the same operands, is not
 * emitted again: exp(-x^2-y^2) may stand five times in a formula.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mathx.h"
#include "core/data/decimal.h"
#include "core/landscape/formula_program.h"

#define LARGEST_WHOLE_POWER 0x1p30

struct parser {
    const char *text;
    size_t length, at; /* `at`: behind the blanks after the last token */
    int depth;
    size_t count;
    struct formula_node nodes[FORMULA_MAX_NODES];
    struct error *error;
};

static enum status parse_sum(struct parser *parser, int16_t *result);
static enum status parse_unary(struct parser *parser, int16_t *result);

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->length && is_blank(parser->text[parser->at])) {
        parser->at++;
    }
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A digit or letter at `at`; 0 at the end. */
static char peek(const struct parser *parser, size_t ahead)
{
    return ahead < parser->length - parser->at ? parser->text[parser->at + ahead] : '\0';
}

static size_t name_size(const struct parser *parser)
{
    size_t size = 0;

    while (is_letter(peek(parser, size)) || (size > 0 && is_digit(peek(parser, size)))) {
        size++;
    }
    return size;
}

/* What stands at `at`, in words for a message. */
static const char *found(const struct parser *parser, char words[48])
{
    char c = peek(parser, 0);
    size_t size = name_size(parser);

    if (parser->at == parser->length) {
        return "the end";
    }
    if (size > 0) {
        snprintf(words, 48, "\"%.*s\"", (int)(size < 32 ? size : 32), parser->text + parser->at);
    } else if (c >= ' ' && c <= '~') {
        snprintf(words, 48, "\"%c\"", c);
    } else {
        snprintf(words, 48, "the byte 0x%02X", (unsigned)(unsigned char)c);
    }
    return words;
}

static enum status refuse(struct parser *parser, const char *expected)
{
    char words[48];

    return error_set_offset(parser->error, STATUS_FORMULA_INVALID, (int64_t)parser->at,
                            "at byte %zu there is %s, expected is %s", parser->at, found(parser, words), expected);
}

static enum status refuse_depth(struct parser *parser)
{
    return error_set_offset(parser->error, STATUS_FORMULA_INVALID, (int64_t)parser->at,
                            "at byte %zu more than %d things are nested in each other", parser->at, FORMULA_MAX_DEPTH);
}

static int same_node(const struct formula_node *a, const struct formula_node *b)
{
    return a->operation == b->operation && a->a == b->a && a->b == b->b && a->n == b->n &&
           mathx_bits_f64(a->number) == mathx_bits_f64(b->number);
}

static int is_number(const struct parser *parser, int16_t at)
{
    return at < 0 || parser->nodes[at].operation == FORMULA_NUMBER;
}

static double number_at(const struct parser *parser, int16_t at)
{
    return at < 0 ? 0 : parser->nodes[at].number;
}

/* The place of a node's result: of an equal one, or of a new one at the end. */
static enum status emit(struct parser *parser, struct formula_node node, int16_t *result)
{
    int variable = node.operation == FORMULA_X || node.operation == FORMULA_Y;

    if (!variable && node.operation != FORMULA_NUMBER && is_number(parser, node.a) && is_number(parser, node.b)) {
        double operands[2] = {number_at(parser, node.a), number_at(parser, node.b)};
        struct formula_node alone = node;

        alone.a = (int16_t)(node.a < 0 ? -1 : 0);
        alone.b = (int16_t)(node.b < 0 ? -1 : 1);
        node = (struct formula_node){
            .operation = FORMULA_NUMBER, .a = -1, .b = -1, .number = formula_node_value(&alone, operands, 0, 0)};
    }
    for (size_t i = 0; i < parser->count; i++) {
        if (same_node(&parser->nodes[i], &node)) {
            *result = (int16_t)i;
            return STATUS_OK;
        }
    }
    if (parser->count == FORMULA_MAX_NODES) {
        return error_set_offset(parser->error, STATUS_FORMULA_INVALID, (int64_t)parser->at,
                                "up to byte %zu there are more than %d different operations and numbers", parser->at,
                                FORMULA_MAX_NODES);
    }
    *result = (int16_t)parser->count;
    parser->nodes[parser->count++] = node;
    return STATUS_OK;
}

static enum status emit_operation(struct parser *parser, enum formula_operation operation, int16_t a, int16_t b,
                                  int16_t *result)
{
    return emit(parser, (struct formula_node){.operation = operation, .a = a, .b = b}, result);
}

static enum status emit_number(struct parser *parser, double number, int16_t *result)
{
    return emit(parser, (struct formula_node){.operation = FORMULA_NUMBER, .a = -1, .b = -1, .number = number}, result);
}

/* base ^ exponent: see formula.h for the three kinds. */
static enum status emit_power(struct parser *parser, int16_t base, int16_t exponent, int16_t *result)
{
    struct formula_node node = {.operation = FORMULA_POWER_REAL, .a = base, .b = -1};
    int16_t log, product;
    enum status status;

    if (is_number(parser, exponent)) {
        node.number = number_at(parser, exponent);
        if (fabs(node.number) <= LARGEST_WHOLE_POWER && node.number == floor(node.number)) {
            node.operation = FORMULA_POWER_WHOLE;
            node.n = (int32_t)node.number;
            node.number = 0;
        }
        return emit(parser, node, result);
    }
    status = emit_operation(parser, FORMULA_LOG, base, -1, &log);
    if (status == STATUS_OK) {
        status = emit_operation(parser, FORMULA_MULTIPLY, exponent, log, &product);
    }
    return status == STATUS_OK ? emit_operation(parser, FORMULA_EXP, product, -1, result) : status;
}

/* digits [. digits] [e [+-] digits], as much of it as stands here. */
static size_t number_size(const struct parser *parser)
{
    size_t size = 0, exponent;

    while (is_digit(peek(parser, size))) {
        size++;
    }
    if (peek(parser, size) == '.') {
        size++;
        while (is_digit(peek(parser, size))) {
            size++;
        }
    }
    if (peek(parser, size) == 'e' || peek(parser, size) == 'E') {
        exponent = size + 1;
        exponent += peek(parser, exponent) == '-' || peek(parser, exponent) == '+';
        if (is_digit(peek(parser, exponent))) {
            for (size = exponent; is_digit(peek(parser, size));) {
                size++;
            }
        }
    }
    return size;
}

static enum status parse_number(struct parser *parser, int16_t *result)
{
    char text[FORMULA_MAX_NUMBER + 1];
    size_t size = number_size(parser);
    double number;

    if (size > FORMULA_MAX_NUMBER) {
        return error_set_offset(parser->error, STATUS_FORMULA_INVALID, (int64_t)parser->at,
                                "the number at byte %zu has %zu characters, at most %d are allowed", parser->at, size,
                                FORMULA_MAX_NUMBER);
    }
    memcpy(text, parser->text + parser->at, size);
    text[size] = '\0';
    switch (decimal_f64(text, size, &number)) {
    case DECIMAL_FINITE:
        parser->at += size;
        skip_blanks(parser);
        return emit_number(parser, number, result);
    case DECIMAL_NON_FINITE:
        return error_set_offset(parser->error, STATUS_FORMULA_INVALID, (int64_t)parser->at,
                                "the number at byte %zu, %s, is too large to be represented", parser->at, text);
    default:
        return refuse(parser, "a number"); /* a point alone */
    }
}

static enum status parse_parenthesis(struct parser *parser, int16_t *result)
{
    enum status status;

    parser->at++;
    skip_blanks(parser);
    status = parse_sum(parser, result);
    if (status != STATUS_OK) {
        return status;
    }
    if (peek(parser, 0) != ')') {
        return refuse(parser, "an operator or \")\"");
    }
    parser->at++;
    skip_blanks(parser);
    return STATUS_OK;
}

/* The operation of a variable or a function's name; FORMULA_NUMBER, with its value, of a constant's; -1: unknown. */
static int look_up(const char *name, size_t size, double *value)
{
#define IS(text) (size == sizeof(text) - 1 && memcmp(name, (text), size) == 0)
#define FORMULA_VARIABLE(NAME, text)                                                                                        \
    if (IS(#text)) {                                                                                                        \
        return FORMULA_##NAME;                                                                                              \
    }
#define FORMULA_CONSTANT(text, number)                                                                                      \
    if (IS(#text)) {                                                                                                        \
        *value = (number);                                                                                                  \
        return FORMULA_NUMBER;                                                                                              \
    }
#define FORMULA_FUNCTION(NAME, text) FORMULA_VARIABLE(NAME, text)
#include "core/landscape/formula_names.def"
#undef FORMULA_VARIABLE
#undef FORMULA_CONSTANT
#undef FORMULA_FUNCTION
#undef IS
    return -1;
}

static enum status refuse_name(struct parser *parser, size_t size)
{
    char known[128] = "";
    size_t used = 0;

    for (size_t i = 0; formula_name(i) != NULL; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", formula_name(i));
    }
    return error_set_offset(parser->error, STATUS_FORMULA_INVALID, (int64_t)parser->at,
                            "at byte %zu \"%.*s\" is not a known name: %s", parser->at, (int)(size < 32 ? size : 32),
                            parser->text + parser->at, known);
}

static enum status parse_name(struct parser *parser, int16_t *result)
{
    size_t size = name_size(parser);
    double value = 0;
    int operation = look_up(parser->text + parser->at, size, &value);
    enum status status;

    if (operation < 0) {
        return refuse_name(parser, size);
    }
    parser->at += size;
    skip_blanks(parser);
    if (operation == FORMULA_NUMBER) {
        return emit_number(parser, value, result);
    }
    if (operation == FORMULA_X || operation == FORMULA_Y) {
        return emit_operation(parser, (enum formula_operation)operation, -1, -1, result);
    }
    if (peek(parser, 0) != '(') {
        return refuse(parser, "\"(\" after a function's name");
    }
    status = parse_parenthesis(parser, result);
    return status == STATUS_OK ? emit_operation(parser, (enum formula_operation)operation, *result, -1, result) : status;
}

static enum status parse_operand(struct parser *parser, int16_t *result)
{
    char c = peek(parser, 0);

    if (is_digit(c) || c == '.') {
        return parse_number(parser, result);
    }
    if (is_letter(c)) {
        return parse_name(parser, result);
    }
    if (c == '(') {
        return parse_parenthesis(parser, result);
    }
    return refuse(parser, "a number, a name, \"-\" or \"(\"");
}

/* The size of a power's sign at `at`: 0 where there is none. */
static size_t power_sign(const struct parser *parser)
{
    return peek(parser, 0) == '^' ? 1 : peek(parser, 0) == '*' && peek(parser, 1) == '*' ? 2 : 0;
}

static enum status parse_power(struct parser *parser, int16_t *result)
{
    enum status status = parse_operand(parser, result);
    int16_t exponent;

    if (status != STATUS_OK || power_sign(parser) == 0) {
        return status;
    }
    parser->at += power_sign(parser);
    skip_blanks(parser);
    status = parse_unary(parser, &exponent);
    return status == STATUS_OK ? emit_power(parser, *result, exponent, result) : status;
}

/* Every way down goes through here: the depth is counted here alone. */
static enum status parse_unary(struct parser *parser, int16_t *result)
{
    enum status status;

    if (parser->depth == FORMULA_MAX_DEPTH) {
        return refuse_depth(parser);
    }
    parser->depth++;
    if (peek(parser, 0) == '-') {
        parser->at++;
        skip_blanks(parser);
        status = parse_unary(parser, result);
        if (status == STATUS_OK) {
            status = emit_operation(parser, FORMULA_NEGATE, *result, -1, result);
        }
    } else {
        status = parse_power(parser, result);
    }
    parser->depth--;
    return status;
}

static enum status parse_product(struct parser *parser, int16_t *result)
{
    enum status status = parse_unary(parser, result);

    while (status == STATUS_OK && (peek(parser, 0) == '*' || peek(parser, 0) == '/')) {
        enum formula_operation operation = peek(parser, 0) == '*' ? FORMULA_MULTIPLY : FORMULA_DIVIDE;
        int16_t right;

        parser->at++;
        skip_blanks(parser);
        status = parse_unary(parser, &right);
        if (status == STATUS_OK) {
            status = emit_operation(parser, operation, *result, right, result);
        }
    }
    return status;
}

static enum status parse_sum(struct parser *parser, int16_t *result)
{
    enum status status = parse_product(parser, result);

    while (status == STATUS_OK && (peek(parser, 0) == '+' || peek(parser, 0) == '-')) {
        enum formula_operation operation = peek(parser, 0) == '+' ? FORMULA_ADD : FORMULA_SUBTRACT;
        int16_t right;

        parser->at++;
        skip_blanks(parser);
        status = parse_product(parser, &right);
        if (status == STATUS_OK) {
            status = emit_operation(parser, operation, *result, right, result);
        }
    }
    return status;
}

/* Copies the nodes that `result` needs, in their order; the others were the operands of constants. */
static enum status finish(const struct parser *parser, int16_t result, struct formula **out)
{
    int16_t place[FORMULA_MAX_NODES] = {0}; /* 0: not needed; else needed, then the new place */
    struct formula *formula;
    size_t count = 0;

    place[result] = 1;
    for (size_t i = (size_t)result + 1; i-- > 0;) {
        const struct formula_node *node = &parser->nodes[i];

        if (place[i] != 0) {
            count++;
            if (node->a >= 0) {
                place[node->a] = 1;
            }
            if (node->b >= 0) {
                place[node->b] = 1;
            }
        }
    }
    formula = malloc(sizeof *formula + count * sizeof *formula->nodes);
    if (formula == NULL) {
        return error_set(parser->error, STATUS_OUT_OF_MEMORY, "no memory for a formula");
    }
    formula->count = 0;
    for (size_t i = 0; i <= (size_t)result; i++) {
        if (place[i] != 0) {
            struct formula_node node = parser->nodes[i];

            node.a = node.a >= 0 ? place[node.a] : node.a;
            node.b = node.b >= 0 ? place[node.b] : node.b;
            place[i] = (int16_t)formula->count;
            formula->nodes[formula->count++] = node;
        }
    }
    *out = formula;
    return STATUS_OK;
}

enum status formula_compile(struct formula **formula, const char *text, size_t length, struct error *error)
{
    struct parser parser = {.text = text, .length = length, .error = error};
    enum status status;
    int16_t result;

    *formula = NULL;
    if (length > FORMULA_MAX_LENGTH) {
        return error_set_offset(error, STATUS_FORMULA_INVALID, FORMULA_MAX_LENGTH,
                                "the formula has %zu bytes, at most %d are allowed", length, FORMULA_MAX_LENGTH);
    }
    skip_blanks(&parser);
    status = parse_sum(&parser, &result);
    if (status == STATUS_OK && parser.at < length) {
        status = refuse(&parser, "an operator or the end");
    }
    return status == STATUS_OK ? finish(&parser, result, formula) : status;
}
