/* What a job leaves behind: the model with its file, the results, or the error, as the store takes them. */
#ifndef DESCENT_SERVER_JOBS_OUTCOME_H
#define DESCENT_SERVER_JOBS_OUTCOME_H

#include "api/profile.h"
#include "server/store/jobs.h"

/* What is known at the end beside the trainer. */
struct outcome_facts {
    const char *job;  /* id */
    const char *name; /* of the job; the model gets it */
    double train_seconds;
    uint32_t threads;
    const struct profile_counts *profile; /* NULL, or steps 0: nothing was counted */
    double l2;
    int calibrates; /* a temperature is fitted on the validation rows */
    enum train_kind kind;
    unsigned diagnostics;
};

/* Owns everything that `outcome` borrows. */
struct outcome {
    struct job_outcome outcome;
    struct model_view model;
    struct object object;
    char *results, *error;
};

/*
 * Model file and results of a trainer that has finished; of a range test results alone. Blocks for the disk and for the
 * passes over the splits. Release it in any case.
 */
MUST_CHECK enum status outcome_of_success(struct outcome *outcome, struct store *store, struct trainer *trainer,
                                          const struct outcome_facts *facts, struct error *error);
/* The last good state of a job that diverged. step 0: none was kept. */
struct outcome_checkpoint {
    uint64_t step;
    char sha256[SHA256_TEXT];
};
/* {"code","message",...}; trainer NULL, or the one that diverged, whose details are added, with the last checkpoint. */
void outcome_of_failure(struct outcome *outcome, const struct error *error, const struct trainer *trainer,
                        const struct outcome_checkpoint *last);
void outcome_release(struct outcome *outcome);

#endif
