// The first import of the package. An older Node would fail later, with a TypeError that does not
// name the reason.
const [major = 0, minor = 0] = (globalThis.process?.versions?.node ?? '').split('.').map(Number);

if (major > 0 && (major < 22 || (major === 22 && minor < 18))) {
  throw new Error(`Postern needs Node 22.18 or newer; this is Node ${process.versions.node}`);
}
