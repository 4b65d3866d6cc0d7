-- From schema 5 to schema 6: variables are rows, images have slots, lesions and raters, values of features stand in
-- rows of fixed width. The trail stays as it is: what it says of a patient, an image or a run is true of these tables.

DROP TRIGGER patient_added;
DROP TRIGGER patient_changed;
DROP TRIGGER image_added;
DROP TRIGGER image_changed;
DROP TRIGGER image_frozen_insert;
DROP TRIGGER image_frozen_update;
DROP TRIGGER image_kept;

-- From here on every link has a salt, so that nobody finds a value by trying values on its hash.
DROP TRIGGER change_kept_update;
DROP TRIGGER change_chain;
DROP TRIGGER trail_door;
ALTER TABLE change ADD COLUMN salt TEXT NOT NULL DEFAULT '';
ALTER TABLE change ADD COLUMN sealed TEXT NOT NULL DEFAULT '';
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

INSERT INTO variable (id, key, name, position, kind, moment, computed, low, above, high, below) VALUES
    (1, 'sex', 'sex', 0, 'levels', 'baseline', 0, NULL, 0, NULL, 0),
    (2, 'age', 'age', 1, 'number', 'baseline', 0, 0.0, 0, 120.0, 0),
    (3, 'location', 'location', 2, 'levels', 'baseline', 0, NULL, 0, NULL, 0),
    (4, 'diameter_mm', 'diameter_mm', 3, 'number', 'baseline', 0, 0.0, 1, 1000.0, 0),
    (5, 'pathological_fracture', 'pathological_fracture', 4, 'levels', 'baseline', 0, NULL, 0, NULL, 0),
    (6, 'lung_metastasis', 'lung_metastasis', 5, 'levels', 'baseline', 0, NULL, 0, NULL, 0),
    (7, 'subtype', 'subtype', 6, 'levels', 'baseline', 0, NULL, 0, NULL, 0),
    (8, 'alp', 'alp', 7, 'number', 'baseline', 0, 0.0, 1, 100000.0, 0),
    (9, 'ldh', 'ldh', 8, 'number', 'baseline', 0, 0.0, 1, 100000.0, 0),
    (10, 'necrosis_pct', 'necrosis_pct', 9, 'number', 'surgery', 0, 0.0, 0, 100.0, 0);
INSERT INTO level (variable, name, position) VALUES
    (1, 'female', 0),
    (1, 'male', 1),
    (3, 'femur', 0),
    (3, 'tibia', 1),
    (3, 'other', 2),
    (5, 'no', 0),
    (5, 'yes', 1),
    (6, 'no', 0),
    (6, 'yes', 1),
    (7, 'common', 0),
    (7, 'other', 1);
INSERT INTO clinical (patient, variable, moment, kind, number, word)
SELECT id, 1, 'baseline', 'levels', NULL, sex FROM patient WHERE sex IS NOT NULL
UNION ALL SELECT id, 2, 'baseline', 'number', age, NULL FROM patient WHERE age IS NOT NULL
UNION ALL SELECT id, 3, 'baseline', 'levels', NULL, location FROM patient WHERE location IS NOT NULL
UNION ALL SELECT id, 4, 'baseline', 'number', diameter_mm, NULL FROM patient WHERE diameter_mm IS NOT NULL
UNION ALL SELECT id, 5, 'baseline', 'levels', NULL, pathological_fracture FROM patient WHERE pathological_fracture IS NOT NULL
UNION ALL SELECT id, 6, 'baseline', 'levels', NULL, lung_metastasis FROM patient WHERE lung_metastasis IS NOT NULL
UNION ALL SELECT id, 7, 'baseline', 'levels', NULL, subtype FROM patient WHERE subtype IS NOT NULL
UNION ALL SELECT id, 8, 'baseline', 'number', alp, NULL FROM patient WHERE alp IS NOT NULL
UNION ALL SELECT id, 9, 'baseline', 'number', ldh, NULL FROM patient WHERE ldh IS NOT NULL
UNION ALL SELECT id, 10, 'surgery', 'number', necrosis_pct, NULL FROM patient WHERE necrosis_pct IS NOT NULL;
INSERT INTO outcome SELECT id, 'response', event, iif(event IS NULL, 'necrosis_pct is missing', NULL) FROM patient;

ALTER TABLE patient DROP COLUMN response;
ALTER TABLE patient DROP COLUMN event;
ALTER TABLE patient DROP COLUMN sex;
ALTER TABLE patient DROP COLUMN age;
ALTER TABLE patient DROP COLUMN location;
ALTER TABLE patient DROP COLUMN diameter_mm;
ALTER TABLE patient DROP COLUMN pathological_fracture;
ALTER TABLE patient DROP COLUMN lung_metastasis;
ALTER TABLE patient DROP COLUMN subtype;
ALTER TABLE patient DROP COLUMN alp;
ALTER TABLE patient DROP COLUMN ldh;
ALTER TABLE patient DROP COLUMN necrosis_pct;

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

ALTER TABLE image RENAME TO image_5;
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

INSERT INTO image (id, patient, kind, slot, lesion, rater, path, sha256, bytes, label, geometry, acquisition, seal)
SELECT id, patient, iif(role = 'image', 'image', 'mask'), 'image', iif(role = 'image', '', '1'),
       iif(role = 'image', '', role), path, sha256, bytes, label, geometry, acquisition,
       osteon_seal(patient, iif(role = 'image', 'image', 'mask'), 'image', iif(role = 'image', '', '1'),
                   iif(role = 'image', '', role), path, sha256, bytes, label, geometry, acquisition)
FROM image_5 ORDER BY id;
DROP TABLE image_5;
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

ALTER TABLE feature_value RENAME TO value_5;
ALTER TABLE extraction RENAME TO extraction_5;
DROP INDEX extraction_of_roi;
-- Which features a row of values holds: their ids in ascending order, as a JSON array.
CREATE TABLE layout (
    id       INTEGER PRIMARY KEY,
    features TEXT NOT NULL UNIQUE CHECK (json_valid(features)),
    seal     TEXT NOT NULL              -- osteon_seal of the ids and of the features' names as a JSON array
) STRICT;

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
INSERT INTO layout (features, seal)
SELECT features, osteon_seal(features, (SELECT json_group_array(name ORDER BY place.key) FROM json_each(features) AS place JOIN feature ON feature.id = place.value))
FROM (SELECT DISTINCT json_group_array(feature ORDER BY feature) AS features FROM value_5 GROUP BY extraction);
INSERT INTO layout (features, seal) SELECT '[]', osteon_seal('[]', '[]')
WHERE EXISTS (SELECT 1 FROM extraction_5 WHERE status = 'done' AND id NOT IN (SELECT extraction FROM value_5));
INSERT INTO extraction (id, patient, slot, region, lesion, rater, run, image_sha256, mask_sha256, status, error,
                        values_sha256, layout, seal)
SELECT id, patient, 'image', roi, '1', rater, run, image_sha256, mask_sha256, status, error, values_sha256, found,
       osteon_seal(patient, 'image', roi, '1', rater, run, image_sha256, mask_sha256, status, error, values_sha256,
                   found, NULL)
FROM (SELECT *, iif(status = 'failed', NULL, (
          SELECT id FROM layout WHERE features = (
              SELECT coalesce(json_group_array(feature ORDER BY feature), '[]') FROM value_5
              WHERE extraction = extraction_5.id))) AS found
      FROM extraction_5)
ORDER BY id;
INSERT INTO feature_block
SELECT extraction, place / 57,
       max(iif(place % 57 = 0, value, NULL)), max(iif(place % 57 = 1, value, NULL)),
       max(iif(place % 57 = 2, value, NULL)), max(iif(place % 57 = 3, value, NULL)),
       max(iif(place % 57 = 4, value, NULL)), max(iif(place % 57 = 5, value, NULL)),
       max(iif(place % 57 = 6, value, NULL)), max(iif(place % 57 = 7, value, NULL)),
       max(iif(place % 57 = 8, value, NULL)), max(iif(place % 57 = 9, value, NULL)),
       max(iif(place % 57 = 10, value, NULL)), max(iif(place % 57 = 11, value, NULL)),
       max(iif(place % 57 = 12, value, NULL)), max(iif(place % 57 = 13, value, NULL)),
       max(iif(place % 57 = 14, value, NULL)), max(iif(place % 57 = 15, value, NULL)),
       max(iif(place % 57 = 16, value, NULL)), max(iif(place % 57 = 17, value, NULL)),
       max(iif(place % 57 = 18, value, NULL)), max(iif(place % 57 = 19, value, NULL)),
       max(iif(place % 57 = 20, value, NULL)), max(iif(place % 57 = 21, value, NULL)),
       max(iif(place % 57 = 22, value, NULL)), max(iif(place % 57 = 23, value, NULL)),
       max(iif(place % 57 = 24, value, NULL)), max(iif(place % 57 = 25, value, NULL)),
       max(iif(place % 57 = 26, value, NULL)), max(iif(place % 57 = 27, value, NULL)),
       max(iif(place % 57 = 28, value, NULL)), max(iif(place % 57 = 29, value, NULL)),
       max(iif(place % 57 = 30, value, NULL)), max(iif(place % 57 = 31, value, NULL)),
       max(iif(place % 57 = 32, value, NULL)), max(iif(place % 57 = 33, value, NULL)),
       max(iif(place % 57 = 34, value, NULL)), max(iif(place % 57 = 35, value, NULL)),
       max(iif(place % 57 = 36, value, NULL)), max(iif(place % 57 = 37, value, NULL)),
       max(iif(place % 57 = 38, value, NULL)), max(iif(place % 57 = 39, value, NULL)),
       max(iif(place % 57 = 40, value, NULL)), max(iif(place % 57 = 41, value, NULL)),
       max(iif(place % 57 = 42, value, NULL)), max(iif(place % 57 = 43, value, NULL)),
       max(iif(place % 57 = 44, value, NULL)), max(iif(place % 57 = 45, value, NULL)),
       max(iif(place % 57 = 46, value, NULL)), max(iif(place % 57 = 47, value, NULL)),
       max(iif(place % 57 = 48, value, NULL)), max(iif(place % 57 = 49, value, NULL)),
       max(iif(place % 57 = 50, value, NULL)), max(iif(place % 57 = 51, value, NULL)),
       max(iif(place % 57 = 52, value, NULL)), max(iif(place % 57 = 53, value, NULL)),
       max(iif(place % 57 = 54, value, NULL)), max(iif(place % 57 = 55, value, NULL)),
       max(iif(place % 57 = 56, value, NULL))
FROM (SELECT extraction, value, row_number() OVER (PARTITION BY extraction ORDER BY feature) - 1 AS place FROM value_5)
GROUP BY extraction, place / 57;
DROP TABLE value_5;
DROP TABLE extraction_5;
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

-- A split is told with how it was made and when
DROP TRIGGER split_made;
CREATE TRIGGER split_made AFTER INSERT ON split BEGIN
    INSERT INTO trail VALUES ('split', new.id, new.source, NULL, coalesce('seed ' || new.seed, 'imported'));
    INSERT INTO trail VALUES ('split', new.id, 'terms', NULL,
                              'share ' || coalesce(osteon_text(new.train_fraction), 'unknown') || ', strata '
                              || new.strata || ', ' || new.created_at);
END;

-- A link about a query names it
DROP TRIGGER query_raised;
DROP TRIGGER query_changed;
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
