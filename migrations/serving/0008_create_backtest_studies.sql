-- Why: a sweep that another worker takes over goes on behind its last chunk; what its study of overfitting knows of the
-- items before must outlive the worker, or they would all have to be run again.

-- One row for each chunk of a running sweep, removed at its end. trials and state are IEEE 754 doubles, least significant
-- byte first: what the study keeps of each trial of the chunk, and its sums over all trials so far, in the last row alone.
CREATE TABLE backtest_study (
    job_id {{text}} NOT NULL,
    n_done BIGINT NOT NULL,
    trials {{bytes}} NOT NULL,
    state {{bytes}},
    PRIMARY KEY (job_id, n_done)
){{clustered}};
