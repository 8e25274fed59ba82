-- Why: long work survives the server that does it: a queue with leases, what is told while a job runs, the items of a batch.

-- owner: the key that asked, 0 without one. Columns in _ms are milliseconds since 1970 by the database's clock, so that
-- several servers agree on leases. attempt rises with every claim and fences off a worker that lost its lease; crashes
-- counts leases that ran out without progress.
CREATE TABLE job (
    id {{text}} NOT NULL PRIMARY KEY,
    type {{text}} NOT NULL,
    owner BIGINT NOT NULL,
    state {{text}} NOT NULL,
    request {{text}} NOT NULL,
    priority BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    n_items BIGINT NOT NULL,
    n_done BIGINT NOT NULL,
    n_failed BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    crashes BIGINT NOT NULL,
    worker {{text}},
    lease_ms BIGINT,
    cancel_requested {{bool}} NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    finished_ms BIGINT,
    deadline_ms BIGINT,
    n_log BIGINT NOT NULL,
    result {{text}},
    problem {{text}}
);
CREATE INDEX job_queued ON job (priority, created_ms, id) WHERE state = 'queued';
CREATE INDEX job_running ON job (lease_ms) WHERE state = 'running';
CREATE INDEX job_owned ON job (owner, created_ms);
CREATE INDEX job_finished ON job (finished_ms) WHERE finished_ms IS NOT NULL;

CREATE TABLE job_log (
    job_id {{text}} NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    line {{text}} NOT NULL,
    PRIMARY KEY (job_id, seq)
){{clustered}};
