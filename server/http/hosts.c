#include "server/http/hosts.h"

#include <string.h>
#include <strings.h>

static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};

struct name {
    const char *text;
    size_t size;
};

/* The host part of "host", "host:port", "[v6]", "[v6]:port"; size 0 when it is none of these. */
static struct name host_part(const char *value)
{
    const char *start = value, *end, *rest;
    if (value[0] == '[') {
        start++;
        end = strchr(start, ']');
        rest = end != NULL ? end + 1 : NULL;
    } else {
        end = rest = start + strcspn(start, ":");
    }
    if (rest == NULL)
        return (struct name){"", 0};
    if (*rest == ':')
        rest += 1 + strspn(rest + 1, "0123456789");
    return *rest == '\0' ? (struct name){start, (size_t)(end - start)} : (struct name){"", 0};
}

static int same(struct name name, const char *text, size_t size)
{
    return name.size == size && strncasecmp(name.text, text, size) == 0;
}

static int stands_in(struct name name, const char *list)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        if (same(name, list, size))
            return 1;
        list += size + (list[size] == ',');
    }
    return 0;
}

int hosts_allow(const struct setting_list *allowed, const char *local, const char *host)
{
    struct name name = host_part(host);
    if (name.size == 0)
        return 0;
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        if (same(name, loopback[i], strlen(loopback[i])))
            return 1;
    }
    for (size_t i = 0; i < allowed->count; i++) {
        if (stands_in(name, allowed->items[i]))
            return 1;
    }
    return same(name, local, strlen(local));
}
