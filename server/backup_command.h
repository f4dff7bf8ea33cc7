/* descentd backup: a copy of a data folder, of a server that runs, too. */
#ifndef DESCENT_SERVER_BACKUP_COMMAND_H
#define DESCENT_SERVER_BACKUP_COMMAND_H

/* argv[0] is "backup". Says on standard output what was copied; returns the exit code. */
int backup_command(int argc, char *const argv[]);

#endif
