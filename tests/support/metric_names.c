/* metric_names.c - short forms of PerformanceAnalytics' names, spelled out by rules and a table of abbreviations. */
#include "tests/support/metric_names.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 128 };

/* Abbreviations of whole names, and of what stands before the first dot. */
static const struct {
    const char *from, *to;
} abbreviations[] = {
    {"AP", "ActivePremium"},
    {"AverageLen", "AverageLength"},
    {"AvgDD", "AverageDrawdown"},
    {"AvgLen", "AverageLength"},
    {"AvgRec", "AverageRecovery"},
    {"DD", "DownsideDeviation"},
    {"DD.full", "DownsideDeviation"},
    {"DDDeviation", "DrawdownDeviation"},
    {"IR", "InformationRatio"},
    {"KellyFull", "KellyRatio.full"},
    {"KellyHalf", "KellyRatio"},
    {"M2", "MSquared"},
    {"M2Excess", "MSquaredExcess"},
    {"MAD", "MeanAbsoluteDeviation"},
    {"MinTRL", "MinTrackRecord"},
    {"OmegaExcess", "OmegaExcessReturn"},
    {"PSR", "ProbSharpeRatio"},
    {"Pain", "PainIndex"},
    {"Return.ann", "Return.annualized"},
    {"Return.ann.arith", "Return.annualized.arith"},
    {"SemiDev", "SemiDeviation"},
    {"SharpeAnn", "SharpeRatio.annualized"},
    {"SkewKurt", "SkewnessKurtosisRatio"},
    {"TE", "TrackingError"},
    {"UlcerIdx", "UlcerIndex"},
    {"UpsidePotential", "UpsideRisk.potential"},
    {"UpsideRisk.var", "UpsideRisk.variance"},
    {"UpsideVariance", "UpsideRisk.variance"},
    {"VarSkew", "VolatilitySkewness.variability"},
    {"VolSkew", "VolatilitySkewness"},
    {"alpha", "CAPM.alpha"},
    {"avgDD", "AverageDrawdown"},
    {"bear", "CAPM.beta.bear"},
    {"beta", "CAPM.beta"},
    {"bull", "CAPM.beta.bull"},
    {"corr", "correlation"},
    {"cumulative", "Return.cumulative"},
    {"downcap", "DownCapture"},
    {"downnum", "DownNumber"},
    {"downpct", "DownPercent"},
    {"epsilon", "CAPM.epsilon"},
    {"jensen", "CAPM.jensenAlpha"},
    {"kurt", "kurtosis"},
    {"maxDD", "maxDrawdown"},
    {"skew", "skewness"},
    {"upcap", "UpCapture"},
    {"upnum", "UpNumber"},
    {"uppct", "UpPercent"},
};

static const char *spelled_out(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(abbreviations); i++) {
        if (strcmp(abbreviations[i].from, name) == 0)
            return abbreviations[i].to;
    }
    return NULL;
}

/* The same end, spelled out: "Burke.mod" is "Burke.modified". "Kappa.l2" is "Kappa.2". */
static void spell_end(char *name)
{
    static const struct {
        const char *from, *to;
    } ends[] = {{".mod", ".modified"}, {".alt", ".alternative"}, {".k", ""}};
    size_t n = strlen(name);
    char *order = strstr(name, ".l");
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t n_end = strlen(ends[i].from);
        if (n > n_end && strcmp(name + n - n_end, ends[i].from) == 0) {
            (void)snprintf(name + n - n_end, NAME_BYTES - (n - n_end), "%s", ends[i].to);
            return;
        }
    }
    if (order != NULL && isdigit((unsigned char)order[2]))
        memmove(order + 1, order + 2, strlen(order + 2) + 1);
}

/* The name as it stands, its abbreviation, and either with "Ratio" or "Index" behind what comes before the first dot. */
static bool find_form(enum profile profile, const char *name, enum measure_id *ret)
{
    static const char *const kinds[] = {"", "Ratio", "Index"};
    char stem[NAME_BYTES], form[2 * NAME_BYTES];
    const char *whole = profile == PROFILE_pa ? spelled_out(name) : NULL, *dot = strchr(name, '.');
    if (profile_find(profile, str_of(whole != NULL ? whole : name), ret))
        return true;
    if (profile != PROFILE_pa)
        return false;
    const char *rest = dot != NULL ? dot : "";
    (void)snprintf(stem, sizeof stem, "%.*s", (int)(strlen(name) - strlen(rest)), name);
    const char *head = spelled_out(stem);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        (void)snprintf(form, sizeof form, "%s%s%s", head != NULL ? head : stem, kinds[i], rest);
        if (profile_find(profile, str_of(form), ret))
            return true;
    }
    return false;
}

/* "VaR95.gaussian", "ES0.99historical": the confidence is a parameter. */
static bool find_tail(enum profile profile, const char *metric, enum measure_id *ret)
{
    static const char *const functions[] = {"VaR", "ES", "ETL", "CVaR"};
    static const char *const methods[] = {"historical", "gaussian", "modified", "kernel"};
    for (size_t f = 0; f < ARRAY_LEN(functions); f++) {
        size_t n = strlen(functions[f]);
        if (strncmp(metric, functions[f], n) != 0 ||
            (!isdigit((unsigned char)metric[n]) && metric[n] != '.'))
            continue;
        for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
            char form[NAME_BYTES];
            (void)snprintf(form, sizeof form, "%s.%s", functions[f], methods[m]);
            if (strstr(metric, methods[m]) != NULL)
                return profile_find(profile, str_of(form), ret);
        }
    }
    return false;
}

/* What the inputs say anyway: a rate (".rf3"), a target (".MAR", ".10pct", "0"). */
static void cut_inputs(char *name)
{
    static const char *const words[] = {".rf", ".MAR", ".LMAR"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char *at = strstr(name, words[i]);
        if (at != NULL)
            *at = '\0';
    }
    size_t n = strlen(name);
    if (n > 3 && strcmp(name + n - 3, "pct") == 0)
        n -= 3;
    while (n > 1 && isdigit((unsigned char)name[n - 1]))
        n--;
    if (n > 1 && name[n - 1] == '.')
        n--;
    name[n] = '\0';
}

/* PerformanceAnalytics leaves kurtosis out of these two unless told otherwise. */
static void add_kurtosis(const struct conformance_case *one, char *name)
{
    bool is_used = false;
    struct json_val val = jr_member(jr_member(one->inputs, "params"), "use_kurtosis");
    bool is_probability = strncmp(name, "PSR", 3) == 0 || strncmp(name, "MinTRL", 6) == 0;
    if (!is_probability ||
        (jr_type(val) == JR_BOOL && jr_read_bool(val, &is_used, NULL) == STATUS_OK && is_used))
        return;
    if (strstr(name, ".k") == NULL)
        (void)snprintf(name, NAME_BYTES, "%s.ignore_kurtosis",
                       name[0] == 'P' ? "ProbSharpeRatio" : "MinTrackRecord");
}

/* Members of what functions return together, and other names than the profile's. */
static const struct {
    enum profile profile;
    const char *from, *to;
} others[] = {
    {PROFILE_empyrical, "batting average", "batting_average"},
    {PROFILE_empyrical, "up market", "batting_average_up"},
    {PROFILE_empyrical, "down market", "batting_average_down"},
};

bool metric_names_find(enum profile profile, const struct conformance_case *one, const char *metric,
                       enum measure_id *ret)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s", metric);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (others[i].profile == profile && strcmp(others[i].from, metric) == 0)
            (void)snprintf(name, sizeof name, "%s", others[i].to);
    }
    if (profile == PROFILE_pa) {
        if (find_tail(profile, name, ret))
            return true;
        add_kurtosis(one, name);
        spell_end(name);
    }
    if (find_form(profile, name, ret))
        return true;
    cut_inputs(name);
    return find_form(profile, name, ret);
}
