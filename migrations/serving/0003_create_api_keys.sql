-- Why: keys that clients authenticate with; of each only the SHA-256 is kept.

-- scopes: 1 read, 2 backtest, 4 admin, added up. revision rises with every change that a server has to take over, so that
-- one number tells whether the keys must be read again; use of a key is no such change.
CREATE TABLE api_key (
    id BIGINT NOT NULL PRIMARY KEY,
    name {{text}} NOT NULL UNIQUE,
    hash {{bytes}} NOT NULL,
    scopes BIGINT NOT NULL,
    rate BIGINT,
    created_at {{instant}} NOT NULL,
    expires_at {{instant}},
    revoked_at {{instant}},
    last_used_at {{instant}},
    revision BIGINT NOT NULL
);
