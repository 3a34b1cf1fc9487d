import { findConfigFile, loadConfig } from './config-file.ts';
import { optionOf, parseOptions } from './options.ts';
import { type Settings, settingsOf } from './settings.ts';

/** What the arguments of `serve` or `explain` come to, together with the config file. Rejects with a UsageError. */
export async function readSettings(argv: readonly string[]): Promise<Settings> {
  const { config, configFile } = parseOptions(argv);
  const options = { config, nameOf: optionOf };
  const file = findConfigFile(configFile);
  if (file === undefined) return settingsOf(options);
  return settingsOf(options, { config: await loadConfig(file), nameOf: (key) => `${file}: ${key}` });
}
