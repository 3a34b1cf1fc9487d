export {
  type ReadOnlySqliteUserStore,
  SqliteUserStore,
  type SqliteUserStoreOptions,
} from './sqlite-user-store.ts';
