import type { IndexName } from '../../core/inventory.ts';

/**
 * The shape of the inventory's table, as plain data: local mode creates it from this and the stack declares it from this.
 * Every key attribute is a string. The indexes are sparse, project keys only, and are hints (core/inventory.ts).
 */
export const tableDefinition: TableDefinition = {
  partitionKey: 'pk',
  sortKey: 'sk',
  indexes: [index('due'), index('look'), index('keys'), index('deadline'), index('seal'), index('escalations')],
};

interface TableDefinition {
  readonly partitionKey: 'pk';
  readonly sortKey: 'sk';
  readonly indexes: readonly TableIndex[];
}

interface TableIndex {
  readonly name: IndexName;
  readonly partitionKey: string;
  readonly sortKey: string;
}

function index(name: IndexName): TableIndex {
  return { name, partitionKey: `${name}Pk`, sortKey: `${name}Sk` };
}
