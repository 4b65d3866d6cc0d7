-- The study file of osteon: one SQLite database holds one study.
--
-- Read it with any SQLite client. Writing goes through osteon: every table of the study proper has triggers
-- that enter the change in the trail with functions only osteon registers (osteon_now, osteon_actor,
-- osteon_host, osteon_reason, osteon_text, osteon_hash, osteon_seal), so another client's write stops with
-- "no such function" and changes nothing.
--
-- Times are UTC, ISO 8601 with milliseconds. Hashes are SHA-256, lower case hexadecimal.

PRAGMA application_id = 0x6F737465;
PRAGMA user_version = 6;   -- migrations/N.sql brings a file from schema N - 1 to schema N

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

-- Patients; what is known of them stands in `clinical`.
CREATE TABLE patient (
    id               INTEGER PRIMARY KEY,
    code             TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    included         INTEGER NOT NULL DEFAULT 1 CHECK (included IN (0, 1)),
    exclusion_reason TEXT,
    version          INTEGER NOT NULL DEFAULT 1,   -- grows with each edit; an edit of an older version is refused
    CHECK ((included = 0) = (exclusion_reason IS NOT NULL))
) STRICT;

-- The codebook in force: one row a variable, from the protocol's [[variable]] tables. A retired variable keeps its
-- values and is shown nowhere. The view `cohort` has one column a variable; it is made anew when the codebook changes:
--     SELECT id, alp, response FROM cohort WHERE included
CREATE TABLE variable (
    id       INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,      -- permanent: the trail and recipes know the variable by it
    name     TEXT NOT NULL,             -- its column in files and tables; may change
    position INTEGER NOT NULL,          -- in Table 1
    kind     TEXT NOT NULL CHECK (kind IN ('number', 'levels', 'date', 'text')),
    moment   TEXT NOT NULL CHECK (moment IN ('baseline', 'during treatment', 'surgery', 'follow-up')),
    computed INTEGER NOT NULL CHECK (computed IN (0, 1)),   -- by a formula: no value is typed
    low      REAL,                      -- least possible number; NULL for none
    above    INTEGER NOT NULL DEFAULT 0 CHECK (above IN (0, 1)),   -- whether low itself is impossible
    high     REAL,
    below    INTEGER NOT NULL DEFAULT 0 CHECK (below IN (0, 1)),
    retired  INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1)),
    UNIQUE (id, kind)
) STRICT;

CREATE TABLE level (
    variable INTEGER NOT NULL REFERENCES variable (id),
    name     TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (variable, name)
) STRICT, WITHOUT ROWID;

-- One known value of a patient a row: a number, or a word (a level, a date as YYYY-MM-DD, a text, the interval that a
-- number lies in such as '> 90'), or the reason why there is none.
CREATE TABLE clinical (
    patient  INTEGER NOT NULL REFERENCES patient (id),
    variable INTEGER NOT NULL,
    moment   TEXT NOT NULL CHECK (moment IN ('baseline', 'during treatment', 'surgery', 'follow-up')),
    kind     TEXT NOT NULL,             -- the variable's
    number   REAL,
    word     TEXT,
    missing  TEXT,
    PRIMARY KEY (patient, variable, moment),
    FOREIGN KEY (variable, kind) REFERENCES variable (id, kind),
    CHECK ((number IS NOT NULL) + (word IS NOT NULL) + (missing IS NOT NULL) = 1),
    CHECK (number IS NULL OR kind = 'number'),
    CHECK (kind <> 'date' OR word IS NULL OR date(word) IS word)
) STRICT, WITHOUT ROWID;

-- What each patient's values say of each declared outcome; computed from `clinical`, never typed.
CREATE TABLE outcome (
    patient INTEGER NOT NULL REFERENCES patient (id),
    name    TEXT NOT NULL,
    event   INTEGER CHECK (event IN (0, 1)),    -- NULL is unknown
    reason  TEXT,                               -- why it is unknown
    PRIMARY KEY (patient, name),
    CHECK ((event IS NULL) = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- At most one image a patient and slot, and one mask a lesion and rater drawn on it. The paper's masks and repeat masks
-- are those of the raters 'mask' and 'repeat mask'; a study that declares no slots has the slot 'image'.
CREATE TABLE image (
    id       INTEGER PRIMARY KEY,
    patient  INTEGER NOT NULL REFERENCES patient (id),
    kind     TEXT NOT NULL CHECK (kind IN ('image', 'mask')),
    slot     TEXT NOT NULL CHECK (length(slot) > 0),
    lesion   TEXT NOT NULL,             -- '' for an image
    rater    TEXT NOT NULL,             -- '' for an image
    path     TEXT NOT NULL,             -- relative to the study file's folder where it lies below it
    sha256   TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0),
    label    INTEGER,                   -- the mask's label; NULL is every voxel that is not zero
    geometry TEXT NOT NULL CHECK (json_valid(geometry)),
    acquisition TEXT CHECK (acquisition IS NULL OR json_valid(acquisition)),  -- what a DICOM image says of its sequence
    seal TEXT NOT NULL DEFAULT '',      -- osteon_seal of the row
    UNIQUE (patient, kind, slot, lesion, rater),
    CHECK ((kind = 'mask') = (length(lesion) > 0)),
    CHECK ((kind = 'mask') = (length(rater) > 0))
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

-- Readers' verdicts on masks, the newest of a reader in force. A mask that was replaced since has none.
CREATE TABLE verdict (
    id      INTEGER PRIMARY KEY,
    patient INTEGER NOT NULL REFERENCES patient (id),
    slot    TEXT NOT NULL,
    lesion  TEXT NOT NULL,
    rater   TEXT NOT NULL,              -- who drew the mask
    mask_sha256 TEXT NOT NULL CHECK (length(mask_sha256) = 64),
    reader  TEXT NOT NULL,              -- who judged it
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'to redo', 'excluded')),
    note    TEXT NOT NULL DEFAULT '',
    at      TEXT NOT NULL
) STRICT;
CREATE INDEX verdict_of_mask ON verdict (patient, slot, lesion, rater);

-- Files that changed values, each one entry that can be undone as a whole: the changes from first to last.
CREATE TABLE import (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL CHECK (kind IN ('clinical', 'images', 'answers')),
    path    TEXT NOT NULL,
    sha256  TEXT NOT NULL CHECK (length(sha256) = 64),
    first   INTEGER NOT NULL REFERENCES change (seq),
    last    INTEGER NOT NULL REFERENCES change (seq),
    at      TEXT NOT NULL,
    undoes  INTEGER UNIQUE REFERENCES import (id),  -- the import that these changes turned back; NULL for a file's own
    salt    TEXT NOT NULL,              -- random; sha256 is of it and of the file's own SHA-256
    CHECK (first <= last),
    CHECK (undoes < id)
) STRICT;

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

-- Which features a row of values holds: their ids in ascending order, as a JSON array.
CREATE TABLE layout (
    id       INTEGER PRIMARY KEY,
    features TEXT NOT NULL UNIQUE CHECK (json_valid(features)),
    seal     TEXT NOT NULL              -- osteon_seal of the ids and of the features' names as a JSON array
) STRICT;

-- One region of one lesion of one patient drawn by one rater: the newest result, with the inputs it came from.
CREATE TABLE extraction (
    id            INTEGER PRIMARY KEY,
    patient       INTEGER NOT NULL REFERENCES patient (id),
    slot          TEXT NOT NULL,
    region        TEXT NOT NULL,        -- intra, peri_2mm, intra_peri_2mm, ...
    lesion        TEXT NOT NULL,
    rater         TEXT NOT NULL,
    run           INTEGER NOT NULL REFERENCES run (id),
    image_sha256  TEXT NOT NULL,
    mask_sha256   TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    error         TEXT,
    values_sha256 TEXT,                 -- of the values' 64-bit little-endian bytes in feature order, NaN for NULL
    layout        INTEGER REFERENCES layout (id),
    diagnostics   TEXT CHECK (diagnostics IS NULL OR json_valid(diagnostics)),   -- what the region is, and what was overridden
    seal TEXT NOT NULL DEFAULT '',      -- osteon_seal of the row
    UNIQUE (patient, slot, region, lesion, rater),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK ((status = 'done') = (values_sha256 IS NOT NULL)),
    CHECK ((status = 'done') = (layout IS NOT NULL))
) STRICT;
CREATE INDEX extraction_of_region ON extraction (region, rater);

-- The values of an extraction, 57 a row in the order of its layout; NULL where a feature is undefined.
CREATE TABLE feature_block (
    extraction INTEGER NOT NULL REFERENCES extraction (id) ON DELETE CASCADE,
    block      INTEGER NOT NULL,
    v0 REAL, v1 REAL, v2 REAL, v3 REAL, v4 REAL, v5 REAL, v6 REAL, v7 REAL, v8 REAL, v9 REAL,
    v10 REAL, v11 REAL, v12 REAL, v13 REAL, v14 REAL, v15 REAL, v16 REAL, v17 REAL, v18 REAL, v19 REAL,
    v20 REAL, v21 REAL, v22 REAL, v23 REAL, v24 REAL, v25 REAL, v26 REAL, v27 REAL, v28 REAL, v29 REAL,
    v30 REAL, v31 REAL, v32 REAL, v33 REAL, v34 REAL, v35 REAL, v36 REAL, v37 REAL, v38 REAL, v39 REAL,
    v40 REAL, v41 REAL, v42 REAL, v43 REAL, v44 REAL, v45 REAL, v46 REAL, v47 REAL, v48 REAL, v49 REAL,
    v50 REAL, v51 REAL, v52 REAL, v53 REAL, v54 REAL, v55 REAL, v56 REAL,
    PRIMARY KEY (extraction, block)
) STRICT, WITHOUT ROWID;

-- One value a row.
CREATE VIEW feature_value AS
    SELECT extraction.id AS extraction, place.value AS feature,
           CASE place.key % 57
                WHEN 0 THEN v0 WHEN 1 THEN v1 WHEN 2 THEN v2 WHEN 3 THEN v3 WHEN 4 THEN v4 WHEN 5 THEN v5
                WHEN 6 THEN v6 WHEN 7 THEN v7 WHEN 8 THEN v8 WHEN 9 THEN v9 WHEN 10 THEN v10 WHEN 11 THEN v11
                WHEN 12 THEN v12 WHEN 13 THEN v13 WHEN 14 THEN v14 WHEN 15 THEN v15 WHEN 16 THEN v16 WHEN 17 THEN v17
                WHEN 18 THEN v18 WHEN 19 THEN v19 WHEN 20 THEN v20 WHEN 21 THEN v21 WHEN 22 THEN v22 WHEN 23 THEN v23
                WHEN 24 THEN v24 WHEN 25 THEN v25 WHEN 26 THEN v26 WHEN 27 THEN v27 WHEN 28 THEN v28 WHEN 29 THEN v29
                WHEN 30 THEN v30 WHEN 31 THEN v31 WHEN 32 THEN v32 WHEN 33 THEN v33 WHEN 34 THEN v34 WHEN 35 THEN v35
                WHEN 36 THEN v36 WHEN 37 THEN v37 WHEN 38 THEN v38 WHEN 39 THEN v39 WHEN 40 THEN v40 WHEN 41 THEN v41
                WHEN 42 THEN v42 WHEN 43 THEN v43 WHEN 44 THEN v44 WHEN 45 THEN v45 WHEN 46 THEN v46 WHEN 47 THEN v47
                WHEN 48 THEN v48 WHEN 49 THEN v49 WHEN 50 THEN v50 WHEN 51 THEN v51 WHEN 52 THEN v52 WHEN 53 THEN v53
                WHEN 54 THEN v54 WHEN 55 THEN v55 WHEN 56 THEN v56
           END AS value
    FROM extraction JOIN layout ON layout.id = extraction.layout JOIN json_each(layout.features) AS place
         JOIN feature_block ON feature_block.extraction = extraction.id AND feature_block.block = place.key / 57;

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
--          [seq, at, actor, host, tbl, row_key, field, sealed, previous]
-- (before schema 6 old, new, reason in the place of sealed) without spaces, null for NULL, nothing escaped but ", \ and control characters. The first row's previous is ''.
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
    hash     TEXT NOT NULL UNIQUE,
    salt     TEXT NOT NULL DEFAULT '',  -- three random numbers; '' before schema 6, dashes where a text was taken out
    sealed   TEXT NOT NULL DEFAULT ''   -- three hashes: osteon_seal of salt, name and text of old, new and reason
) STRICT;
CREATE INDEX change_of_row ON change (tbl, row_key);

CREATE TRIGGER change_chain BEFORE INSERT ON change
WHEN new.previous IS NOT coalesce((SELECT hash FROM change ORDER BY seq DESC LIMIT 1), '')
  OR length(new.salt) <> 98
  OR new.sealed IS NOT osteon_texts(new.salt, new.old, new.new, new.reason)
  OR new.hash IS NOT osteon_hash(new.seq, new.at, new.actor, new.host, new.tbl, new.row_key, new.field,
                                 new.sealed, new.previous)
BEGIN SELECT raise(ABORT, 'a change that does not continue the trail'); END;
-- But for texts that are taken out: a later link, a redaction, announces the hash of the row as it becomes.
CREATE TRIGGER change_kept_update BEFORE UPDATE ON change
WHEN NOT EXISTS (
    SELECT 1 FROM change AS announced WHERE announced.tbl = 'redaction' AND announced.field = 'change ' || old.seq
    AND announced.new = osteon_seal(new.seq, new.at, new.actor, new.host, new.tbl, new.row_key, new.field, new.old,
                                    new.new, new.reason, new.previous, new.hash, new.salt, new.sealed))
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
                       osteon_texts(osteon_salt(seq), new.old, new.new, osteon_reason()), previous),
           osteon_salt(seq), osteon_texts(osteon_salt(seq), new.old, new.new, osteon_reason())
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
    INSERT INTO trail SELECT 'patient', new.code, field, NULL, now
    FROM (SELECT 'code' AS field, new.code AS now
          UNION ALL SELECT 'exclusion_reason', new.exclusion_reason)
    WHERE now IS NOT NULL;
END;
CREATE TRIGGER patient_changed AFTER UPDATE ON patient BEGIN
    INSERT INTO trail SELECT 'patient', new.code, field, osteon_text(was), osteon_text(now)
    FROM (SELECT 'code' AS field, old.code AS was, new.code AS now
          UNION ALL SELECT 'included', old.included, new.included
          UNION ALL SELECT 'exclusion_reason', old.exclusion_reason, new.exclusion_reason)
    WHERE was IS NOT now;
END;

-- Clinical values: once for any variable. A computed value is no change of the study, but only osteon computes it.
CREATE TRIGGER clinical_frozen_insert BEFORE INSERT ON clinical WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER clinical_frozen_update BEFORE UPDATE ON clinical WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER clinical_frozen_delete BEFORE DELETE ON clinical WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER clinical_possible_insert BEFORE INSERT ON clinical
WHEN new.number IS NOT NULL AND EXISTS (
    SELECT 1 FROM variable WHERE id = new.variable
    AND (new.number < low OR new.number > high OR (above AND new.number = low) OR (below AND new.number = high)))
BEGIN SELECT raise(ABORT, 'the number is not possible for its variable'); END;
CREATE TRIGGER clinical_level_insert BEFORE INSERT ON clinical
WHEN new.kind = 'levels' AND new.word IS NOT NULL
 AND NOT EXISTS (SELECT 1 FROM level WHERE variable = new.variable AND name = new.word)
BEGIN SELECT raise(ABORT, 'the word is no level of its variable'); END;
CREATE TRIGGER clinical_possible_update BEFORE UPDATE ON clinical
WHEN new.number IS NOT NULL AND EXISTS (
    SELECT 1 FROM variable WHERE id = new.variable
    AND (new.number < low OR new.number > high OR (above AND new.number = low) OR (below AND new.number = high)))
BEGIN SELECT raise(ABORT, 'the number is not possible for its variable'); END;
CREATE TRIGGER clinical_level_update BEFORE UPDATE ON clinical
WHEN new.kind = 'levels' AND new.word IS NOT NULL
 AND NOT EXISTS (SELECT 1 FROM level WHERE variable = new.variable AND name = new.word)
BEGIN SELECT raise(ABORT, 'the word is no level of its variable'); END;
CREATE TRIGGER clinical_added AFTER INSERT ON clinical BEGIN
    INSERT INTO trail SELECT 'patient', (SELECT code FROM patient WHERE id = new.patient),
                             (SELECT key || iif(new.moment = moment, '', ' at ' || new.moment) FROM variable WHERE id = new.variable),
                             NULL, osteon_text(coalesce(new.number, new.word, 'missing: ' || new.missing))
    WHERE NOT (SELECT computed FROM variable WHERE id = new.variable);
    SELECT osteon_now();
END;
CREATE TRIGGER clinical_changed AFTER UPDATE ON clinical BEGIN
    INSERT INTO trail SELECT 'patient', (SELECT code FROM patient WHERE id = new.patient),
                             (SELECT key || iif(new.moment = moment, '', ' at ' || new.moment) FROM variable WHERE id = new.variable),
                             was, now
    FROM (SELECT osteon_text(coalesce(old.number, old.word, 'missing: ' || old.missing)) AS was,
                 osteon_text(coalesce(new.number, new.word, 'missing: ' || new.missing)) AS now)
    WHERE was IS NOT now AND NOT (SELECT computed FROM variable WHERE id = new.variable);
    SELECT osteon_now();
END;
CREATE TRIGGER clinical_kept BEFORE UPDATE OF patient, variable, moment, kind ON clinical
BEGIN SELECT raise(ABORT, 'a value stays with its patient, variable and moment'); END;
CREATE TRIGGER clinical_removed AFTER DELETE ON clinical BEGIN
    INSERT INTO trail SELECT 'patient', (SELECT code FROM patient WHERE id = old.patient),
                             (SELECT key || iif(old.moment = moment, '', ' at ' || old.moment) FROM variable WHERE id = old.variable),
                             osteon_text(coalesce(old.number, old.word, 'missing: ' || old.missing)), NULL
    WHERE NOT (SELECT computed FROM variable WHERE id = old.variable);
    SELECT osteon_now();
END;

-- The codebook is the protocol's, whose changes are in the trail; only osteon copies it here.
CREATE TRIGGER variable_added AFTER INSERT ON variable BEGIN SELECT osteon_now(); END;
CREATE TRIGGER variable_changed AFTER UPDATE ON variable BEGIN SELECT osteon_now(); END;
CREATE TRIGGER variable_removed AFTER DELETE ON variable BEGIN SELECT osteon_now(); END;
CREATE TRIGGER level_added AFTER INSERT ON level BEGIN SELECT osteon_now(); END;
CREATE TRIGGER level_changed AFTER UPDATE ON level BEGIN SELECT osteon_now(); END;
CREATE TRIGGER level_removed AFTER DELETE ON level BEGIN SELECT osteon_now(); END;
CREATE TRIGGER outcome_added AFTER INSERT ON outcome BEGIN SELECT osteon_now(); END;
CREATE TRIGGER outcome_changed AFTER UPDATE ON outcome BEGIN SELECT osteon_now(); END;
CREATE TRIGGER outcome_removed AFTER DELETE ON outcome BEGIN SELECT osteon_now(); END;

-- Images
CREATE TRIGGER image_frozen_insert BEFORE INSERT ON image WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER image_frozen_update BEFORE UPDATE ON image WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
CREATE TRIGGER image_kept BEFORE DELETE ON image
WHEN NOT EXISTS (SELECT 1 FROM change JOIN patient ON patient.code = row_key
                 WHERE patient.id = old.patient AND tbl = 'withdrawal' AND field = 'erase')
BEGIN SELECT raise(ABORT, 'an image is never unlinked, only replaced'); END;
CREATE TRIGGER image_erased AFTER DELETE ON image BEGIN SELECT osteon_now(); END;
CREATE TRIGGER image_added AFTER INSERT ON image BEGIN
    INSERT INTO trail SELECT 'image', (SELECT code FROM patient WHERE id = new.patient), iif(new.slot = 'image' AND new.lesion IN ('', '1'), iif(new.kind = 'image', 'image', new.rater),
                                 trim(new.kind || ' ' || new.slot || ' ' || replace(replace(new.lesion, '\', '\\'), ' ', '\ ') || ' '
                                      || replace(replace(new.rater, '\', '\\'), ' ', '\ '))) || ' ' || field,
                             NULL, osteon_text(now)
    FROM (SELECT 'path' AS field, new.path AS now
          UNION ALL SELECT 'sha256', new.sha256
          UNION ALL SELECT 'label', new.label
          UNION ALL SELECT 'acquisition', new.acquisition) WHERE now IS NOT NULL;
END;
CREATE TRIGGER image_changed AFTER UPDATE ON image BEGIN
    INSERT INTO trail SELECT 'image', (SELECT code FROM patient WHERE id = new.patient), iif(new.slot = 'image' AND new.lesion IN ('', '1'), iif(new.kind = 'image', 'image', new.rater),
                                 trim(new.kind || ' ' || new.slot || ' ' || replace(replace(new.lesion, '\', '\\'), ' ', '\ ') || ' '
                                      || replace(replace(new.rater, '\', '\\'), ' ', '\ '))) || ' ' || field,
                             osteon_text(was), osteon_text(now)
    FROM (SELECT 'path' AS field, old.path AS was, new.path AS now
          UNION ALL SELECT 'sha256', old.sha256, new.sha256
          UNION ALL SELECT 'label', old.label, new.label
          UNION ALL SELECT 'acquisition', old.acquisition, new.acquisition
          UNION ALL SELECT 'patient', old.patient, new.patient)
    WHERE was IS NOT now;
END;

-- Verdicts and imports
CREATE TRIGGER verdict_given AFTER INSERT ON verdict BEGIN
    INSERT INTO trail VALUES ('verdict', (SELECT code FROM patient WHERE id = new.patient),
                              new.slot || ' ' || replace(replace(new.lesion, '\', '\\'), ' ', '\ ') || ' '
                              || replace(replace(new.rater, '\', '\\'), ' ', '\ ') || ' by ' || new.reader, NULL,
                              trim(new.verdict || ' ' || new.mask_sha256 || ' ' || new.note));
END;
CREATE TRIGGER verdict_kept_update BEFORE UPDATE ON verdict
WHEN new.note <> '[redacted]' OR osteon_seal(new.id, new.patient, new.slot, new.lesion, new.rater, new.mask_sha256, new.reader, new.verdict, new.at)
  IS NOT osteon_seal(old.id, old.patient, old.slot, old.lesion, old.rater, old.mask_sha256, old.reader, old.verdict, old.at)
BEGIN SELECT raise(ABORT, 'a verdict is never changed, only followed by another'); END;
CREATE TRIGGER verdict_kept_delete BEFORE DELETE ON verdict
WHEN NOT EXISTS (SELECT 1 FROM change JOIN patient ON patient.code = row_key
                 WHERE patient.id = old.patient AND tbl = 'withdrawal' AND field = 'erase')
BEGIN SELECT raise(ABORT, 'a verdict is never deleted'); END;
CREATE TRIGGER import_ended AFTER INSERT ON import BEGIN
    INSERT INTO trail VALUES ('import', new.id, new.kind, NULL,
                              new.sha256 || ' changes ' || new.first || ' to ' || new.last
                              || iif(new.undoes IS NULL, '', ' undoes ' || new.undoes));
END;
CREATE TRIGGER import_kept_update BEFORE UPDATE ON import
WHEN new.salt <> '' OR osteon_seal(new.id, new.kind, new.path, new.sha256, new.first, new.last, new.at, new.undoes)
  IS NOT osteon_seal(old.id, old.kind, old.path, old.sha256, old.first, old.last, old.at, old.undoes)
BEGIN SELECT raise(ABORT, 'an import is never changed'); END;
CREATE TRIGGER import_kept_delete BEFORE DELETE ON import
BEGIN SELECT raise(ABORT, 'an import is never deleted'); END;

-- Queries
CREATE TRIGGER query_kept BEFORE DELETE ON query
BEGIN SELECT raise(ABORT, 'a query is never deleted, only closed'); END;
CREATE TRIGGER query_raised AFTER INSERT ON query BEGIN
    INSERT INTO trail VALUES ('query', (SELECT code FROM patient WHERE id = new.patient),
                              new.field || ' query ' || new.id, NULL, new.source || ': ' || new.text);
END;
CREATE TRIGGER query_changed AFTER UPDATE ON query BEGIN
    INSERT INTO trail SELECT 'query', (SELECT code FROM patient WHERE id = new.patient),
                             new.field || ' ' || field || ' of query ' || new.id, was, now
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
    INSERT INTO trail VALUES ('split', new.id, 'terms', NULL,
                              'share ' || coalesce(osteon_text(new.train_fraction), 'unknown') || ', strata '
                              || new.strata || ', ' || new.created_at);
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
