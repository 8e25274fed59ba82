/*
 * black_litterman.c - the returns that the market's weights imply, moved towards the client's views, and the weights
 * that are best for them.
 */
#include "backtest/covariance.h"
#include "backtest/linear.h"
#include "backtest/strategies/kinds.h"

#include <math.h>
#include <string.h>

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("risk_aversion", 0.01, 100, 2.5),
    STRATEGY_PARAM_NUMBER("tau", 0.0001, 10, 0.05),
};
enum { RISK_AVERSION, TAU };

/* Arrays of m doubles in the scratch: the market's weights, the returns, then Sigma p and p of each view. */
enum { MARKET, RETURNS, VIEWS, SCRATCH = VIEWS + 2 * STRATEGY_VIEWS_MAX };

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The market's weights among the m assets, sum 1; false when they have none there. */
static bool take_market(const struct strategy_input *input, double *ret)
{
    const double *given = input->strategy->views.market;
    double sum = 0;
    for (size_t i = 0; i < input->m; i++) {
        ret[i] = given != NULL ? given[input->asset[i]] : 1;
        sum += ret[i];
    }
    for (size_t i = 0; i < input->m && sum > 0; i++)
        ret[i] /= sum;
    return sum > 0;
}

/* The coefficients of a view on the m assets; false when it is about one that cannot be bought. */
static bool take_view(const struct strategy_input *input, const struct strategy_view *view,
                      size_t n_assets, double *ret)
{
    size_t n_named = 0, n_found = 0;
    for (size_t a = 0; a < n_assets; a++)
        n_named += fabs(view->coefficient[a]) > 0 ? 1 : 0;
    for (size_t i = 0; i < input->m; i++) {
        ret[i] = view->coefficient[input->asset[i]];
        n_found += fabs(ret[i]) > 0 ? 1 : 0;
    }
    return n_found == n_named;
}

/*
 * ret += tau S P' (tau P S P' + Omega)^-1 (Q - P ret), S the annual covariance, Omega the diagonal
 * (1 - c) / c tau p S p' of each view: with c = 1/2 that of He and Litterman, with c = 1 the view holds.
 */
static bool add_views(const struct strategy_input *input, double *ret)
{
    const struct strategy_views *views = &input->strategy->views;
    double matrix[STRATEGY_VIEWS_MAX * STRATEGY_VIEWS_MAX], gap[STRATEGY_VIEWS_MAX];
    double tau = input->strategy->param[TAU] * input->periods_per_year;
    size_t m = input->m, n = 0;
    double *first = input->scratch + VIEWS * m;
    double confidence[STRATEGY_VIEWS_MAX];
    for (size_t k = 0; k < views->n; k++) {
        double *p = first + 2 * n * m, *spread = p + m;
        if (!take_view(input, &views->view[k], views->n_assets, p))
            continue;
        covariance_times(input->covariance, m, p, spread);
        gap[n] = views->view[k].annual - dot(p, ret, m);
        confidence[n++] = views->view[k].confidence;
    }
    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < n; j++)
            matrix[k * n + j] = tau * dot(first + 2 * k * m, first + 2 * j * m + m, m);
        matrix[k * n + k] /= confidence[k];
    }
    if (n == 0)
        return true;
    if (!linear_cholesky(matrix, n))
        return false;
    linear_solve(matrix, n, gap);
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < m; i++)
            ret[i] += tau * gap[k] * first[2 * k * m + m + i];
    }
    return true;
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    size_t m = input->m;
    double *market = input->scratch + MARKET * m, *returns = input->scratch + RETURNS * m;
    double scale = input->strategy->param[RISK_AVERSION] * input->periods_per_year;
    if (!take_market(input, market))
        return NOTE_NO_ANSWER;
    covariance_times(input->covariance, m, market, returns);
    for (size_t i = 0; i < m; i++)
        returns[i] *= scale;
    if (!add_views(input, returns))
        return NOTE_NO_ANSWER;
    for (size_t i = 0; i < m; i++)
        returns[i] /= scale;
    struct qp_problem problem = {.limits = input->limits, .h = input->covariance, .c = returns};
    return qp_solve(&problem, input->qp, ret_weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_black_litterman = {
    .name = "black_litterman",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_VIEWS,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = SCRATCH,
    .weigh = weigh,
};
