-- +goose Up

-- Times are microseconds since 1970 in UTC, days are days since 1970. What is not known is '' or 0. Each row's sum is a
-- CRC-32C of the columns before it, as rows.go makes it.

-- How many transactions there have been: what FILE-acknowledged is compared with.
CREATE TABLE mark (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  transactions INTEGER NOT NULL
) STRICT;

INSERT INTO mark VALUES (1, 0);

CREATE TABLE request (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reference TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  idempotency_key TEXT UNIQUE, -- NULL: none
  same BLOB NOT NULL,          -- digest of the question
  party TEXT NOT NULL,
  role TEXT NOT NULL,
  own_reference TEXT NOT NULL,
  postcode TEXT NOT NULL,
  outcode TEXT NOT NULL,       -- that of the postcode, where there is one
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  installation INTEGER NOT NULL,
  status TEXT NOT NULL,
  closed INTEGER NOT NULL,
  why TEXT NOT NULL,
  answers INTEGER NOT NULL,
  region TEXT NOT NULL,        -- of the last answer
  snapshot TEXT NOT NULL,      -- likewise
  sum INTEGER NOT NULL
) STRICT;

CREATE INDEX request_status ON request (status);
CREATE INDEX request_party ON request (party);
CREATE INDEX request_own_reference ON request (own_reference);
CREATE INDEX request_postcode ON request (postcode);
CREATE INDEX request_outcode ON request (outcode);
CREATE INDEX request_region ON request (region);
CREATE INDEX request_created ON request (created);
CREATE INDEX request_latitude ON request (latitude);

CREATE TABLE answer (
  request INTEGER NOT NULL REFERENCES request (id),
  n INTEGER NOT NULL, -- from 1
  at INTEGER NOT NULL,
  snapshot TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  on_day INTEGER NOT NULL,
  region TEXT NOT NULL,
  region_basis TEXT NOT NULL,
  border REAL NOT NULL, -- -1: over 5 km
  in_extracts INTEGER NOT NULL,
  uprn INTEGER NOT NULL,
  state TEXT NOT NULL,
  basis TEXT NOT NULL,
  from_day INTEGER NOT NULL,
  network TEXT NOT NULL,
  variant TEXT NOT NULL,
  auxiliary TEXT NOT NULL,
  receipt TEXT NOT NULL,
  told INTEGER NOT NULL, -- it was an event, and keeps its body
  sum INTEGER NOT NULL,
  body BLOB,             -- a CRC-32C (4 bytes, little-endian) of the zstd frame that follows; NULL: not kept
  PRIMARY KEY (request, n)
) STRICT;

CREATE INDEX answer_uprn ON answer (uprn) WHERE uprn <> 0;

CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request INTEGER NOT NULL REFERENCES request (id),
  at INTEGER NOT NULL,
  was TEXT NOT NULL,
  status TEXT NOT NULL,
  changes TEXT NOT NULL, -- JSON
  why TEXT NOT NULL,
  answer INTEGER NOT NULL, -- the last by then
  sum INTEGER NOT NULL
) STRICT;
