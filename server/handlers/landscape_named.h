/* Which landscape a path names; what handlers of landscapes and of descents share. */
#ifndef DESCENT_SERVER_HANDLERS_LANDSCAPE_NAMED_H
#define DESCENT_SERVER_HANDLERS_LANDSCAPE_NAMED_H

struct landscape;
struct request;

/* The landscape that the path names; NULL: it is answered with 404 already. */
const struct landscape *landscape_of(struct request *request);

#endif
