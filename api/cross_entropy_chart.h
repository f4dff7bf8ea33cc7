/* The cross-entropy's curve, -ln v over v in (0, 1], with given pairs of distributions on it. */
#ifndef DESCENT_API_CROSS_ENTROPY_CHART_H
#define DESCENT_API_CROSS_ENTROPY_CHART_H

struct cross_entropy_request;
struct text;

/*
 * A standalone SVG. Each pair is one series of dots: where v has the probability that costs as much as the pair does, at
 * (exp(-H(u, v)), H(u, v)); for a one-hot u that is (v_t, -ln v_t) of its class. Of many pairs the first are drawn. An
 * infinite one has no dot, the legend says so.
 */
void cross_entropy_chart(const struct cross_entropy_request *request, struct text *out);

#endif
