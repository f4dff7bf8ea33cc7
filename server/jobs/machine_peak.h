/* What one thread can do on this machine, measured when it is first asked for. */
#ifndef DESCENT_SERVER_JOBS_MACHINE_PEAK_H
#define DESCENT_SERVER_JOBS_MACHINE_PEAK_H

#include "core/base/precision.h"

/*
 * Floating point operations a second of products of this precision, which the kernel tier has to have; the same for the life
 * of the process; 0: not known. Any thread but one that polls sockets: the first call of each precision takes some 20 ms
 * (core/base/matrix_peak.h), and others wait for it.
 */
double machine_peak(enum precision precision);

#endif
