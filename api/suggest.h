/* "Did you mean": of names that are known, the one nearest to a word that is not. */
#ifndef DESCENT_API_SUGGEST_H
#define DESCENT_API_SUGGEST_H

#define SUGGEST_MAX_WORD 40 /* letters; nothing is near a longer word */

/* Ask with SUGGEST(word), offer every name with suggest_offer, then read `best`. Names are borrowed. */
struct suggestion {
    const char *word;
    const char *best; /* NULL: no name is near */
    unsigned distance;
};
#define SUGGEST(text) ((struct suggestion){.word = (text)})

/*
 * Distance: letters to add, drop, replace or swap with a neighbour, whatever their case. Near is what differs in at most a
 * third of the word's letters, but one always; of names equally near the first one stays.
 */
void suggest_offer(struct suggestion *suggestion, const char *name);

#endif
