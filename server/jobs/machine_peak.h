/* What one thread can do on this machine, measured when it is first asked for. */
#ifndef DESCENT_SERVER_JOBS_MACHINE_PEAK_H
#define DESCENT_SERVER_JOBS_MACHINE_PEAK_H

/*
 * Floating point operations a second, the same for the life of the process; 0: not known. Any thread but one that polls
 * sockets: the first call takes some 20 ms (core/base/matrix_peak.h), and others wait for it.
 */
double machine_peak(void);

#endif
