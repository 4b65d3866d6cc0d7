-- From schema 1 to schema 2: protocols, splits and the study's origin are kept as they are by the file itself.

CREATE TRIGGER protocol_kept_update BEFORE UPDATE ON protocol
BEGIN SELECT raise(ABORT, 'a protocol is never changed, only replaced'); END;
CREATE TRIGGER protocol_kept_delete BEFORE DELETE ON protocol
BEGIN SELECT raise(ABORT, 'a protocol is never deleted'); END;
CREATE TRIGGER split_kept_update BEFORE UPDATE OF id, source, seed, train_fraction, strata, created_at ON split
BEGIN SELECT raise(ABORT, 'a split is never changed, only replaced'); END;
