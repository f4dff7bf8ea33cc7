/*
 * What is known of the death of the last process that had the data folder: evidence against the jobs that it ran.
 *
 * A fatal signal leaves a mark, DATA/crash: when, and which job's thread it was (fatal_signal.h writes it). The kernel's
 * killing for want of memory shows in a counter of the control group. A kill from outside, or of the power, leaves neither,
 * and is evidence against nobody.
 */
#ifndef DESCENT_SERVER_LAST_DEATH_H
#define DESCENT_SERVER_LAST_DEATH_H

#include "server/store/facts.h"
#include "server/store/jobs.h"

/* Facts by which evidence is counted once: of the last mark, and of the last count of kills. */
#define LAST_DEATH_FACTS 2

struct last_death {
    int fd;                /* of the mark, for the next one; -1: none */
    char accused[ID_TEXT]; /* the job whose thread it was, "": nobody */
    int oom_kill;
    struct fact facts[LAST_DEATH_FACTS]; /* to be stored with what is made of the evidence */
};

/*
 * Looks for evidence that was not counted before. data: the folder, which is ours by now. STATUS_STORAGE_ERROR,
 * STATUS_INSUFFICIENT_STORAGE, STATUS_DATA_DIR_INVALID.
 */
MUST_CHECK enum status last_death_find(struct last_death *death, struct store *store, const char *data, struct error *error);
/* Lets fatal signals of this process leave their mark from now on. After the evidence is stored. */
void last_death_watch(const struct last_death *death);

/* The count of kills in the text of a control group's memory.events; -1: it has none. */
int64_t last_death_oom_kills(const char *memory_events);

#endif
