#include "server/http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1 << 20)

static enum status read_open_file(int fd, const char *path, int secret, char **text, struct error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_BYTES_MAX)
        return error_set(error, STATUS_CONFIG_INVALID, "%.150s is not a regular file of at most 1 MiB", path);
    if (secret && info.st_mode & S_IRWXO)
        return error_set(error, STATUS_CONFIG_INVALID, "the key %.150s is open to everybody: chmod o-rwx it", path);
    size_t size = (size_t)info.st_size, done = 0;
    char *bytes = malloc(size + 1);
    if (bytes == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %.150s", path);
    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(bytes);
            return error_set(error, STATUS_CONFIG_INVALID, "%.150s cannot be read", path);
        }
        done += (size_t)got;
    }
    bytes[done] = '\0';
    *text = bytes;
    return STATUS_OK;
}

static enum status read_file(const char *path, int secret, char **text, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, STATUS_CONFIG_INVALID, "%.150s: %s", path,
                         errno == ENOENT ? "there is no such file" : "it cannot be opened");
    enum status status = read_open_file(fd, path, secret, text, error);
    close(fd);
    return status;
}

static gnutls_datum_t datum(char *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

static enum status check_expiry(const char *path, const gnutls_datum_t *pem, struct error *error)
{
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) != 0)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the certificate");
    enum status status = STATUS_OK;
    int code = gnutls_x509_crt_import(certificate, pem, GNUTLS_X509_FMT_PEM);
    if (code != 0)
        status = error_set(error, STATUS_CONFIG_INVALID, "the certificate %.100s: %s", path, gnutls_strerror(code));
    else if (gnutls_x509_crt_get_expiration_time(certificate) < time(NULL))
        status = error_set(error, STATUS_CONFIG_INVALID, "the certificate %.150s has expired", path);
    gnutls_x509_crt_deinit(certificate);
    return status;
}

static enum status check_pair(const char *cert_path, const char *key_path, struct tls *tls, struct error *error)
{
    gnutls_datum_t cert = datum(tls->cert), key = datum(tls->key);
    enum status status = check_expiry(cert_path, &cert, error);
    if (status != STATUS_OK)
        return status;
    gnutls_certificate_credentials_t pair;
    if (gnutls_certificate_allocate_credentials(&pair) != 0)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the certificate");
    int code = gnutls_certificate_set_x509_key_mem(pair, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (code < 0)
        status = error_set(error, STATUS_CONFIG_INVALID, "the certificate %.60s with the key %.60s: %s", cert_path, key_path,
                           gnutls_strerror(code));
    gnutls_certificate_free_credentials(pair);
    return status;
}

enum status tls_load(const char *cert_path, const char *key_path, struct tls *tls, struct error *error)
{
    *tls = (struct tls){NULL, NULL};
    if (cert_path == NULL)
        return STATUS_OK;
    enum status status = read_file(cert_path, 0, &tls->cert, error);
    if (status == STATUS_OK)
        status = read_file(key_path, 1, &tls->key, error);
    if (status == STATUS_OK)
        status = check_pair(cert_path, key_path, tls, error);
    if (status != STATUS_OK)
        tls_release(tls);
    return status;
}

void tls_release(struct tls *tls)
{
    if (tls->key != NULL)
        explicit_bzero(tls->key, strlen(tls->key));
    free(tls->cert);
    free(tls->key);
    *tls = (struct tls){NULL, NULL};
}
