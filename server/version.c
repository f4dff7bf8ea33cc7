#include "server/version.h"

#ifndef DESCENTD_VERSION
#define DESCENTD_VERSION "unknown"
#endif
#ifndef DESCENTD_COMMIT
#define DESCENTD_COMMIT "unknown"
#endif

const char version_text[] = DESCENTD_VERSION;
const char version_commit[] = DESCENTD_COMMIT;
