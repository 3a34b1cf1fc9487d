#!/bin/sh
# inversify 8.2.3 keeps the rejection of an asynchronous singleton for ever.
#
# Guess: a failed construction leaves nothing in the singleton's cache, so that the next request
# calls the factory again.
# Behaviour: this holds for a factory that throws. If the factory returns a promise that rejects,
# the container stores that promise, and each later request gets the first rejection.
# Effect: a service that is unreachable at the first request stays so until the process restarts.
#
# Output seen on 2026-11-30:
#   throws: down, up, up; 2 calls
#   rejects: down, down, down; 1 call
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --ignore-scripts --save-exact inversify@8.2.3 reflect-metadata@0.2.2

cat >expected <<'END'
throws: down, up, up; 2 calls
rejects: down, down, down; 1 call
END

cat >run.js <<'END'
import 'reflect-metadata';
import { Container } from 'inversify';

const throwsOnce = (calls) => {
  if (calls === 1) throw new Error('down');
  return 'up';
};
const rejectsOnce = async (calls) => throwsOnce(calls);

for (const [name, factory] of [['throws', throwsOnce], ['rejects', rejectsOnce]]) {
  let calls = 0;
  const container = new Container();
  container.bind('service').toDynamicValue(() => factory(++calls)).inSingletonScope();
  const outcomes = [];
  for (let request = 0; request < 3; request++) {
    outcomes.push(await container.getAsync('service').catch((error) => error.message));
  }
  console.log(`${name}: ${outcomes.join(', ')}; ${calls} ${calls === 1 ? 'call' : 'calls'}`);
}
END

node run.js >seen
cat seen
diff -u expected seen
