/*
 * A request's head through the first check: "METHOD target version", then header lines. Nobody gets by without the
 * token, whatever else the head says; whatever is refused has a problem that says so.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/problem.h"
#include "server/http/first_check.h"
#include "server/http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "abc" may read; its SHA-256 is that of FIPS 180-4's example. */
static struct tokens *make_tokens(void)
{
    static const char line[] = "fuzz:read:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    char path[] = "/tmp/descentd-fuzz-tokens-XXXXXX";
    struct tokens *tokens = NULL;
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, line, sizeof(line) - 1) != sizeof(line) - 1 || tokens_open(path, &tokens, NULL) != STATUS_OK)
        abort();
    close(fd);
    unlink(path);
    return tokens;
}

/* Cuts `text` up into a head. */
static void make_head(char *text, struct head *head)
{
    char *rest = text, *line = strsep(&rest, "\n");
    head->method = strsep(&line, " ");
    head->target = line != NULL ? strsep(&line, " ") : "/";
    head->version = line != NULL ? line : "HTTP/1.1";
    while (rest != NULL) {
        char *value = strsep(&rest, "\n"), *name = strsep(&value, ":");
        if (value != NULL)
            value += strspn(value, " ");
        if (head->header_count < HEAD_HEADERS_MAX)
            head->headers[head->header_count] = (struct head_header){name, value != NULL ? value : ""};
        head->header_count++;
    }
}

static void check_range(const struct head *head)
{
    uint64_t offset = 0, part = 0;
    const char *range = head_header(head, "Range");
    if (range != NULL && range_parse(range, 1000, &offset, &part))
        assert(part > 0 && part <= 1000 && offset <= 1000 - part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config = {.max_dataset_bytes = 1000000};
    static struct throttle throttle;
    static struct first_check check = {.config = &config, .throttle = &throttle};
    static struct query query;
    if (check.tokens == NULL) {
        check.tokens = make_tokens();
        throttle_init(&throttle);
    }
    struct sockaddr_in client = {.sin_family = AF_INET};
    struct head head = {.client = (struct sockaddr *)&client, .local = "10.0.0.1"};
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    make_head(text, &head);

    struct admission admission;
    struct problem problem;
    problem_init(&problem);
    enum status status = first_check(&check, &head, 1000, 1000, &admission, &query, &problem);
    assert((status == STATUS_OK) == (problem.status == STATUS_OK));
    if (status != STATUS_OK)
        assert(problem_http_status(&problem) >= 400 && problem_http_status(&problem) < 600);
    const struct route *route = admission.match.route;
    if (status == STATUS_OK && (route == NULL || route->scope != SCOPE_NONE)) {
        const char *authorization = head_header(&head, "Authorization");
        assert(strcmp(admission.token, "fuzz") == 0 && authorization != NULL && strstr(authorization, "abc") != NULL);
        assert(route == NULL || route->scope == SCOPE_READ);
    }
    check_range(&head);
    problem_release(&problem);
    free(text);
    return 0;
}
