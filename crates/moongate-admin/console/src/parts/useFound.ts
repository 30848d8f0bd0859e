import { entityPath, useEntity, type Entity } from '../api/entities';
import { useKinds } from '../api/kinds';

/** The entity that an address names. `below` is `kind/id` of what it is found below, where it has no collection of its own. */
export function useFound(name: string, key: string, below?: string): { entity?: Entity; path: string; error: Error | null } {
  const kinds = useKinds();
  const kind = kinds.data?.byName(name);
  const [parent, id] = below?.split('/') ?? [];
  const parentPath = parent ? kinds.data?.byName(parent)?.path : undefined;
  const above = parentPath && id ? { path: parentPath, id } : undefined;
  const path = kind ? entityPath(kind, key, above) : '';
  const entity = useEntity(path, kind !== undefined);
  const unknown = kinds.data && !kind ? new Error(`This node has no entities of the kind ${name}.`) : null;
  return { entity: entity.data, path, error: kinds.error ?? entity.error ?? unknown };
}
