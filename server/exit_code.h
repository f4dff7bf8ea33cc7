/* Exit statuses of the program, those of sysexits.h. */
#ifndef DESCENT_SERVER_EXIT_CODE_H
#define DESCENT_SERVER_EXIT_CODE_H

#include "core/base/status.h"

/* What a start, or a command, that failed with this status ends with. */
int exit_code(enum status status);

#endif
