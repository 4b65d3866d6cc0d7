-- From schema 1 to schema 2: protocols, splits and the study's origin are kept as they are by the file itself, and
-- merged shards have a table.

CREATE TRIGGER protocol_kept_update BEFORE UPDATE ON protocol
BEGIN SELECT raise(ABORT, 'a protocol is never changed, only replaced'); END;
CREATE TRIGGER protocol_kept_delete BEFORE DELETE ON protocol
BEGIN SELECT raise(ABORT, 'a protocol is never deleted'); END;
CREATE TRIGGER split_kept_update BEFORE UPDATE OF id, source, seed, train_fraction, strata, created_at ON split
BEGIN SELECT raise(ABORT, 'a split is never changed, only replaced'); END;

CREATE TABLE shard (
    run      INTEGER PRIMARY KEY REFERENCES run (id),
    plan     TEXT NOT NULL CHECK (length(plan) = 64),        -- hash of the plan
    number   INTEGER NOT NULL CHECK (number BETWEEN 1 AND n_shards),
    n_shards INTEGER NOT NULL,
    sha256   TEXT CHECK (length(sha256) = 64)                -- of the merged file; NULL in the shard file itself
) STRICT;
CREATE TRIGGER shard_merged AFTER INSERT ON shard WHEN new.sha256 IS NOT NULL BEGIN
    INSERT INTO trail VALUES ('shard', new.plan, new.number || ' of ' || new.n_shards, NULL, new.sha256);
END;
CREATE TRIGGER shard_kept_update BEFORE UPDATE ON shard
BEGIN SELECT raise(ABORT, 'a merged shard is never changed'); END;
CREATE TRIGGER shard_kept_delete BEFORE DELETE ON shard
BEGIN SELECT raise(ABORT, 'a merged shard is never deleted'); END;
