/*
 * What a thread works for, as a short text that outlives the work: a team's threads carry the tag of the thread that made
 * it. Read where there is nothing else to ask: by the handler of a fatal signal.
 */
#ifndef DESCENT_CORE_BASE_THREAD_TAG_H
#define DESCENT_CORE_BASE_THREAD_TAG_H

extern _Thread_local const char *thread_tag; /* borrowed; NULL: nothing in particular */

#endif
