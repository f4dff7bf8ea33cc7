/* What this program is: set by the build (Makefile). */
#ifndef DESCENT_SERVER_VERSION_H
#define DESCENT_SERVER_VERSION_H

extern const char version_text[];   /* "1.2.3" */
extern const char version_commit[]; /* "0123456789ab" */

#endif
