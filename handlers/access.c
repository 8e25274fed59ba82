/* access.c - admission: the key or none, the scope, the quota. Second step of every request, after routing. */
#include "handlers/access.h"

#include "base/clock.h"
#include "cache/cache.h"
#include "handlers/credentials.h"
#include "handlers/keyring.h"
#include "handlers/rate_share.h"

#include <stdlib.h>

enum { COST_PLAIN = 1, COST_HEAVY = 10 };

/* Settings anonymous_read and anonymous_backtest. */
enum { ANONYMOUS_AUTO, ANONYMOUS_ON, ANONYMOUS_OFF };

static const char challenge[] = "Bearer realm=\"cmmc\", Basic realm=\"cmmc\"";
static const char how_to[] =
    "Authorization: Bearer <key>, or Basic with the key as the password; `cmmc keys create` makes keys";

/* Nothing but this machine can reach the embedded default: what it serves needs no key. */
static bool is_private_machine(const struct config *config)
{
    struct address bind;
    return config->database_url[0] == '\0' && address_parse(str_of(config->bind), &bind) &&
           address_is_loopback(&bind);
}

static unsigned scope_when(unsigned choice, bool is_on_by_default, unsigned scope)
{
    bool is_on = choice == ANONYMOUS_ON || (choice == ANONYMOUS_AUTO && is_on_by_default);
    return is_on ? scope : 0;
}

enum status access_open(struct app *app, struct err *err)
{
    const struct config *config = app->config;
    struct access_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        return err_out_of_memory(err);
    bool is_open = is_private_machine(config);
    bool is_quota_set = config->sources[SETTING_rate_anonymous] != CONFIG_DEFAULT;
    rules->anonymous_scopes = scope_when(config->anonymous_read, is_open, SCOPE_READ) |
                              scope_when(config->anonymous_backtest, is_open, SCOPE_BACKTEST);
    rules->anonymous_quota = is_open && !is_quota_set ? 0 : config->rate_anonymous;
    rules->key_quota = config->rate_key;
    rules->failure_quota = config->rate_failures;
    rules->is_forwarded_header = config->proxy_header == 1;
    rules->rate = rate_new();
    enum status s = rules->rate == NULL
                        ? err_out_of_memory(err)
                        : proxies_parse(str_of(config->trusted_proxies), &rules->proxies, err);
    if (s != STATUS_OK) {
        rate_free(rules->rate);
        free(rules);
        return s;
    }
    app->access = rules;
    app->admit = access_admit;
    return STATUS_OK;
}

enum status access_start(struct app *app, struct err *err)
{
    struct redis *redis = app->cache == NULL ? NULL : app->cache->l2.redis;
    return redis == NULL ? STATUS_OK
                         : rate_share_start(app->access->rate, redis, &app->access->share, err);
}

void access_close(struct app *app)
{
    if (app->access == NULL)
        return;
    rate_share_stop(app->access->share);
    rate_free(app->access->rate);
    free(app->access);
    app->access = NULL;
}

bool access_is_private(const struct request *request)
{
    const struct access_rules *rules = request->app == NULL ? NULL : request->app->access;
    return rules != NULL && request->route != NULL && request->route->access != ACCESS_PUBLIC &&
           (rules->anonymous_scopes & SCOPE_READ) == 0;
}

uint32_t access_cost(const struct route *route)
{
    return route->lane == LANE_CPU || route->lane == LANE_STREAM ? COST_HEAVY : COST_PLAIN;
}

static struct address find_client(struct request *request, const struct access_rules *rules)
{
    struct address peer;
    if (!address_parse(str_of(request->client), &peer))
        return (struct address){0};
    if (rules->proxies.n == 0 || !proxies_have(&rules->proxies, &peer))
        return peer;
    struct str header =
        request_header(request, rules->is_forwarded_header ? "Forwarded" : "X-Forwarded-For");
    struct address client =
        client_address(&rules->proxies, &peer, header, rules->is_forwarded_header);
    char text[ADDRESS_TEXT_BYTES];
    address_format(&client, text);
    const char *copy = arena_dup(&request->arena, str_of(text));
    if (copy != NULL)
        request->client = copy; /* what the log says */
    return client;
}

static enum status refuse_key_in_address(struct request *request, struct err *err)
{
    struct str name;
    if (!credentials_in_query(request->query, &name))
        return STATUS_OK;
    (void)err_set(
        err, STATUS_KEY_IN_ADDRESS,
        "A key in an address ends up in logs and histories: this one should be revoked if it "
        "is real.");
    err_at(err, ERR_PARAMETER, name, STR_NONE); /* the value is not repeated */
    err_allow(err, "%s", how_to);
    return STATUS_KEY_IN_ADDRESS;
}

static enum status unauthorized(struct request *request, const char *reason, struct err *err)
{
    metrics_add_labeled(request->app->metrics, METRIC_auth_failures_total, LABELS(reason), 1);
    reply_header(request, "WWW-Authenticate", "%s", challenge);
    /* One text for every reason, so that nobody learns which part of a guess was right. */
    (void)err_set(err, STATUS_UNAUTHORIZED, "This needs a valid key.");
    err_at(err, ERR_HEADER, STR("Authorization"), STR_NONE);
    err_allow(err, "%s", how_to);
    return STATUS_UNAUTHORIZED;
}

static enum status limited(struct request *request, const char *policy, uint32_t quota,
                           struct rate_state state, struct err *err)
{
    metrics_add_labeled(request->app->metrics, METRIC_rate_limited_total, LABELS(policy), 1);
    (void)err_set(err, STATUS_RATE_LIMITED, "The quota of this minute is used up.");
    err_allow(err, "%u a minute under the policy \"%s\"; see /v1/limits", quota, policy);
    err->retry_after_s = state.reset_s;
    return STATUS_RATE_LIMITED;
}

/* Only bad keys count and only bad keys are limited: who shares an address with a guesser can still come in. */
static enum status refuse_bad_key(struct request *request, const struct address *client,
                                  enum keyring_verdict verdict, struct err *err)
{
    const struct access_rules *rules = request->app->access;
    if (verdict == KEYRING_UNSURE) {
        (void)err_set(err, STATUS_DB_UNAVAILABLE, "Keys cannot be checked just now.");
        err->retry_after_s = 1;
        return STATUS_DB_UNAVAILABLE;
    }
    struct rate_state state = {.is_allowed = true};
    if (rules->failure_quota > 0)
        state = rate_take(rules->rate, address_rate_id(client, true), rules->failure_quota, 1,
                          clock_wall_ms());
    return state.is_allowed ? unauthorized(request, keyring_verdict_name(verdict), err)
                            : limited(request, "failures", rules->failure_quota, state, err);
}

/* Reads the Authorization header into request->principal, or leaves it anonymous without one. */
static enum status authenticate(struct request *request, const struct address *client,
                                struct err *err)
{
    struct str authorization = request_header(request, "Authorization"), text;
    struct keyring_entry entry;
    char room[CREDENTIALS_MAX];
    if (authorization.ptr == NULL)
        return STATUS_OK;
    enum keyring_verdict verdict =
        credentials_read(authorization, room, &text)
            ? keyring_check(request->app->keys, text, clock_wall_s(), &entry)
            : KEYRING_MALFORMED;
    if (verdict != KEYRING_GOOD)
        return refuse_bad_key(request, client, verdict, err);
    const char *name = arena_dup(&request->arena, str_of(entry.name));
    if (name == NULL)
        return err_out_of_memory(err);
    request->principal.name = name;
    request->principal.key_id = entry.id;
    request->principal.scopes |= entry.scopes << ACCESS_READ;
    request->principal.rate = entry.rate;
    request->principal.expires_at = entry.expires_at;
    return STATUS_OK;
}

uint32_t access_quota(const struct request *request, const char **ret_policy,
                      struct rate_id *ret_id)
{
    const struct access_rules *rules = request->app->access;
    const struct principal *principal = &request->principal;
    struct address client = {0};
    if (principal->key_id != 0) {
        *ret_policy = "key";
        *ret_id = (struct rate_id){RATE_KEY, (uint64_t)principal->key_id};
        return principal->rate < 0 ? rules->key_quota : (uint32_t)principal->rate;
    }
    *ret_policy = "anonymous";
    (void)address_parse(str_of(request->client), &client);
    *ret_id = address_rate_id(&client, false);
    return rules->anonymous_quota;
}

static enum status check_quota(struct request *request, struct err *err)
{
    const char *policy;
    struct rate_id id;
    uint32_t quota = access_quota(request, &policy, &id);
    if (quota == 0)
        return STATUS_OK;
    struct rate_state state = rate_take(request->app->access->rate, id, quota,
                                        access_cost(request->route), clock_wall_ms());
    reply_header(request, "RateLimit-Policy", "\"%s\";q=%u;w=%d", policy, quota,
                 RATE_WINDOW_MS / 1000);
    reply_header(request, "RateLimit", "\"%s\";r=%u;t=%u", policy, state.remaining, state.reset_s);
    return state.is_allowed ? STATUS_OK : limited(request, policy, quota, state, err);
}

static enum status check_scope(struct request *request, struct err *err)
{
    static const char *const names[] = {[ACCESS_PUBLIC] = "",
                                        [ACCESS_READ] = "read",
                                        [ACCESS_BACKTEST] = "backtest",
                                        [ACCESS_ADMIN] = "admin",
                                        [ACCESS_OPS] = ""};
    enum access access = request->route->access;
    if (access == ACCESS_PUBLIC || (request->principal.scopes & 1U << access) != 0)
        return STATUS_OK;
    if (request->principal.key_id == 0)
        return unauthorized(request, "missing", err);
    (void)err_set(err, STATUS_FORBIDDEN, "This needs a key with the scope \"%s\".", names[access]);
    err_at(err, ERR_HEADER, STR("Authorization"), STR_NONE);
    err_allow(err, "a key with the scope %s", names[access]);
    return STATUS_FORBIDDEN;
}

enum status access_admit(struct request *request, struct err *err)
{
    const struct access_rules *rules = request->app->access;
    request->principal = (struct principal){
        .name = "anonymous", .scopes = rules->anonymous_scopes << ACCESS_READ, .rate = -1};
    enum status s = refuse_key_in_address(request, err);
    if (s != STATUS_OK)
        return s;
    struct address client = find_client(request, rules);
    s = authenticate(request, &client, err);
    /* What a key asks for counts even when it is refused; without one the refusal comes first. */
    if (s == STATUS_OK && request->principal.key_id == 0)
        s = check_scope(request, err);
    if (s == STATUS_OK)
        s = check_quota(request, err);
    if (s == STATUS_OK && request->principal.key_id != 0)
        s = check_scope(request, err);
    request->is_open_to_all = s == STATUS_OK && request->principal.key_id == 0 &&
                              rules->anonymous_quota == 0 && rules->proxies.n == 0;
    return s;
}
