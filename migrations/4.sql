-- From schema 3 to schema 4: an interrupted fit goes on from its finished parts.

CREATE TABLE part (
    id    INTEGER PRIMARY KEY,
    work  TEXT NOT NULL CHECK (length(work) = 64),   -- hash of all that the fit reads, the protocol and the version
    name  TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    UNIQUE (work, name)
) STRICT;
