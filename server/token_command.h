/* descentd token new: makes a token for a client of this server. */
#ifndef DESCENT_SERVER_TOKEN_COMMAND_H
#define DESCENT_SERVER_TOKEN_COMMAND_H

/* argv[0] is "token". Writes the token to standard output, once; returns the exit code. */
int token_command(int argc, char *const argv[]);

#endif
