-- Why: what no source says about data sets, markets, currencies, countries and the first universe.

-- only: postgresql, redshift
SET LOCAL search_path TO silver, gold, staging;

-- What rows of a data set are, unless they say otherwise.
CREATE TABLE dim_dataset (
    dataset {{text}} NOT NULL PRIMARY KEY,
    asset_class {{text}} NOT NULL,
    market {{text}} NOT NULL,
    country {{text}},
    currency {{text}} NOT NULL,
    quote_unit {{text}} NOT NULL
);
INSERT INTO dim_dataset (dataset, asset_class, market, country, currency, quote_unit) VALUES
    ('coin', 'coin', '24_7', NULL, 'USD', 'price'),
    ('commodity', 'commodity', 'XNYM', 'US', 'USD', 'price'),
    ('index', 'index', 'XNYS', 'US', 'USD', 'points'),
    ('msci', 'index', 'XNYS', 'US', 'USD', 'points'),
    ('us_stock', 'stock', 'XNYS', 'US', 'USD', 'price'),
    ('us_etf', 'etf', 'XNYS', 'US', 'USD', 'price'),
    ('kr_stock', 'stock', 'XKRX', 'KR', 'KRW', 'price'),
    ('kr_etf', 'etf', 'XKRX', 'KR', 'KRW', 'price'),
    ('bond', 'bond', 'XBON', NULL, 'USD', 'pct_of_par');

-- How a source quotes: is_split_adjusted says that its closes are in units of the day on which they were fetched.
CREATE TABLE dim_source (
    source {{text}} NOT NULL PRIMARY KEY,
    is_split_adjusted {{bool}} NOT NULL
);
INSERT INTO dim_source (source, is_split_adjusted) VALUES ('yahoo', TRUE);

-- close_utc: end of trading in winter; one hour earlier while the summer time of zone ('us', 'eu', '') is in force.
CREATE TABLE dim_market (
    market {{text}} NOT NULL PRIMARY KEY,
    country {{text}},
    currency {{text}},
    has_weekends {{bool}} NOT NULL,
    zone {{text}} NOT NULL,
    close_winter {{text}} NOT NULL,
    close_summer {{text}} NOT NULL
);
INSERT INTO dim_market (market, country, currency, has_weekends, zone, close_winter, close_summer) VALUES
    ('24_7', NULL, 'USD', TRUE, '', '23:59:59', '23:59:59'),
    ('XKRX', 'KR', 'KRW', FALSE, '', '06:30:00', '06:30:00'),
    ('XNYS', 'US', 'USD', FALSE, 'us', '21:00:00', '20:00:00'),
    ('XNYM', 'US', 'USD', FALSE, 'us', '22:00:00', '21:00:00'),
    ('XBON', NULL, 'USD', FALSE, '', '23:59:59', '23:59:59'),
    ('XLON', 'GB', 'GBP', FALSE, 'eu', '16:30:00', '15:30:00'),
    ('XETR', 'DE', 'EUR', FALSE, 'eu', '16:30:00', '15:30:00'),
    ('XPAR', 'FR', 'EUR', FALSE, 'eu', '16:30:00', '15:30:00'),
    ('XHKG', 'HK', 'HKD', FALSE, '', '08:00:00', '08:00:00'),
    ('XSHG', 'CN', 'CNY', FALSE, '', '07:00:00', '07:00:00'),
    ('XTKS', 'JP', 'JPY', FALSE, '', '06:00:00', '06:00:00'),
    ('XNSE', 'IN', 'INR', FALSE, '', '10:00:00', '10:00:00'),
    ('BVMF', 'BR', 'BRL', FALSE, '', '21:00:00', '21:00:00'),
    ('XASX', 'AU', 'AUD', FALSE, '', '06:00:00', '06:00:00'),
    ('XJSE', 'ZA', 'ZAR', FALSE, '', '15:00:00', '15:00:00'),
    ('XSES', 'SG', 'SGD', FALSE, '', '09:00:00', '09:00:00');

CREATE TABLE dim_currency (
    currency {{text}} NOT NULL PRIMARY KEY,
    name {{text}} NOT NULL,
    minor_digits BIGINT NOT NULL
);
INSERT INTO dim_currency (currency, name, minor_digits) VALUES
    ('AUD', 'Australian dollar', 2), ('BGN', 'Bulgarian lev', 2), ('BRL', 'Brazilian real', 2),
    ('CAD', 'Canadian dollar', 2), ('CHF', 'Swiss franc', 2), ('CNY', 'Chinese yuan renminbi', 2),
    ('CZK', 'Czech koruna', 2), ('DKK', 'Danish krone', 2), ('EUR', 'Euro', 2), ('GBP', 'Pound sterling', 2),
    ('HKD', 'Hong Kong dollar', 2), ('HUF', 'Hungarian forint', 2), ('IDR', 'Indonesian rupiah', 2),
    ('ILS', 'Israeli shekel', 2), ('INR', 'Indian rupee', 2), ('ISK', 'Icelandic krona', 0),
    ('JPY', 'Japanese yen', 0), ('KRW', 'South Korean won', 0), ('MXN', 'Mexican peso', 2),
    ('MYR', 'Malaysian ringgit', 2), ('NOK', 'Norwegian krone', 2), ('NZD', 'New Zealand dollar', 2),
    ('PHP', 'Philippine peso', 2), ('PLN', 'Polish zloty', 2), ('RON', 'Romanian leu', 2),
    ('SEK', 'Swedish krona', 2), ('SGD', 'Singapore dollar', 2), ('THB', 'Thai baht', 2),
    ('TRY', 'Turkish lira', 2), ('USD', 'US dollar', 2), ('ZAR', 'South African rand', 2);

CREATE TABLE dim_country (
    iso2 {{text}} NOT NULL PRIMARY KEY,
    iso3 {{text}} NOT NULL,
    name {{text}} NOT NULL,
    region {{text}} NOT NULL
);
INSERT INTO dim_country (iso2, iso3, name, region) VALUES
    ('AR', 'ARG', 'Argentina', 'Americas'), ('AT', 'AUT', 'Austria', 'Europe'), ('AU', 'AUS', 'Australia', 'Oceania'),
    ('BE', 'BEL', 'Belgium', 'Europe'), ('BG', 'BGR', 'Bulgaria', 'Europe'), ('BR', 'BRA', 'Brazil', 'Americas'),
    ('CA', 'CAN', 'Canada', 'Americas'), ('CH', 'CHE', 'Switzerland', 'Europe'), ('CL', 'CHL', 'Chile', 'Americas'),
    ('CN', 'CHN', 'China', 'Asia'), ('CO', 'COL', 'Colombia', 'Americas'), ('CR', 'CRI', 'Costa Rica', 'Americas'),
    ('CZ', 'CZE', 'Czechia', 'Europe'), ('DE', 'DEU', 'Germany', 'Europe'), ('DK', 'DNK', 'Denmark', 'Europe'),
    ('EE', 'EST', 'Estonia', 'Europe'), ('ES', 'ESP', 'Spain', 'Europe'), ('FI', 'FIN', 'Finland', 'Europe'),
    ('FR', 'FRA', 'France', 'Europe'), ('GB', 'GBR', 'United Kingdom', 'Europe'), ('GR', 'GRC', 'Greece', 'Europe'),
    ('HK', 'HKG', 'Hong Kong', 'Asia'), ('HR', 'HRV', 'Croatia', 'Europe'), ('HU', 'HUN', 'Hungary', 'Europe'),
    ('ID', 'IDN', 'Indonesia', 'Asia'), ('IE', 'IRL', 'Ireland', 'Europe'), ('IL', 'ISR', 'Israel', 'Asia'),
    ('IN', 'IND', 'India', 'Asia'), ('IS', 'ISL', 'Iceland', 'Europe'), ('IT', 'ITA', 'Italy', 'Europe'),
    ('JP', 'JPN', 'Japan', 'Asia'), ('KR', 'KOR', 'South Korea', 'Asia'), ('LT', 'LTU', 'Lithuania', 'Europe'),
    ('LU', 'LUX', 'Luxembourg', 'Europe'), ('LV', 'LVA', 'Latvia', 'Europe'), ('MX', 'MEX', 'Mexico', 'Americas'),
    ('MY', 'MYS', 'Malaysia', 'Asia'), ('NL', 'NLD', 'Netherlands', 'Europe'), ('NO', 'NOR', 'Norway', 'Europe'),
    ('NZ', 'NZL', 'New Zealand', 'Oceania'), ('PH', 'PHL', 'Philippines', 'Asia'), ('PL', 'POL', 'Poland', 'Europe'),
    ('PT', 'PRT', 'Portugal', 'Europe'), ('RO', 'ROU', 'Romania', 'Europe'), ('RU', 'RUS', 'Russia', 'Europe'),
    ('SA', 'SAU', 'Saudi Arabia', 'Asia'), ('SE', 'SWE', 'Sweden', 'Europe'), ('SG', 'SGP', 'Singapore', 'Asia'),
    ('SI', 'SVN', 'Slovenia', 'Europe'), ('SK', 'SVK', 'Slovakia', 'Europe'), ('TH', 'THA', 'Thailand', 'Asia'),
    ('TR', 'TUR', 'Turkey', 'Europe'), ('TW', 'TWN', 'Taiwan', 'Asia'), ('US', 'USA', 'United States', 'Americas'),
    ('VN', 'VNM', 'Vietnam', 'Asia'), ('XM', 'XM', 'Euro area', 'Europe'), ('ZA', 'ZAF', 'South Africa', 'Africa');

-- Names and places of the first universe, where no row says them.
CREATE TABLE dim_name (
    uid {{text}} NOT NULL PRIMARY KEY,
    name {{text}} NOT NULL,
    market {{text}},
    country {{text}},
    currency {{text}},
    unit {{text}}
);
INSERT INTO dim_name (uid, name, market, country, currency, unit) VALUES
    ('coin:BTCUSDT', 'Bitcoin', NULL, NULL, NULL, NULL), ('coin:ETHUSDT', 'Ethereum', NULL, NULL, NULL, NULL),
    ('coin:BNBUSDT', 'BinanceCoin', NULL, NULL, NULL, NULL), ('coin:XRPUSDT', 'Ripple', NULL, NULL, NULL, NULL),
    ('coin:ADAUSDT', 'Cardano', NULL, NULL, NULL, NULL), ('coin:SOLUSDT', 'Solana', NULL, NULL, NULL, NULL),
    ('coin:DOTUSDT', 'Polkadot', NULL, NULL, NULL, NULL), ('coin:DOGEUSDT', 'Dogecoin', NULL, NULL, NULL, NULL),
    ('coin:AVAXUSDT', 'Avalanche', NULL, NULL, NULL, NULL), ('coin:SHIBUSDT', 'ShibaInu', NULL, NULL, NULL, NULL),
    ('coin:MATICUSDT', 'Polygon', NULL, NULL, NULL, NULL), ('coin:LTCUSDT', 'Litecoin', NULL, NULL, NULL, NULL),
    ('coin:UNIUSDT', 'Uniswap', NULL, NULL, NULL, NULL), ('coin:LINKUSDT', 'Chainlink', NULL, NULL, NULL, NULL),
    ('coin:BCHUSDT', 'BitcoinCash', NULL, NULL, NULL, NULL), ('coin:XLMUSDT', 'Stellar', NULL, NULL, NULL, NULL),
    ('coin:ATOMUSDT', 'Cosmos', NULL, NULL, NULL, NULL), ('coin:ALGOUSDT', 'Algorand', NULL, NULL, NULL, NULL),
    ('coin:VETUSDT', 'VeChain', NULL, NULL, NULL, NULL), ('coin:FILUSDT', 'Filecoin', NULL, NULL, NULL, NULL),
    ('coin:USDCUSDT', 'USDC', NULL, NULL, NULL, NULL), ('coin:PEPEUSDT', 'PEPE', NULL, NULL, NULL, NULL),
    ('coin:XMRUSDT', 'Monero', NULL, NULL, NULL, NULL), ('coin:ZECUSDT', 'Zcash', NULL, NULL, NULL, NULL),
    ('coin:XEMUSDT', 'NEM', NULL, NULL, NULL, NULL),
    ('commodity:CL', 'Crude oil WTI, front month', NULL, NULL, NULL, 'USD/bbl'),
    ('commodity:BZ', 'Crude oil Brent, front month', NULL, NULL, NULL, 'USD/bbl'),
    ('commodity:GC', 'Gold, front month', NULL, NULL, NULL, 'USD/oz'),
    ('index:SPX', 'S&P 500', 'XNYS', 'US', 'USD', NULL),
    ('index:DJI', 'Dow Jones Industrial Average', 'XNYS', 'US', 'USD', NULL),
    ('index:FTSE', 'FTSE 100', 'XLON', 'GB', 'GBP', NULL),
    ('index:DAX', 'DAX', 'XETR', 'DE', 'EUR', NULL),
    ('index:CAC', 'CAC 40', 'XPAR', 'FR', 'EUR', NULL),
    ('index:HSI', 'Hang Seng', 'XHKG', 'HK', 'HKD', NULL),
    ('index:SSEC', 'Shanghai Composite', 'XSHG', 'CN', 'CNY', NULL),
    ('index:NSEI', 'Nifty 50', 'XNSE', 'IN', 'INR', NULL),
    ('index:IBOV', 'Ibovespa', 'BVMF', 'BR', 'BRL', NULL),
    ('index:ASX', 'S&P/ASX 200', 'XASX', 'AU', 'AUD', NULL),
    ('index:JTOPI', 'FTSE/JSE Top 40', 'XJSE', 'ZA', 'ZAR', NULL),
    ('index:FTASEANAS', 'FTSE ASEAN All-Share', 'XSES', NULL, 'USD', NULL),
    ('index:MIAP00000PUS', 'MSCI AC Asia', 'XNYS', NULL, 'USD', NULL),
    ('index:KOSPI', 'KOSPI', 'XKRX', 'KR', 'KRW', NULL),
    ('index:KOSDAQ', 'KOSDAQ', 'XKRX', 'KR', 'KRW', NULL),
    ('index:MSCI_WORLD', 'MSCI World', 'XNYS', NULL, 'USD', NULL),
    ('index:MSCI_EM', 'MSCI Emerging Markets', 'XNYS', NULL, 'USD', NULL);
