/* Jobs that wait for a runner, by priority, then age (a job that was away and comes back has its old place). No lock of its
 * own: the scheduler's guards it. */
#ifndef DESCENT_SERVER_JOBS_QUEUE_H
#define DESCENT_SERVER_JOBS_QUEUE_H

#include "server/store/jobs.h"

struct ticket {
    struct ticket *next;
    struct job_ticket job;
};

struct queue {
    struct ticket *head, *tail;
    uint32_t count;
};

/* Must `a` leave the queue before `b`? Neither, of two of one priority and age: the first come goes first. */
int ticket_goes_before(const struct job_ticket *a, const struct job_ticket *b);
/* 0: no memory. */
int queue_insert(struct queue *queue, const struct job_ticket *job);
/* The ticket of the job with this id, in its place (its priority is not to be changed); NULL: it is not there. */
struct job_ticket *queue_find(struct queue *queue, const char *id);
/* Takes out the job with this id; 0: it is not there. */
int queue_remove(struct queue *queue, const char *id, struct job_ticket *job);
/* Takes out the head, which must be there. */
struct job_ticket queue_take(struct queue *queue);
void queue_release(struct queue *queue);

#endif
