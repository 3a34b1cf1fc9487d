#!/usr/bin/env node
// Plain enough for any Node: an old one shall read the sentence below, and not a syntax error from further in.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 15)) {
  const { main } = await import('../dist/main.js');
  await main(process.argv.slice(2));
} else {
  console.error(`postern needs Node >= 24.15; this is ${process.versions.node}`);
  process.exitCode = 2;
}
