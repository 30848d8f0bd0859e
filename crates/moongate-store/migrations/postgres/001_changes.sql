-- How often the entities were changed. Whoever writes locks the row first, so that versions are committed in their order.
CREATE TABLE moongate_state (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  version bigint NOT NULL
);
INSERT INTO moongate_state (version) VALUES (0);

-- What the last versions changed, for the other nodes. A version without an entity changed more than is worth a list.
CREATE TABLE moongate_changes (
  version bigint NOT NULL,
  position integer NOT NULL,
  entity text,
  entity_id uuid,
  at timestamp with time zone NOT NULL DEFAULT now(),
  PRIMARY KEY (version, position)
);

-- Tables call this after each statement. It records what was not written by a gateway, so that gateways notice it.
CREATE FUNCTION moongate_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF current_setting('moongate.writer', true) IS DISTINCT FROM 'on' THEN
    UPDATE moongate_state SET version = version + 1;
    INSERT INTO moongate_changes (version, position) SELECT version, 0 FROM moongate_state;
    NOTIFY moongate_changes;
  END IF;
  RETURN NULL;
END
$$;
