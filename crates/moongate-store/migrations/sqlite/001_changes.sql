-- How often the entities were changed.
CREATE TABLE moongate_state (
  single BOOLEAN PRIMARY KEY DEFAULT 1 CHECK (single = 1),
  version INTEGER NOT NULL
);
INSERT INTO moongate_state (version) VALUES (0);

-- What the last versions changed, for other processes. A version without an entity changed more than is worth a list.
CREATE TABLE moongate_changes (
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  entity TEXT,
  entity_id TEXT,
  at INTEGER NOT NULL DEFAULT (unixepoch()),
  PRIMARY KEY (version, position)
);
