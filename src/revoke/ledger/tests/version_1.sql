-- A ledger of version 1, with something in each of its tables.
PRAGMA journal_mode = WAL;
CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('open', 'accepted', 'rejected', 'throttled', 'refused', 'unknown', 'not_sent')),
    tokens INTEGER NOT NULL,
    started_wall_ms INTEGER NOT NULL, started_boot_id TEXT, started_boot_ms INTEGER,
    ended_wall_ms INTEGER, ended_boot_id TEXT, ended_boot_ms INTEGER,
    slot_wall_ms INTEGER, slot_boot_id TEXT, slot_boot_ms INTEGER,
    http_status INTEGER,
    github_request_id TEXT,
    message TEXT
) STRICT;
CREATE INDEX request_by_host ON request (host, id);
CREATE INDEX request_open ON request (host) WHERE state = 'open';

CREATE TABLE credential (
    host TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('sent', 'accepted', 'rejected', 'unknown', 'pending')),
    resting TEXT NOT NULL CHECK (resting IN ('unknown', 'pending')),
    request INTEGER NOT NULL REFERENCES request (id),
    reason TEXT,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (host, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_sent ON credential (request) WHERE state = 'sent';

CREATE TABLE hold (
    host TEXT PRIMARY KEY,
    set_wall_ms INTEGER NOT NULL, set_boot_id TEXT, set_boot_ms INTEGER,
    wait_ms INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO request VALUES
    (1, 'https://api.github.com', 'accepted', 1, 1000000, 'a', 0, 1000000, 'a', 0, 1000000, 'a', 0,
     202, 'AB:1', NULL),
    (2, 'https://api.github.com', 'rejected', 1, 1000000, 'a', 0, 1000000, 'a', 0, 1000000, 'a', 0,
     422, 'AB:2', 'Validation Failed'),
    (3, 'https://api.github.com', 'open', 1, 1000000, 'a', 0, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL);
INSERT INTO credential VALUES
    ('https://api.github.com', x'CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB',
     'github_personal_access_token', 'accepted', 'pending', 1, NULL, 1000000),
    ('https://api.github.com', x'3E23E8160039594A33894F6564E1B1348BBD7A0088D42C4ACB73EEAED59C009D',
     'github_personal_access_token', 'rejected', 'pending', 2, 'Validation Failed', 1000000),
    ('https://api.github.com', x'2E7D2C03A9507AE265ECF5B5356885A53393A2029D241394997265A1A25AEFC6',
     'github_personal_access_token', 'sent', 'pending', 3, NULL, 1000000);
INSERT INTO hold VALUES ('https://api.github.com', 1000000, 'a', 0, 3600000, 'throttled');

PRAGMA application_id = 1685026163;
PRAGMA user_version = 1;
