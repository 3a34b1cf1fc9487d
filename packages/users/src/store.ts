// The parts that each editable store needs, for authors of stores.
export { batches } from './batches.ts';
export { CommonInterfaces, credentialForms } from './credential-forms.ts';
export { changedUser, userKey } from './user-key.ts';
