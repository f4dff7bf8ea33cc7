#include "core/landscape/landscape_facts.h"

#include <pthread.h>
#include <string.h>

#define BUDGET 1000000 /* boxes; trefethen4 needs a tenth of it */

struct facts {
    pthread_mutex_t lock; /* guards all below until they are there; they do not change afterwards */
    struct formula *formula;
    struct critical_points points;
    int has_points;
};

static struct facts all[] = {
#define LANDSCAPE(name, title, text, x0, x1, y0, y1, convex, start_x, start_y, note) {.lock = PTHREAD_MUTEX_INITIALIZER},
#include "core/landscape/landscapes.def"
#undef LANDSCAPE
};

static struct facts *facts_of(const struct landscape *landscape)
{
    return &all[landscape - landscape_at(0)];
}

static enum status need_formula(const struct landscape *landscape, struct facts *facts, struct error *error)
{
    if (facts->formula != NULL) {
        return STATUS_OK;
    }
    return formula_compile(&facts->formula, landscape->formula, strlen(landscape->formula), error);
}

static enum status need_points(const struct landscape *landscape, struct facts *facts, struct error *error)
{
    enum status status = need_formula(landscape, facts, error);

    if (status != STATUS_OK || facts->has_points) {
        return status;
    }
    status = critical_points_find(&facts->points, facts->formula, landscape->box, BUDGET, error);
    if (status != STATUS_OK) {
        critical_points_release(&facts->points);
    }
    facts->has_points = status == STATUS_OK;
    return status;
}

enum status landscape_formula(const struct landscape *landscape, const struct formula **formula, struct error *error)
{
    struct facts *facts = facts_of(landscape);

    pthread_mutex_lock(&facts->lock);
    enum status status = need_formula(landscape, facts, error);
    *formula = facts->formula;
    pthread_mutex_unlock(&facts->lock);
    return status;
}

enum status landscape_critical_points(const struct landscape *landscape, const struct critical_points **points,
                                      struct error *error)
{
    struct facts *facts = facts_of(landscape);

    pthread_mutex_lock(&facts->lock);
    enum status status = need_points(landscape, facts, error);
    *points = &facts->points;
    pthread_mutex_unlock(&facts->lock);
    return status;
}
