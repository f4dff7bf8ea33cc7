/* GET /v1/algorithms: everything that a job can choose from, out of the tables that check its request. */
#ifndef DESCENT_API_ALGORITHMS_H
#define DESCENT_API_ALGORITHMS_H

struct json_writer;

void algorithms_write(struct json_writer *writer);

#endif
