-- From schema 4 to schema 5: linked files and results have a hash of their row.

ALTER TABLE image ADD COLUMN seal TEXT NOT NULL DEFAULT '';
ALTER TABLE extraction ADD COLUMN seal TEXT NOT NULL DEFAULT '';
-- Nothing that the lock of a study keeps is changed.
DROP TRIGGER image_frozen_update;
UPDATE image SET seal = osteon_hash(patient, role, path, sha256, bytes, label, geometry, acquisition, '', '', '');
CREATE TRIGGER image_frozen_update BEFORE UPDATE ON image WHEN (SELECT locked_at FROM study) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the study is locked'); END;
UPDATE extraction SET seal = osteon_hash(patient, roi, rater, run, image_sha256, mask_sha256, status, error, values_sha256, '', '');
