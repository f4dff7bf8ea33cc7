#include "server/exit_code.h"

#include <sysexits.h>

int exit_code(enum status status)
{
    switch (status) {
    case STATUS_USAGE:
        return EX_USAGE;
    case STATUS_SCHEMA_TOO_NEW:
        return EX_SOFTWARE;
    case STATUS_SYSTEM_ERROR:
    case STATUS_OUT_OF_MEMORY:
        return EX_OSERR;
    case STATUS_DATA_DIR_INVALID:
        return EX_CANTCREAT;
    case STATUS_DATA_DIR_LOCKED:
        return EX_TEMPFAIL;
    case STATUS_CONFIG_INVALID:
        return EX_CONFIG;
    default:
        return EX_IOERR;
    }
}
