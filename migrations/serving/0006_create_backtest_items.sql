-- Why: a batch of backtests keeps each of its items with its results, so that they can be read as rows and a batch goes on where it was.

-- request: the whole request of the item, or NULL: the job's base with parameters. n1.. and t1..: values of the grid point,
-- numbers and texts; which is which says the job. id: of the backtest, once it was run.
CREATE TABLE backtest_item (
    job_id {{text}} NOT NULL,
    item BIGINT NOT NULL,
    is_done {{bool}} NOT NULL,
    request {{text}},
    parameters {{text}},
    n1 {{float}},
    n2 {{float}},
    n3 {{float}},
    n4 {{float}},
    n5 {{float}},
    n6 {{float}},
    n7 {{float}},
    n8 {{float}},
    n9 {{float}},
    n10 {{float}},
    n11 {{float}},
    n12 {{float}},
    t1 {{text}},
    t2 {{text}},
    t3 {{text}},
    t4 {{text}},
    t5 {{text}},
    t6 {{text}},
    id {{text}},
    error {{text}},
    detail {{text}},
    final_equity {{float}},
    total_return {{float}},
    cagr {{float}},
    volatility {{float}},
    sharpe {{float}},
    sortino {{float}},
    calmar {{float}},
    max_drawdown {{float}},
    max_drawdown_days {{float}},
    ulcer_index {{float}},
    skewness {{float}},
    kurtosis_excess {{float}},
    var_95 {{float}},
    cvar_95 {{float}},
    best_year {{float}},
    worst_year {{float}},
    positive_months {{float}},
    psr_0 {{float}},
    turnover_annual {{float}},
    cost_ratio {{float}},
    exposure {{float}},
    effective_n {{float}},
    n_rebalances {{float}},
    beta {{float}},
    alpha {{float}},
    tracking_error {{float}},
    information_ratio {{float}},
    excess_return {{float}},
    PRIMARY KEY (job_id, item)
){{clustered}};
CREATE INDEX backtest_item_id ON backtest_item (id);
CREATE INDEX backtest_item_open ON backtest_item (job_id, item) WHERE NOT is_done;

-- What a POST with an Idempotency-Key was answered; kept for a day. job_id: NULL where the answer has a content address.
CREATE TABLE idempotent_request (
    owner BIGINT NOT NULL,
    idempotency_key {{text}} NOT NULL,
    hash {{text}} NOT NULL,
    job_id {{text}},
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, idempotency_key)
);
CREATE INDEX idempotent_request_created ON idempotent_request (created_ms);

-- What a list of finished backtests shows of each; NULL in those that were kept before.
ALTER TABLE backtest_result ADD COLUMN strategy {{text}};
ALTER TABLE backtest_result ADD COLUMN currency {{text}};
ALTER TABLE backtest_result ADD COLUMN start_on {{date}};
ALTER TABLE backtest_result ADD COLUMN end_on {{date}};
ALTER TABLE backtest_result ADD COLUMN n_assets BIGINT;
ALTER TABLE backtest_result ADD COLUMN total_return {{float}};
ALTER TABLE backtest_result ADD COLUMN cagr {{float}};
ALTER TABLE backtest_result ADD COLUMN sharpe {{float}};
ALTER TABLE backtest_result ADD COLUMN max_drawdown {{float}};
CREATE INDEX backtest_result_created ON backtest_result (created_at, id);
