import { type Ended, run } from './program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * Loads a page in a headless Chromium with a new profile. Chromium answers a challenge with the
 * name and password of the URL. The output is the document, or the error of the page, beside what
 * Chromium reports of the machine.
 */
export async function dumpPage(url: string, options: readonly string[] = []): Promise<Ended> {
  using profile = temporaryFolder('chromium');
  return await run('chromium', [
    '--headless=new',
    // The sandbox refuses to run as root.
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    `--user-data-dir=${profile.path}`,
    ...options,
    '--dump-dom',
    url,
  ]);
}
