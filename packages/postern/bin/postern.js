#!/usr/bin/env node
// Any Node can parse this file: an old one prints the sentence below, and no syntax error.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  const { main } = await import('../bundle/main.js');
  await main(process.argv.slice(2));
} else {
  console.error(`postern needs Node 22.18 or newer; this is Node ${process.versions.node}`);
  process.exitCode = 2;
}
