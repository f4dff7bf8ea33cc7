#include "core/base/thread_tag.h"

#include <stddef.h>

_Thread_local const char *thread_tag = NULL;
