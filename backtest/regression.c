/* regression.c - normal equations of centred and scaled factors, and the sandwich of Newey and West. */
#include "backtest/regression.h"

#include "backtest/elementary.h"
#include "backtest/linear.h"
#include "backtest/stats.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { K_MAX = REGRESSION_FACTORS_MAX + 1 };

struct fit {
    size_t n, k; /* k coefficients, the constant included */
    const double *y;
    const double *column[K_MAX]; /* [0]: ones; then the factors, centred and scaled */
    double mean[K_MAX], scale[K_MAX];
    double inverse[K_MAX * K_MAX]; /* (X'X)^-1 */
    double *residual;
};

static double dot(const double *a, const double *b, size_t n)
{
    return kernels_ref.dot(a, b, n);
}

/* False when a factor does not vary. */
static bool take_columns(struct fit *f, const double *const *factor, double *room)
{
    for (size_t t = 0; t < f->n; t++)
        room[t] = 1;
    f->column[0] = room;
    for (size_t j = 1; j < f->k; j++) {
        struct stats_moments m = stats_moments_short(factor[j - 1], f->n);
        double *column = room + j * f->n;
        if (m.is_constant)
            return false;
        f->mean[j] = m.mean;
        f->scale[j] = m.sd;
        for (size_t t = 0; t < f->n; t++)
            column[t] = (factor[j - 1][t] - m.mean) / m.sd;
        f->column[j] = column;
    }
    return true;
}

/* (X'X)^-1; false when the factors depend on each other. */
static bool invert(struct fit *f)
{
    double a[K_MAX * K_MAX];
    assert(f->k > 0 && f->k <= K_MAX);
    for (size_t i = 0; i < f->k; i++) {
        for (size_t j = 0; j < f->k; j++)
            a[j * f->k + i] = dot(f->column[i], f->column[j], f->n);
    }
    double largest = a[0];
    if (!linear_cholesky(a, f->k))
        return false;
    for (size_t i = 0; i < f->k; i++) {
        if (a[i * f->k + i] * a[i * f->k + i] < 1e-12 * largest)
            return false;
    }
    memset(f->inverse, 0, sizeof f->inverse);
    for (size_t j = 0; j < f->k; j++) {
        f->inverse[j * f->k + j] = 1;
        linear_solve(a, f->k, &f->inverse[j * f->k]);
    }
    return true;
}

/* ret = inverse * middle * inverse. */
static void sandwich(const struct fit *f, const double *middle, double *ret)
{
    double half[K_MAX * K_MAX] = {0};
    size_t k = f->k;
    memset(ret, 0, K_MAX * K_MAX * sizeof *ret);
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            for (size_t l = 0; l < k; l++)
                half[j * k + i] += f->inverse[l * k + i] * middle[j * k + l];
        }
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            for (size_t l = 0; l < k; l++)
                ret[j * k + i] += half[l * k + i] * f->inverse[j * k + l];
        }
    }
}

/* Covariance of the scores x_t e_t with Bartlett weights up to lag. */
static void scores(const struct fit *f, size_t lag, double *score, double *ret)
{
    size_t k = f->k, n = f->n;
    for (size_t j = 0; j < k; j++) {
        for (size_t t = 0; t < n; t++)
            score[j * n + t] = f->column[j][t] * f->residual[t];
    }
    memset(ret, 0, K_MAX * K_MAX * sizeof *ret);
    for (size_t l = 0; l <= lag && l < n; l++) {
        double weight = 1 - (double)l / (double)(lag + 1);
        for (size_t i = 0; i < k; i++) {
            for (size_t j = 0; j < k; j++) {
                double sum = dot(score + i * n + l, score + j * n, n - l);
                ret[j * k + i] += weight * sum;
                if (l > 0)
                    ret[i * k + j] += weight * sum;
            }
        }
    }
}

/*
 * Standard errors of the coefficients asked for: slopes are divided by their scale; alpha is the constant minus the
 * slopes times the factors' means, so its variance takes the whole matrix.
 */
static void errors_of(const struct fit *f, const double *covariance, double factor, double *ret)
{
    double c[K_MAX] = {1}, variance = 0;
    size_t k = f->k;
    for (size_t j = 1; j < k; j++)
        c[j] = -f->mean[j] / f->scale[j];
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++)
            variance += c[i] * c[j] * covariance[j * k + i];
    }
    ret[0] = sqrt(fmax(variance * factor, 0));
    for (size_t j = 1; j < k; j++)
        ret[j] = sqrt(fmax(covariance[j * k + j] * factor, 0)) / f->scale[j];
}

static void solve(struct fit *f, struct regression *ret)
{
    double b[K_MAX] = {0}, alpha;
    for (size_t i = 0; i < f->k; i++) {
        for (size_t j = 0; j < f->k; j++)
            b[i] += f->inverse[j * f->k + i] * dot(f->column[j], f->y, f->n);
    }
    memcpy(f->residual, f->y, f->n * sizeof *f->residual);
    for (size_t j = 0; j < f->k; j++) {
        for (size_t t = 0; t < f->n; t++)
            f->residual[t] -= b[j] * f->column[j][t];
    }
    alpha = b[0];
    for (size_t j = 1; j < f->k; j++) {
        ret->coefficient[j].value = b[j] / f->scale[j];
        alpha -= ret->coefficient[j].value * f->mean[j];
    }
    ret->coefficient[0].value = alpha;
}

static void judge(struct fit *f, double *score, struct regression *ret)
{
    double middle[K_MAX * K_MAX], covariance[K_MAX * K_MAX], se[K_MAX], hac[K_MAX];
    double n = (double)f->n, freedom = n - (double)f->k;
    double squares = dot(f->residual, f->residual, f->n);
    double mean = kernels_ref.range(f->y, f->n).sum / n;
    double total = kernels_ref.squares(f->y, f->n, mean);

    ret->residual_sd = sqrt(squares / freedom);
    ret->r_squared = 1 - squares / total;
    ret->adjusted_r_squared = 1 - squares / freedom / (total / (n - 1));
    errors_of(f, f->inverse, squares / freedom, se);
    scores(f, ret->lag, score, middle);
    sandwich(f, middle, covariance);
    errors_of(f, covariance, 1, hac);
    for (size_t j = 0; j < f->k; j++) {
        struct regression_coefficient *c = &ret->coefficient[j];
        c->se = se[j];
        c->t = c->value / se[j];
        c->hac_se = hac[j];
        c->hac_t = c->value / hac[j];
        c->p = stats_student_p(c->t, freedom);
        c->hac_p = stats_normal_p(c->hac_t);
    }
}

enum status regression_fit(const double *y, const double *const *factor, size_t n_factors, size_t n,
                           int lag, struct arena *arena, struct regression *ret, struct err *err)
{
    struct fit f = {.n = n, .k = n_factors + 1, .y = y};
    *ret = (struct regression){.n = n, .n_factors = n_factors};
    ret->lag = lag != REGRESSION_LAG_AUTO ? (size_t)lag
                                          : (size_t)(4 * elementary_pow((double)n / 100, 2.0 / 9));
    if (n < f.k + 2 || !stats_varies(y, n))
        return STATUS_OK;
    double *room = arena_array(arena, n * f.k, sizeof *room);
    double *score = arena_array(arena, n * f.k, sizeof *score);
    f.residual = arena_array(arena, n, sizeof *f.residual);
    if (room == NULL || score == NULL || f.residual == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the regression.");
    if (!take_columns(&f, factor, room) || !invert(&f))
        return STATUS_OK;
    solve(&f, ret);
    judge(&f, score, ret);
    ret->is_known = true;
    for (size_t j = 0; j < f.k; j++)
        ret->is_known = ret->is_known && isfinite(ret->coefficient[j].t);
    return STATUS_OK;
}
