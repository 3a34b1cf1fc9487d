#!/usr/bin/env node
// Plain enough for any Node: an old one shall read the sentence below, and not a syntax error from further in.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  const { main } = await import('../dist/main.js');
  await main(process.argv.slice(2));
} else {
  console.error(`postern needs Node 22.18 or newer; this is Node ${process.versions.node}`);
  process.exitCode = 2;
}
