/* cluster.c - a tree of correlations: its leaves in order, its clusters and their number, and bisection. */
#include "backtest/cluster.h"

#include <math.h>
#include <stdbool.h>

const char *const cluster_linkage_names[CLUSTER_LINKAGE_COUNT] = {
    [CLUSTER_SINGLE] = "single",
    [CLUSTER_COMPLETE] = "complete",
    [CLUSTER_AVERAGE] = "average",
    [CLUSTER_WARD] = "ward",
};

/* Slot i of n holds a cluster, or is empty (size 0). Its leaves are a linked list from first to last. */
struct forest {
    size_t n;
    double *distance; /* [n x n] between slots */
    size_t *size, *age, *first, *last, *next, *nearest;
    size_t *met; /* of a leaf: the union that put it beside the one before it */
};

static void sort_by_variance(const double *covariance, size_t n, size_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && covariance[ret[at - 1] * (n + 1)] > covariance[i * (n + 1)]; at--)
            ret[at] = ret[at - 1];
        ret[at] = i;
    }
}

static void plant(struct forest *f, const double *covariance, const size_t *sorted)
{
    for (size_t i = 0; i < f->n; i++) {
        f->size[i] = 1;
        f->age[i] = i;
        f->first[i] = f->last[i] = sorted[i];
        f->next[sorted[i]] = f->n;
        for (size_t j = 0; j <= i; j++) {
            size_t a = sorted[i], b = sorted[j];
            double scale = sqrt(covariance[a * (f->n + 1)] * covariance[b * (f->n + 1)]);
            double correlation = covariance[a * f->n + b] / scale;
            double distance = sqrt(fmax(1 - correlation, 0) / 2);
            f->distance[i * f->n + j] = distance;
            f->distance[j * f->n + i] = distance;
        }
    }
}

static void find_nearest(struct forest *f, size_t i)
{
    const double *row = f->distance + i * f->n;
    size_t best = f->n;
    double least = INFINITY;
    for (size_t j = 0; j < f->n; j++) {
        if (row[j] < least && f->size[j] != 0 && j != i) {
            least = row[j];
            best = j;
        }
    }
    f->nearest[i] = best;
}

/* Lance and Williams: the distance from k to the union of a and b. */
static double joined(const struct forest *f, enum cluster_linkage linkage, size_t a, size_t b,
                     size_t k)
{
    double to_a = f->distance[a * f->n + k], to_b = f->distance[b * f->n + k];
    double size_a = (double)f->size[a], size_b = (double)f->size[b], size_k = (double)f->size[k];
    double between = f->distance[a * f->n + b];
    switch (linkage) {
    case CLUSTER_COMPLETE:
        return fmax(to_a, to_b);
    case CLUSTER_AVERAGE:
        return (size_a * to_a + size_b * to_b) / (size_a + size_b);
    case CLUSTER_WARD:
        return sqrt(fmax((size_a + size_k) * to_a * to_a + (size_b + size_k) * to_b * to_b -
                             size_k * between * between,
                         0) /
                    (size_a + size_b + size_k));
    case CLUSTER_SINGLE:
    case CLUSTER_LINKAGE_COUNT:
        break;
    }
    return fmin(to_a, to_b);
}

/*
 * The union of two clusters, the leaves of the older one on the left; it takes the lower of their slots. Where it
 * is as near as the nearest was, it is the nearest; where one of the two was and the union is farther off, the
 * row is searched again.
 */
static void join(struct forest *f, enum cluster_linkage linkage, size_t left, size_t right,
                 size_t age)
{
    size_t slot = left < right ? left : right, gone = left < right ? right : left;
    for (size_t k = 0; k < f->n; k++) {
        if (f->size[k] == 0 || k == left || k == right)
            continue;
        double *row = f->distance + k * f->n, before = row[f->nearest[k]];
        double distance = joined(f, linkage, left, right, k);
        bool was_either = f->nearest[k] == left || f->nearest[k] == right;
        f->distance[slot * f->n + k] = distance;
        row[slot] = distance;
        if (distance < before || (was_either && distance <= before))
            f->nearest[k] = slot;
        else if (was_either)
            f->nearest[k] = f->n;
    }
    f->next[f->last[left]] = f->first[right];
    f->met[f->first[right]] = age - f->n;
    f->first[slot] = f->first[left];
    f->last[slot] = f->last[right];
    f->size[slot] += f->size[gone];
    f->size[gone] = 0;
    f->age[slot] = age;
    for (size_t k = 0; k < f->n; k++) {
        if (f->size[k] > 0 && (k == slot || f->nearest[k] == f->n))
            find_nearest(f, k);
    }
}

static size_t closest(const struct forest *f)
{
    size_t best = f->n;
    for (size_t i = 0; i < f->n; i++) {
        if (f->size[i] > 0 && (best == f->n || f->distance[i * f->n + f->nearest[i]] <
                                                   f->distance[best * f->n + f->nearest[best]]))
            best = i;
    }
    return best;
}

void cluster_grow(const double *covariance, size_t n, enum cluster_linkage linkage, double *square,
                  size_t *index, struct cluster_tree *ret_tree)
{
    struct forest f = {.n = n, .distance = square};
    struct cluster_tree tree = {n, index, index + n};
    f.size = index + 2 * n;
    f.age = index + 3 * n;
    f.first = index + 4 * n;
    f.last = index + 5 * n;
    f.next = index + 6 * n;
    f.nearest = index + 7 * n;
    f.met = index + 8 * n;

    sort_by_variance(covariance, n, tree.order);
    plant(&f, covariance, tree.order);
    for (size_t i = 0; i < n; i++)
        find_nearest(&f, i);
    for (size_t made = 0; made + 1 < n; made++) {
        size_t a = closest(&f), b = f.nearest[a];
        if (f.age[a] < f.age[b])
            join(&f, linkage, a, b, n + made);
        else
            join(&f, linkage, b, a, n + made);
    }
    size_t root = 0, at = 0;
    while (f.size[root] == 0)
        root++;
    f.met[f.first[root]] = 0;
    for (size_t leaf = f.first[root]; leaf < n; leaf = f.next[leaf]) {
        tree.met[at] = f.met[leaf];
        tree.order[at++] = leaf;
    }
    *ret_tree = tree;
}

/* In four lanes, whose order is fixed. */
static double sum_of(const double *x, size_t from, size_t to)
{
    double lane[4] = {0};
    size_t i = from;
    for (; i + 4 <= to; i += 4)
        for (size_t k = 0; k < 4; k++)
            lane[k] += x[i + k];
    for (size_t k = 0; i < to; i++, k++)
        lane[k] += x[i];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/*
 * Of leaf `at`, where a cluster that is still whole falls in two: how much less dispersion there is within. square: the
 * squared distance of two leaves, below the diagonal.
 */
static double relief(const struct cluster_tree *tree, const double *square, size_t at)
{
    size_t from = at - 1, to = at + 1;
    double left = 0, right = 0, across = 0;
    while (from > 0 && tree->met[from] < tree->met[at])
        from--;
    while (to < tree->n && tree->met[to] < tree->met[at])
        to++;
    for (size_t i = from; i < at; i++)
        left += sum_of(square + i * tree->n, from, i);
    for (size_t i = at; i < to; i++) {
        across += sum_of(square + i * tree->n, from, at);
        right += sum_of(square + i * tree->n, at, i);
    }
    return (left + across + right) / (double)(to - from) - left / (double)(at - from) -
           right / (double)(to - at);
}

size_t cluster_count(const struct cluster_tree *tree, const double *covariance, double *square)
{
    size_t n = tree->n, best = n < 2 ? n : 2;
    size_t most = (size_t)fmax(8, round(sqrt((double)n)));
    double widest = -INFINITY, before = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = covariance + tree->order[i] * n;
        for (size_t j = 0; j < i; j++) {
            size_t other = tree->order[j];
            double scale = sqrt(row[tree->order[i]] * covariance[other * (n + 1)]);
            square[i * n + j] = (1 - row[other] / scale) / 2;
        }
    }
    for (size_t k = 2; k <= n && k <= most; k++) { /* the union undone to get k of k - 1 */
        size_t at = 1;
        while (tree->met[at] != n - k)
            at++;
        double now = relief(tree, square, at);
        if (k > 2 && before - now > widest) {
            widest = before - now;
            best = k - 1;
        }
        before = now;
    }
    return best;
}

void cluster_cut(const double *covariance, size_t n, enum cluster_linkage linkage, double wanted,
                 double *square, size_t *index, struct clusters *ret)
{
    struct clusters c = {.start = index + 2 * n};
    cluster_grow(covariance, n, linkage, square, index, &c.tree);
    size_t k = isnan(wanted) ? cluster_count(&c.tree, covariance, square)
                             : (size_t)fmin(wanted, (double)n);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || c.tree.met[i] + k >= n)
            c.start[c.k++] = i;
    }
    c.start[c.k] = n;
    *ret = c;
}

/* Of assets [from, to) of the order: `square` holds their covariances, `inverse` 1 / variance, in that order. */
static double part_variance(const double *square, const double *inverse, size_t n, size_t from,
                            size_t to)
{
    double sum = 0, total = 0;
    for (size_t i = from; i < to; i++) {
        double row[4] = {0};
        size_t j = from;
        for (; j + 4 <= to; j += 4)
            for (size_t k = 0; k < 4; k++)
                row[k] += square[i * n + j + k] * inverse[j + k];
        for (size_t k = 0; j < to; j++, k++)
            row[k] += square[i * n + j] * inverse[j];
        sum += ((row[0] + row[2]) + (row[1] + row[3])) * inverse[i];
        total += inverse[i];
    }
    return sum / (total * total);
}

struct bisection {
    const double *square, *inverse;
    const size_t *order;
    size_t n;
    double *weight;
};

static void bisect(const struct bisection *b, size_t from, size_t to)
{
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        double left = part_variance(b->square, b->inverse, b->n, from, middle);
        double right = part_variance(b->square, b->inverse, b->n, middle, to);
        double share = 1 - left / (left + right);
        for (size_t i = from; i < to; i++)
            b->weight[b->order[i]] *= i < middle ? share : 1 - share;
        bisect(b, from, middle);
        from = middle; /* the right half is the next round: the depth stays at log2 n */
    }
}

void cluster_bisect(const double *covariance, size_t n, const size_t *order, double *square,
                    double *inverse, double *ret_weight)
{
    struct bisection b = {square, inverse, order, n, ret_weight};
    for (size_t i = 0; i < n; i++) {
        const double *row = covariance + order[i] * n;
        for (size_t j = 0; j < n; j++)
            square[i * n + j] = row[order[j]];
        inverse[i] = 1 / row[order[i]];
        ret_weight[i] = 1;
    }
    bisect(&b, 0, n);
}
