-- From schema 2 to schema 3: what a DICOM image says of its sequence is stored with it.

ALTER TABLE image ADD COLUMN acquisition TEXT CHECK (acquisition IS NULL OR json_valid(acquisition));
DROP TRIGGER image_added;
DROP TRIGGER image_changed;
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
