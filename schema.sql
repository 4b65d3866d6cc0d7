-- The study file of osteon: one SQLite database holds one study.
--
-- Read it with any SQLite client. Writing goes through osteon: every table of the study proper has triggers
-- that enter the change in the trail with functions only osteon registers (osteon_now, osteon_actor,
-- osteon_host, osteon_reason, osteon_text, osteon_hash), so another client's write stops with
-- "no such function" and changes nothing.
--
-- Times are UTC, ISO 8601 with milliseconds. Hashes are SHA-256, lower case hexadecimal.

PRAGMA application_id = 0x6F737465;
PRAGMA user_version = 5;   -- migrations/N.sql brings a file from schema N - 1 to schema N

-- ---------------------------------------------------------------- the study

-- Every protocol that was ever in force: one TOML document, every key present.
CREATE TABLE protocol (
    hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
    toml TEXT NOT NULL
) STRICT;

CREATE TABLE study (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    title           TEXT NOT NULL,
    protocol_hash   TEXT NOT NULL REFERENCES protocol (hash),
    created_at      TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    program_version TEXT NOT NULL,      -- the osteon that made the file
    locked_at       TEXT,               -- clinical data and images are frozen while this is set
    locked_by       TEXT,
    CHECK ((locked_at IS NULL) = (locked_by IS NULL))
) STRICT;

-- The variables of Table 1 as typed columns; an empty cell is NULL.
CREATE TABLE patient (
    id                    INTEGER PRIMARY KEY,
    code                  TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    sex                   TEXT CHECK (sex IN ('female', 'male')),
    age                   REAL CHECK (age BETWEEN 0 AND 120),                 -- years
    location              TEXT CHECK (location IN ('femur', 'tibia', 'other')),
    diameter_mm           REAL CHECK (diameter_mm > 0 AND diameter_mm <= 1000),
    pathological_fracture TEXT CHECK (pathological_fracture IN ('no', 'yes')),
    lung_metastasis       TEXT CHECK (lung_metastasis IN ('no', 'yes')),
    subtype               TEXT CHECK (subtype IN ('common', 'other')),
    alp                   REAL CHECK (alp > 0 AND alp <= 100000),             -- alkaline phosphatase, U/L
    ldh                   REAL CHECK (ldh > 0 AND ldh <= 100000),             -- lactate dehydrogenase, U/L
    necrosis_pct          REAL CHECK (necrosis_pct BETWEEN 0 AND 100),
    included              INTEGER NOT NULL DEFAULT 1 CHECK (included IN (0, 1)),
    exclusion_reason      TEXT,
    version               INTEGER NOT NULL DEFAULT 1,   -- grows with each edit; an edit of an older version is refused
    -- Good response (pGR) is necrosis of at least 90 %; the event that models predict is non-pGR.
    response TEXT GENERATED ALWAYS AS (iif(necrosis_pct >= 90, 'pGR', iif(necrosis_pct < 90, 'non-pGR', NULL))) VIRTUAL,
    event INTEGER GENERATED ALWAYS AS (necrosis_pct < 90) VIRTUAL,
    CHECK ((included = 0) = (exclusion_reason IS NOT NULL))
) STRICT;

-- At most one image, one mask and one repeat mask a patient.
CREATE TABLE image (
    id       INTEGER PRIMARY KEY,
    patient  INTEGER NOT NULL REFERENCES patient (id),
    role     TEXT NOT NULL CHECK (role IN ('image', 'mask', 'repeat mask')),
    path     TEXT NOT NULL,             -- relative to the study file's folder where it lies below it
    sha256   TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0),
    label    INTEGER,                   -- the mask's label; NULL is every voxel that is not zero
    geometry TEXT NOT NULL CHECK (json_valid(geometry)),
    acquisition TEXT CHECK (acquisition IS NULL OR json_valid(acquisition)),  -- what a DICOM image says of its sequence
    seal TEXT NOT NULL DEFAULT '',      -- osteon_hash of the row
    UNIQUE (patient, role)
) STRICT;

-- Questions about a patient's field: raised by a person or by a rule, answered, closed.
CREATE TABLE query (
    id      INTEGER PRIMARY KEY,
    patient INTEGER NOT NULL REFERENCES patient (id),
    field   TEXT NOT NULL,
    source  TEXT NOT NULL CHECK (source IN ('person', 'rule')),
    text    TEXT NOT NULL CHECK (length(text) > 0),
    state   TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'closed')),
    answer  TEXT,
    CHECK (state <> 'answered' OR answer IS NOT NULL)
) STRICT;
CREATE INDEX query_of_patient ON query (patient, field);

-- ---------------------------------------------------------------- features

-- One execution that produced results.
CREATE TABLE run (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,      -- extract, fit, agreement, ...
    protocol_hash   TEXT NOT NULL REFERENCES protocol (hash),
    inputs          TEXT NOT NULL,      -- hash of what it read; for an extraction, of the protocol's part that features depend on
    seed            INTEGER NOT NULL,
    program_version TEXT NOT NULL,
    actor           TEXT NOT NULL,
    host            TEXT NOT NULL,
    started_at      TEXT NOT NULL,
    finished_at     TEXT,
    locked          INTEGER NOT NULL CHECK (locked IN (0, 1)),   -- whether the data were locked when it began
    trail_head      TEXT NOT NULL       -- hash of the last change when it began
) STRICT;

-- The catalogue.
CREATE TABLE feature (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One region of one patient drawn by one rater: the newest result, with the inputs it came from.
CREATE TABLE extraction (
    id            INTEGER PRIMARY KEY,
    patient       INTEGER NOT NULL REFERENCES patient (id),
    roi           TEXT NOT NULL,        -- intra, peri_2mm, intra_peri_2mm, ...
    rater         TEXT NOT NULL CHECK (rater IN ('mask', 'repeat mask')),
    run           INTEGER NOT NULL REFERENCES run (id),
    image_sha256  TEXT NOT NULL,
    mask_sha256   TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    error         TEXT,
    values_sha256 TEXT,                 -- of the values' 64-bit little-endian bytes in feature order, NaN for NULL
    seal TEXT NOT NULL DEFAULT '',      -- osteon_hash of the row
    UNIQUE (patient, roi, rater),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK ((status = 'done') = (values_sha256 IS NOT NULL))
) STRICT;
CREATE INDEX extraction_of_roi ON extraction (roi, rater);

-- value is NULL where the feature is undefined.
CREATE TABLE feature_value (
    extraction INTEGER NOT NULL REFERENCES extraction (id) ON DELETE CASCADE,
    feature    INTEGER NOT NULL REFERENCES feature (id),
    value      REAL,
    PRIMARY KEY (extraction, feature)
) STRICT, WITHOUT ROWID;

-- Parts of an extraction that ran elsewhere. A shard file has one row, about itself; a study has one for each file
-- that was merged and brought something.
CREATE TABLE shard (
    run      INTEGER PRIMARY KEY REFERENCES run (id),
    plan     TEXT NOT NULL CHECK (length(plan) = 64),        -- hash of the plan
    number   INTEGER NOT NULL CHECK (number BETWEEN 1 AND n_shards),
    n_shards INTEGER NOT NULL,
    sha256   TEXT CHECK (length(sha256) = 64)                -- of the merged file; NULL in the shard file itself
) STRICT;

-- ---------------------------------------------------------------- learning

-- The split in force is the one with the highest id.
CREATE TABLE split (
    id             INTEGER PRIMARY KEY,
    source         TEXT NOT NULL CHECK (source IN ('drawn', 'imported')),
    seed           INTEGER,             -- NULL for an imported split
    train_fraction REAL CHECK (train_fraction BETWEEN 0 AND 1),
    strata         TEXT NOT NULL,       -- what it was stratified by; '' for nothing
    locked         INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
    created_at     TEXT NOT NULL
) STRICT;

CREATE TABLE split_member (
    split   INTEGER NOT NULL REFERENCES split (id),
    patient INTEGER NOT NULL REFERENCES patient (id),
    side    TEXT NOT NULL CHECK (side IN ('train', 'test')),
    PRIMARY KEY (split, patient)
) STRICT, WITHOUT ROWID;

-- What was learnt from the training rows of a split.
CREATE TABLE model (
    id     INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL REFERENCES run (id),
    split  INTEGER NOT NULL REFERENCES split (id),
    name   TEXT NOT NULL,               -- clinical, radiomics, combined, or a region's name
    kind   TEXT NOT NULL,               -- logistic, forest, lasso
    recipe TEXT NOT NULL CHECK (json_valid(recipe)),
    UNIQUE (run, name, kind)
) STRICT;

CREATE TABLE selected_feature (
    model    INTEGER NOT NULL REFERENCES model (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    feature  TEXT NOT NULL,
    weight   REAL NOT NULL,
    PRIMARY KEY (model, position)
) STRICT, WITHOUT ROWID;

-- Each patient's probability of the event. Metrics are computed from these, never stored.
CREATE TABLE prediction (
    model       INTEGER NOT NULL REFERENCES model (id),
    patient     INTEGER NOT NULL REFERENCES patient (id),
    origin      TEXT NOT NULL CHECK (origin IN ('fitted', 'out of fold', 'out of bag')),
    probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
    linear      REAL,                   -- the linear score, where the model has one
    PRIMARY KEY (model, patient, origin)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- long work

-- The queue. A running job whose heartbeat is old, or whose process is gone, was killed: its work resumes.
CREATE TABLE job (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,         -- extract, fit, ...
    request      TEXT NOT NULL CHECK (json_valid(request)),
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    cancel       INTEGER NOT NULL DEFAULT 0 CHECK (cancel IN (0, 1)),   -- somebody asked it to stop
    stage        TEXT NOT NULL DEFAULT '',
    done         INTEGER NOT NULL DEFAULT 0,
    total        INTEGER NOT NULL DEFAULT 0,
    actor        TEXT NOT NULL,
    host         TEXT NOT NULL,
    pid          INTEGER,
    queued_at    TEXT NOT NULL,
    started_at   TEXT,
    heartbeat_at TEXT,
    finished_at  TEXT,
    error        TEXT
) STRICT;

-- Finished parts of a fit that has not ended: an interrupted one goes on from here. Empty after a fit.
CREATE TABLE part (
    id    INTEGER PRIMARY KEY,
    work  TEXT NOT NULL CHECK (length(work) = 64),   -- hash of all that the fit reads, the protocol and the version
    name  TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),   -- sha256 (of work, name and part), part
    UNIQUE (work, name)
) STRICT;

-- ---------------------------------------------------------------- the trail

-- Who changed what, when, where, from what to what, and why. Each row's hash covers the row and the hash before it:
--   hash = SHA-256 of the UTF-8 JSON array
--          [seq, at, actor, host, tbl, row_key, field, old, new, reason, previous]
-- without spaces, null for NULL, nothing escaped but ", \ and control characters. The first row's previous is ''.
CREATE TABLE change (
    seq      INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    actor    TEXT NOT NULL,
    host     TEXT NOT NULL,
    tbl      TEXT NOT NULL,
    row_key  TEXT NOT NULL,             -- the patient's code, or what else names the row
    field    TEXT NOT NULL,
    old      TEXT,
    new      TEXT,
    reason   TEXT NOT NULL CHECK (length(reason) > 0),
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX change_of_row ON change (tbl, row_key);

CREATE TRIGGER change_chain BEFORE INSERT ON change
WHEN new.previous IS NOT coalesce((SELECT hash FROM change ORDER BY seq DESC LIMIT 1), '')
  OR new.hash IS NOT osteon_hash(new.seq, new.at, new.actor, new.host, new.tbl, new.row_key, new.field,
                                 new.old, new.new, new.reason, new.previous)
BEGIN SELECT raise(ABORT, 'a change that does not continue the trail'); END;
CREATE TRIGGER change_kept_update BEFORE UPDATE ON change
BEGIN SELECT raise(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER change_kept_delete BEFORE DELETE ON change
BEGIN SELECT raise(ABORT, 'the trail is append-only'); END;

-- The door to the trail: an insert here becomes the next link of the chain, one row at a time.
CREATE VIEW trail AS SELECT tbl, row_key, field, old, new FROM change;
CREATE TRIGGER trail_door INSTEAD OF INSERT ON trail BEGIN
    INSERT INTO change
    SELECT seq, osteon_now(), osteon_actor(), osteon_host(), new.tbl, new.row_key, new.field, new.old, new.new,
           osteon_reason(), previous,
           osteon_hash(seq, osteon_now(), osteon_actor(), osteon_host(), new.tbl, new.row_key, new.field,
                       new.old, new.new, osteon_reason(), previous)
    FROM (SELECT coalesce(max(seq), 0) + 1 AS seq,
                 coalesce((SELECT hash FROM change ORDER BY seq DESC LIMIT 1), '') AS previous
          FROM change);
END;

-- The study's row
CREATE TRIGGER study_made AFTER INSERT ON study BEGIN
    INSERT INTO trail SELECT 'study', new.title, field, NULL, now
    FROM (SELECT 'title' AS field, new.title AS now
          UNION ALL SELECT 'protocol', new.protocol_hash);
END;
CREATE TRIGGER study_changed AFTER UPDATE ON study BEGIN
    INSERT INTO trail SELECT 'study', new.title, field, was, now
    FROM (SELECT 'title' AS field, old.title AS was, new.title AS now
          UNION ALL SELECT 'protocol', old.protocol_hash, new.protocol_hash
          UNION ALL SELECT 'locked', old.locked_at, new.locked_at)
    WHERE was IS NOT now;
END;
CREATE TRIGGER study_kept BEFORE DELETE ON study
BEGIN SELECT raise(ABORT, 'a study is never deleted from its file'); END;
CREATE TRIGGER protocol_kept_update BEFORE UPDATE ON protocol
BEGIN SELECT raise(ABORT, 'a protocol is never changed, only replaced'); END;
CREATE TRIGGER protocol_kept_delete BEFORE DELETE ON protocol
BEGIN SELECT raise(ABORT, 'a protocol is never deleted'); END;

-- Patients
CREATE TRIGGER patient_frozen_insert BEFORE INSERT ON patient WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER patient_frozen_update BEFORE UPDATE ON patient WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER patient_kept BEFORE DELETE ON patient
BEGIN SELECT raise(ABORT, 'a patient is never deleted, only excluded'); END;
CREATE TRIGGER patient_added AFTER INSERT ON patient BEGIN
    INSERT INTO trail SELECT 'patient', new.code, field, NULL, osteon_text(now)
    FROM (SELECT 'code' AS field, new.code AS now
          UNION ALL SELECT 'sex', new.sex
          UNION ALL SELECT 'age', new.age
          UNION ALL SELECT 'location', new.location
          UNION ALL SELECT 'diameter_mm', new.diameter_mm
          UNION ALL SELECT 'pathological_fracture', new.pathological_fracture
          UNION ALL SELECT 'lung_metastasis', new.lung_metastasis
          UNION ALL SELECT 'subtype', new.subtype
          UNION ALL SELECT 'alp', new.alp
          UNION ALL SELECT 'ldh', new.ldh
          UNION ALL SELECT 'necrosis_pct', new.necrosis_pct
          UNION ALL SELECT 'exclusion_reason', new.exclusion_reason)
    WHERE now IS NOT NULL;
END;
CREATE TRIGGER patient_changed AFTER UPDATE ON patient BEGIN
    INSERT INTO trail SELECT 'patient', new.code, field, osteon_text(was), osteon_text(now)
    FROM (SELECT 'code' AS field, old.code AS was, new.code AS now
          UNION ALL SELECT 'sex', old.sex, new.sex
          UNION ALL SELECT 'age', old.age, new.age
          UNION ALL SELECT 'location', old.location, new.location
          UNION ALL SELECT 'diameter_mm', old.diameter_mm, new.diameter_mm
          UNION ALL SELECT 'pathological_fracture', old.pathological_fracture, new.pathological_fracture
          UNION ALL SELECT 'lung_metastasis', old.lung_metastasis, new.lung_metastasis
          UNION ALL SELECT 'subtype', old.subtype, new.subtype
          UNION ALL SELECT 'alp', old.alp, new.alp
          UNION ALL SELECT 'ldh', old.ldh, new.ldh
          UNION ALL SELECT 'necrosis_pct', old.necrosis_pct, new.necrosis_pct
          UNION ALL SELECT 'included', old.included, new.included
          UNION ALL SELECT 'exclusion_reason', old.exclusion_reason, new.exclusion_reason)
    WHERE was IS NOT now;
END;

-- Images
CREATE TRIGGER image_frozen_insert BEFORE INSERT ON image WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER image_frozen_update BEFORE UPDATE ON image WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER image_kept BEFORE DELETE ON image
BEGIN SELECT raise(ABORT, 'an image is never unlinked, only replaced'); END;
CREATE TRIGGER image_added AFTER INSERT ON image BEGIN
    INSERT INTO trail SELECT 'image', (SELECT code FROM patient WHERE id = new.patient), new.role || ' ' || field,
                             NULL, osteon_text(now)
    FROM (SELECT 'path' AS field, new.path AS now
          UNION ALL SELECT 'sha256', new.sha256
          UNION ALL SELECT 'label', new.label
          UNION ALL SELECT 'acquisition', new.acquisition) WHERE now IS NOT NULL;
END;
CREATE TRIGGER image_changed AFTER UPDATE ON image BEGIN
    INSERT INTO trail SELECT 'image', (SELECT code FROM patient WHERE id = new.patient), new.role || ' ' || field,
                             osteon_text(was), osteon_text(now)
    FROM (SELECT 'path' AS field, old.path AS was, new.path AS now
          UNION ALL SELECT 'sha256', old.sha256, new.sha256
          UNION ALL SELECT 'label', old.label, new.label
          UNION ALL SELECT 'acquisition', old.acquisition, new.acquisition
          UNION ALL SELECT 'patient', old.patient, new.patient)
    WHERE was IS NOT now;
END;

-- Queries
CREATE TRIGGER query_kept BEFORE DELETE ON query
BEGIN SELECT raise(ABORT, 'a query is never deleted, only closed'); END;
CREATE TRIGGER query_raised AFTER INSERT ON query BEGIN
    INSERT INTO trail VALUES ('query', (SELECT code FROM patient WHERE id = new.patient), new.field, NULL,
                              new.source || ': ' || new.text);
END;
CREATE TRIGGER query_changed AFTER UPDATE ON query BEGIN
    INSERT INTO trail SELECT 'query', (SELECT code FROM patient WHERE id = new.patient), new.field || ' ' || field,
                             was, now
    FROM (SELECT 'state' AS field, old.state AS was, new.state AS now
          UNION ALL SELECT 'answer', old.answer, new.answer
          UNION ALL SELECT 'text', old.text, new.text)
    WHERE was IS NOT now;
END;

-- Merged shards
CREATE TRIGGER shard_merged AFTER INSERT ON shard WHEN new.sha256 IS NOT NULL BEGIN
    INSERT INTO trail VALUES ('shard', new.plan, new.number || ' of ' || new.n_shards, NULL, new.sha256);
END;
CREATE TRIGGER shard_kept_update BEFORE UPDATE ON shard
BEGIN SELECT raise(ABORT, 'a merged shard is never changed'); END;
CREATE TRIGGER shard_kept_delete BEFORE DELETE ON shard
BEGIN SELECT raise(ABORT, 'a merged shard is never deleted'); END;

-- Splits: never changed but to be locked; a new split is a new row
CREATE TRIGGER split_made AFTER INSERT ON split BEGIN
    INSERT INTO trail VALUES ('split', new.id, new.source, NULL, coalesce('seed ' || new.seed, 'imported'));
END;
CREATE TRIGGER split_frozen BEFORE INSERT ON split
WHEN (SELECT locked FROM split ORDER BY id DESC LIMIT 1) = 1
BEGIN SELECT raise(ABORT, 'the split is locked'); END;
CREATE TRIGGER split_changed AFTER UPDATE ON split BEGIN
    INSERT INTO trail SELECT 'split', new.id, 'locked', old.locked, new.locked WHERE old.locked IS NOT new.locked;
END;
CREATE TRIGGER split_kept_update BEFORE UPDATE OF id, source, seed, train_fraction, strata, created_at ON split
BEGIN SELECT raise(ABORT, 'a split is never changed, only replaced'); END;
CREATE TRIGGER split_kept BEFORE DELETE ON split
BEGIN SELECT raise(ABORT, 'a split is never deleted'); END;
CREATE TRIGGER split_member_added AFTER INSERT ON split_member BEGIN
    INSERT INTO trail VALUES ('split', new.split, (SELECT code FROM patient WHERE id = new.patient), NULL, new.side);
END;
CREATE TRIGGER split_member_kept_update BEFORE UPDATE ON split_member
BEGIN SELECT raise(ABORT, 'a split is never changed, only replaced'); END;
CREATE TRIGGER split_member_kept_delete BEFORE DELETE ON split_member
BEGIN SELECT raise(ABORT, 'a split is never changed, only replaced'); END;
