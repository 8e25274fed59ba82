/* idempotency.c - see idempotency.h. */
#include "handlers/idempotency.h"

#include "handlers/database.h"
#include "handlers/job_answer.h"

enum { KEY_BYTES_MAX = 255 };

static bool is_key_char(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != ',' && c != ';';
}

static enum status malformed(struct str text, struct err *err)
{
    (void)err_set(err, STATUS_BAD_REQUEST, "The Idempotency-Key cannot be used.");
    err_at(err, ERR_HEADER, STR("Idempotency-Key"), text);
    err_allow(err, "1 to %d visible ASCII characters, in quotes as in \"8e03978e-40d5\"",
              KEY_BYTES_MAX);
    return STATUS_BAD_REQUEST;
}

enum status idempotency_read(struct request *request, struct idempotency *ret, struct err *err)
{
    struct str text = request_header(request, "Idempotency-Key");
    struct buf both;
    *ret = (struct idempotency){.key = STR_NONE};
    if (text.ptr == NULL)
        return STATUS_OK;
    struct str key = text;
    if (key.len >= 2 && key.ptr[0] == '"' && key.ptr[key.len - 1] == '"')
        key = str_sub(key, 1, key.len - 1);
    if (key.len == 0 || key.len > KEY_BYTES_MAX)
        return malformed(text, err);
    for (size_t i = 0; i < key.len; i++)
        if (!is_key_char(key.ptr[i]))
            return malformed(text, err);
    buf_init(&both, &request->arena, request->path.len + request->body.len + 1);
    buf_add(&both, request->path);
    buf_add_char(&both, '\n');
    buf_add(&both, request->body);
    if (both.failed)
        return err_out_of_memory(err);
    ret->key = key;
    return digest_hex(buf_str(&both), ret->hash, err);
}

enum status idempotency_note(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct idempotency once;
    struct str job_id;
    bool is_new = false;
    enum status s = idempotency_read(request, &once, err);
    if (s != STATUS_OK || once.key.ptr == NULL)
        return s;
    s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK)
        s = db_begin(db, err);
    if (s != STATUS_OK)
        return s;
    s = job_once(db, &(struct job_once){job_owner(request), once.key, str_of(once.hash), STR_NONE},
                 &request->arena, &is_new, &job_id, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    else
        db_rollback(db);
    return s;
}

enum status idempotency_job(const struct idempotency *once, struct db *db,
                            const struct job_new *job, const struct job_limits *limits,
                            struct arena *arena, struct str *ret_id, bool *ret_is_new,
                            struct err *err)
{
    bool is_new = true;
    struct str known = STR_NONE;
    enum status s = STATUS_OK;
    if (once->key.ptr != NULL)
        s = job_once(db, &(struct job_once){job->owner, once->key, str_of(once->hash), job->id},
                     arena, &is_new, &known, err);
    if (s == STATUS_OK && is_new)
        s = job_create(db, job, limits, err);
    if (s != STATUS_OK)
        return s;
    *ret_id = is_new ? job->id : known;
    *ret_is_new = is_new;
    return STATUS_OK;
}
