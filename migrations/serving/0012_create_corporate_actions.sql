-- Why: a dividend is paid weeks after its ex-date, and a share may become another: what bars alone cannot say.
CREATE TABLE gen_corporate_action (
    uid {{text}} NOT NULL,
    date {{date}} NOT NULL,
    kind {{text}} NOT NULL,
    into_uid {{text}} NOT NULL,
    pay_date {{date}},
    ratio {{decimal}},
    cash {{decimal}},
    source {{text}} NOT NULL,
    gen_from BIGINT NOT NULL,
    gen_to BIGINT NOT NULL,
    PRIMARY KEY (uid, date, kind, into_uid, gen_from)
){{clustered}};
CREATE INDEX gen_corporate_action_closed ON gen_corporate_action (gen_to) WHERE gen_to < 9223372036854775807;
CREATE INDEX gen_corporate_action_date ON gen_corporate_action (date);
CREATE VIEW mart_corporate_action AS
    SELECT uid, date, kind, into_uid, pay_date, ratio, cash, source
    FROM gen_corporate_action
    WHERE gen_to = 9223372036854775807;
INSERT INTO meta_mart (mart, title, description, grain, key_columns, time_column, source_table)
VALUES ('mart_corporate_action', 'Corporate actions',
    'What bars cannot say: when dividends are paid, and which shares become others.',
    'one row per instrument, ex-date, kind and instrument received', 'uid,date,kind,into_uid', 'date', 'gen_corporate_action');
INSERT INTO meta_column (mart, column_name, unit, description) VALUES
    ('mart_corporate_action', 'uid', '', 'Instrument, see mart_instrument'),
    ('mart_corporate_action', 'date', '', 'Ex-date: the first day on which the instrument is traded without it'),
    ('mart_corporate_action', 'kind', '', 'dividend (its amount is in mart_price_daily), spin_off, merger or rename'),
    ('mart_corporate_action', 'into_uid', '', 'Instrument whose units holders receive; the instrument itself for a dividend'),
    ('mart_corporate_action', 'pay_date', '', 'Of a dividend: the day on which it is paid'),
    ('mart_corporate_action', 'ratio', 'ratio', 'Units received for one held'),
    ('mart_corporate_action', 'cash', 'currency', 'Of a merger: cash for one unit held, in the currency of its prices');
