/* descentd check: is a data folder whole? */
#ifndef DESCENT_SERVER_CHECK_COMMAND_H
#define DESCENT_SERVER_CHECK_COMMAND_H

/* argv[0] is "check". Writes a line a finding to standard output; returns the exit code, EX_DATAERR when something is wrong.
 */
int check_command(int argc, char *const argv[]);

#endif
