-- Why: rows refer to currencies, markets, instruments, open days: what a warehouse knows of them decides whether a row or a day
-- keeps its contract. And a day is judged by its objects, not by the order in which they were loaded.

-- only: postgresql, redshift
SET LOCAL search_path TO gold, silver, staging;

-- The other currencies of ISO 4217, and those that were before the euro.
INSERT INTO dim_currency (currency, name, minor_digits) VALUES
    ('AED', 'UAE dirham', 2), ('AFN', 'Afghani', 2), ('ALL', 'Albanian lek', 2), ('AMD', 'Armenian dram', 2),
    ('ANG', 'Netherlands Antillean guilder', 2), ('AOA', 'Angolan kwanza', 2), ('ARS', 'Argentine peso', 2),
    ('AWG', 'Aruban florin', 2), ('AZN', 'Azerbaijani manat', 2),
    ('BAM', 'Bosnia and Herzegovina convertible mark', 2), ('BBD', 'Barbados dollar', 2),
    ('BDT', 'Bangladeshi taka', 2), ('BHD', 'Bahraini dinar', 3), ('BIF', 'Burundian franc', 0),
    ('BMD', 'Bermudian dollar', 2), ('BND', 'Brunei dollar', 2), ('BOB', 'Boliviano', 2),
    ('BSD', 'Bahamian dollar', 2), ('BTN', 'Bhutanese ngultrum', 2), ('BWP', 'Botswana pula', 2),
    ('BYN', 'Belarusian ruble', 2), ('BZD', 'Belize dollar', 2), ('CDF', 'Congolese franc', 2),
    ('CLP', 'Chilean peso', 0), ('COP', 'Colombian peso', 2), ('CRC', 'Costa Rican colon', 2),
    ('CUP', 'Cuban peso', 2), ('CVE', 'Cape Verdean escudo', 2), ('CYP', 'Cypriot pound', 2),
    ('DJF', 'Djiboutian franc', 0), ('DOP', 'Dominican peso', 2), ('DZD', 'Algerian dinar', 2),
    ('EEK', 'Estonian kroon', 2), ('EGP', 'Egyptian pound', 2), ('ERN', 'Eritrean nakfa', 2),
    ('ETB', 'Ethiopian birr', 2), ('FJD', 'Fiji dollar', 2), ('FKP', 'Falkland Islands pound', 2),
    ('GEL', 'Georgian lari', 2), ('GHS', 'Ghanaian cedi', 2), ('GIP', 'Gibraltar pound', 2),
    ('GMD', 'Gambian dalasi', 2), ('GNF', 'Guinean franc', 0), ('GTQ', 'Guatemalan quetzal', 2),
    ('GYD', 'Guyanese dollar', 2), ('HNL', 'Honduran lempira', 2), ('HRK', 'Croatian kuna', 2),
    ('HTG', 'Haitian gourde', 2), ('IQD', 'Iraqi dinar', 3), ('IRR', 'Iranian rial', 2),
    ('JMD', 'Jamaican dollar', 2), ('JOD', 'Jordanian dinar', 3), ('KES', 'Kenyan shilling', 2),
    ('KGS', 'Kyrgyzstani som', 2), ('KHR', 'Cambodian riel', 2), ('KMF', 'Comoro franc', 0),
    ('KPW', 'North Korean won', 2), ('KWD', 'Kuwaiti dinar', 3), ('KYD', 'Cayman Islands dollar', 2),
    ('KZT', 'Kazakhstani tenge', 2), ('LAK', 'Lao kip', 2), ('LBP', 'Lebanese pound', 2),
    ('LKR', 'Sri Lankan rupee', 2), ('LRD', 'Liberian dollar', 2), ('LSL', 'Lesotho loti', 2),
    ('LTL', 'Lithuanian litas', 2), ('LVL', 'Latvian lats', 2), ('LYD', 'Libyan dinar', 3),
    ('MAD', 'Moroccan dirham', 2), ('MDL', 'Moldovan leu', 2), ('MGA', 'Malagasy ariary', 2),
    ('MKD', 'Macedonian denar', 2), ('MMK', 'Myanmar kyat', 2), ('MNT', 'Mongolian togrog', 2),
    ('MOP', 'Macanese pataca', 2), ('MRU', 'Mauritanian ouguiya', 2), ('MTL', 'Maltese lira', 2),
    ('MUR', 'Mauritian rupee', 2), ('MVR', 'Maldivian rufiyaa', 2), ('MWK', 'Malawian kwacha', 2),
    ('MZN', 'Mozambican metical', 2), ('NAD', 'Namibian dollar', 2), ('NGN', 'Nigerian naira', 2),
    ('NIO', 'Nicaraguan cordoba', 2), ('NPR', 'Nepalese rupee', 2), ('OMR', 'Omani rial', 3),
    ('PAB', 'Panamanian balboa', 2), ('PEN', 'Peruvian sol', 2), ('PGK', 'Papua New Guinean kina', 2),
    ('PKR', 'Pakistani rupee', 2), ('PYG', 'Paraguayan guarani', 0), ('QAR', 'Qatari riyal', 2),
    ('ROL', 'Romanian leu before 2005', 2), ('RSD', 'Serbian dinar', 2), ('RUB', 'Russian ruble', 2),
    ('RWF', 'Rwandan franc', 0), ('SAR', 'Saudi riyal', 2), ('SBD', 'Solomon Islands dollar', 2),
    ('SCR', 'Seychelles rupee', 2), ('SDG', 'Sudanese pound', 2), ('SHP', 'Saint Helena pound', 2),
    ('SIT', 'Slovenian tolar', 2), ('SKK', 'Slovak koruna', 2), ('SLE', 'Sierra Leonean leone', 2),
    ('SOS', 'Somali shilling', 2), ('SRD', 'Surinamese dollar', 2), ('SSP', 'South Sudanese pound', 2),
    ('STN', 'Sao Tome and Principe dobra', 2), ('SVC', 'Salvadoran colon', 2), ('SYP', 'Syrian pound', 2),
    ('SZL', 'Swazi lilangeni', 2), ('TJS', 'Tajikistani somoni', 2), ('TMT', 'Turkmenistan manat', 2),
    ('TND', 'Tunisian dinar', 3), ('TOP', 'Tongan paanga', 2), ('TRL', 'Turkish lira before 2005', 0),
    ('TTD', 'Trinidad and Tobago dollar', 2), ('TWD', 'New Taiwan dollar', 2), ('TZS', 'Tanzanian shilling', 2),
    ('UAH', 'Ukrainian hryvnia', 2), ('UGX', 'Ugandan shilling', 0), ('UYU', 'Uruguayan peso', 2),
    ('UZS', 'Uzbekistani sum', 2), ('VES', 'Venezuelan bolivar', 2), ('VND', 'Vietnamese dong', 0),
    ('VUV', 'Vanuatu vatu', 0), ('WST', 'Samoan tala', 2), ('XAF', 'CFA franc BEAC', 0),
    ('XCD', 'East Caribbean dollar', 2), ('XOF', 'CFA franc BCEAO', 0), ('XPF', 'CFP franc', 0),
    ('YER', 'Yemeni rial', 2), ('ZMW', 'Zambian kwacha', 2);

-- What facts refer to that is loaded itself, so that only all of it shows what is missing. fail: a day with more than 1 % or more
-- than 1,000 such rows fails its contract; warn: it is told.
CREATE TABLE dim_reference (
    dataset {{text}} NOT NULL,
    reason {{text}} NOT NULL,
    verdict {{text}} NOT NULL,
    PRIMARY KEY (dataset, reason)
){{clustered}};
INSERT INTO dim_reference (dataset, reason, verdict) VALUES
    ('us_stock_action', 'no-instrument', 'fail'), ('us_etf_action', 'no-instrument', 'fail'),
    ('kr_stock_action', 'no-instrument', 'fail'), ('kr_etf_action', 'no-instrument', 'fail'),
    ('us_stock', 'closed-day', 'fail'), ('us_etf', 'closed-day', 'fail'),
    ('kr_stock', 'closed-day', 'fail'), ('kr_etf', 'closed-day', 'fail'),
    ('commodity', 'closed-day', 'warn'), ('index', 'closed-day', 'warn'), ('msci', 'closed-day', 'warn'),
    ('bond', 'closed-day', 'warn'), ('upload', 'closed-day', 'warn'), ('bond', 'no-terms', 'warn'),
    ('indicator_monthly', 'no-area', 'warn'), ('indicator_quarterly', 'no-area', 'warn'),
    ('indicator_yearly', 'no-area', 'warn'), ('gics', 'no-parent', 'fail');

-- Facts whose reference is not there, until it comes.
CREATE TABLE load_orphan (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    orphan_key {{text}} NOT NULL,
    reason {{text}} NOT NULL,
    PRIMARY KEY (dataset, ymd, orphan_key, reason)
){{clustered}};
CREATE TABLE stg_orphan (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    orphan_key {{text}} NOT NULL,
    reason {{text}} NOT NULL,
    PRIMARY KEY (dataset, ymd, orphan_key, reason)
){{clustered}};
CREATE TABLE stg_orphan_day (
    dataset {{text}} NOT NULL,
    ymd {{date}} NOT NULL,
    n_orphans BIGINT NOT NULL,
    reason {{text}} NOT NULL,
    verdict {{text}} NOT NULL,
    PRIMARY KEY (dataset, ymd)
){{clustered}};
-- Where open days without rows are looked for.
CREATE TABLE stg_span (
    dataset {{text}} NOT NULL PRIMARY KEY,
    market {{text}} NOT NULL,
    from_date {{date}} NOT NULL,
    to_date {{date}} NOT NULL
){{clustered}};

-- What was found in each object.
ALTER TABLE load_object ADD COLUMN n_bad BIGINT NOT NULL DEFAULT 0;
ALTER TABLE load_object ADD COLUMN n_repeated BIGINT NOT NULL DEFAULT 0;
ALTER TABLE load_object ADD COLUMN n_nulls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE load_object ADD COLUMN n_out_of_range BIGINT NOT NULL DEFAULT 0;
ALTER TABLE load_object ADD COLUMN fetched_at {{instant}};
UPDATE load_object
SET n_repeated = q.n_duplicates, n_nulls = q.n_nulls, fetched_at = q.fetched_at
FROM load_quality q
WHERE q.dataset = load_object.dataset AND q.ymd = load_object.ymd;
UPDATE load_object
SET n_bad = k.n_bad, n_out_of_range = k.n_out_of_range
FROM (
    SELECT object_key, count(*) AS n_bad, sum(CASE WHEN reason LIKE 'out-of-%' THEN 1 ELSE 0 END) AS n_out_of_range
    FROM quarantine
    GROUP BY object_key
) k
WHERE k.object_key = load_object.object_key;
CREATE INDEX load_object_day ON load_object (dataset, ymd);

ALTER TABLE load_quality ADD COLUMN n_orphans BIGINT NOT NULL DEFAULT 0;
ALTER TABLE load_quality ADD COLUMN orphan_reason {{text}};
ALTER TABLE load_quality ADD COLUMN orphan_verdict {{text}};

DROP VIEW mart_data_quality_daily;
DROP VIEW load_verdict;
CREATE VIEW load_verdict AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, n_jumps, n_orphans,
        CASE
            WHEN n_rows >= 5 AND n_jumps * 5 > n_rows THEN 'fail'
            WHEN orphan_verdict = 'fail' AND (n_orphans > 1000 OR n_orphans * 100 > n_rows) THEN 'fail'
            WHEN status = 'ok' AND n_orphans > 0 THEN 'warn'
            ELSE status
        END AS status,
        CASE
            WHEN n_rows >= 5 AND n_jumps * 5 > n_rows THEN 'jumps'
            WHEN orphan_verdict = 'fail' AND (n_orphans > 1000 OR n_orphans * 100 > n_rows) THEN orphan_reason
            WHEN status = 'ok' AND n_orphans > 0 THEN orphan_reason
            ELSE reason
        END AS reason,
        fetched_at, load_id
    FROM load_quality;
CREATE VIEW mart_data_quality_daily AS
    SELECT
        dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_out_of_range, n_jumps, n_orphans, status,
        reason, fetched_at, load_id
    FROM load_verdict;
