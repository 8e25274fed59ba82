-- Why: ingestion is long work in stages: tried again later, one at a time for each data set and window, and started by schedules.

-- only_one: what may wait or run once at a time. ready_ms: not claimed before. tries counts failures that were tried again.
ALTER TABLE job ADD COLUMN only_one {{text}};
ALTER TABLE job ADD COLUMN ready_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN tries_max BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX job_only_one ON job (only_one) WHERE only_one IS NOT NULL AND (state = 'queued' OR state = 'running');

-- What became of each stage of a job. report: JSON.
CREATE TABLE job_stage (
    job_id {{text}} NOT NULL,
    seq BIGINT NOT NULL,
    stage {{text}} NOT NULL,
    state {{text}} NOT NULL,
    attempts BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    finished_ms BIGINT,
    report {{text}},
    PRIMARY KEY (job_id, seq)
){{clustered}};

-- When which job is made. cron: five fields, UTC. request: JSON, as the job's type wants it, where "from" and "to" are days
-- before the slot. catch_up: what is made of slots that were missed: none, latest or all. slot_ms: the last one seen to.
CREATE TABLE job_schedule (
    name {{text}} NOT NULL PRIMARY KEY,
    type {{text}} NOT NULL,
    cron {{text}} NOT NULL,
    request {{text}} NOT NULL,
    catch_up {{text}} NOT NULL,
    is_paused {{bool}} NOT NULL,
    slot_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);

-- Every slot that was seen to, once whoever comes first. job_id: NULL for one that was passed over.
CREATE TABLE job_slot (
    schedule {{text}} NOT NULL,
    slot_ms BIGINT NOT NULL,
    job_id {{text}},
    PRIMARY KEY (schedule, slot_ms)
){{clustered}};
