#include "server/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct sockaddr_in *as_v4(const struct address *address)
{
    return (const struct sockaddr_in *)(const void *)&address->storage;
}

static const struct sockaddr_in6 *as_v6(const struct address *address)
{
    return (const struct sockaddr_in6 *)(const void *)&address->storage;
}

/* 1 to 5 digits, at most 65535; -1 otherwise. */
static int parse_port(const char *text)
{
    int port = 0;
    size_t size = strlen(text);
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size)
        return -1;
    for (size_t i = 0; i < size; i++)
        port = port * 10 + (text[i] - '0');
    return port <= 65535 ? port : -1;
}

enum status address_parse(const char *text, struct address *address, struct error *error)
{
    char host[ADDRESS_TEXT];
    const char *colon = strrchr(text, ':');
    int port = colon != NULL ? parse_port(colon + 1) : -1;
    if (port < 0)
        return error_set(error, STATUS_CONFIG_INVALID, "\"%.60s\" is no address to listen on: ADDRESS:PORT is wanted", text);
    int bracketed = text[0] == '[' && colon[-1] == ']';
    size_t size = (size_t)(colon - text) - (bracketed ? 2 : 0);
    if (size >= sizeof(host))
        size = 0;
    memcpy(host, text + bracketed, size);
    host[size] = '\0';
    memset(address, 0, sizeof(*address));
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&address->storage;
    if (!bracketed && inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        address->size = sizeof(*v4);
        return STATUS_OK;
    }
    if (bracketed && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        address->size = sizeof(*v6);
        return STATUS_OK;
    }
    return error_set(error, STATUS_CONFIG_INVALID,
                     "\"%.60s\" is no address to listen on: a numeric one is wanted, like 127.0.0.1:8080 or [::1]:8080",
                     text);
}

int address_is_loopback(const struct address *address)
{
    if (address->storage.ss_family == AF_INET)
        return ntohl(as_v4(address)->sin_addr.s_addr) >> 24 == 127;
    return address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&as_v6(address)->sin6_addr);
}

int address_is_any(const struct address *address)
{
    if (address->storage.ss_family == AF_INET)
        return as_v4(address)->sin_addr.s_addr == htonl(INADDR_ANY);
    return address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&as_v6(address)->sin6_addr);
}

void address_host(const struct address *address, char text[ADDRESS_TEXT])
{
    const void *bytes = address->storage.ss_family == AF_INET6 ? (const void *)&as_v6(address)->sin6_addr
                                                               : (const void *)&as_v4(address)->sin_addr;
    if (inet_ntop(address->storage.ss_family, bytes, text, ADDRESS_TEXT) == NULL)
        text[0] = '\0';
}

void address_format(const struct address *address, char text[ADDRESS_TEXT])
{
    char host[ADDRESS_TEXT];
    address_host(address, host);
    if (address->storage.ss_family == AF_INET6)
        snprintf(text, ADDRESS_TEXT, "[%.45s]:%u", host, ntohs(as_v6(address)->sin6_port));
    else
        snprintf(text, ADDRESS_TEXT, "%.45s:%u", host, ntohs(as_v4(address)->sin_port));
}
