#include "server/jobs/queue.h"

#include <stdlib.h>
#include <string.h>

int ticket_goes_before(const struct job_ticket *a, const struct job_ticket *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->number < b->number;
}

int queue_insert(struct queue *queue, const struct job_ticket *job)
{
    struct ticket *ticket = calloc(1, sizeof *ticket), **link = &queue->head;

    if (ticket == NULL) {
        return 0;
    }
    ticket->job = *job;
    if (queue->tail != NULL && !ticket_goes_before(job, &queue->tail->job)) { /* nearly always */
        link = &queue->tail->next;
    }
    while (*link != NULL && !ticket_goes_before(job, &(*link)->job)) {
        link = &(*link)->next;
    }
    ticket->next = *link;
    *link = ticket;
    if (ticket->next == NULL) {
        queue->tail = ticket;
    }
    queue->count++;
    return 1;
}

struct job_ticket *queue_find(struct queue *queue, const char *id)
{
    for (struct ticket *ticket = queue->head; ticket != NULL; ticket = ticket->next) {
        if (strcmp(ticket->job.id, id) == 0) {
            return &ticket->job;
        }
    }
    return NULL;
}

int queue_remove(struct queue *queue, const char *id, struct job_ticket *job)
{
    struct ticket *before = NULL;

    for (struct ticket *ticket = queue->head; ticket != NULL; before = ticket, ticket = ticket->next) {
        if (strcmp(ticket->job.id, id) != 0) {
            continue;
        }
        if (before != NULL) {
            before->next = ticket->next;
        } else {
            queue->head = ticket->next;
        }
        if (queue->tail == ticket) {
            queue->tail = before;
        }
        *job = ticket->job;
        free(ticket);
        queue->count--;
        return 1;
    }
    return 0;
}

struct job_ticket queue_take(struct queue *queue)
{
    struct job_ticket job = {.priority = 0};

    (void)queue_remove(queue, queue->head->job.id, &job); /* it is the first that is looked at */
    return job;
}

void queue_release(struct queue *queue)
{
    while (queue->head != NULL) {
        (void)queue_take(queue);
    }
}
