import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { onPath } from './on-path.ts';

const exec = promisify(execFile);

/** A slow mirror is waited for; a package manager that hangs is not. */
const INSTALL_LIMIT_MS = 300_000;

type PackageManager = {
  readonly tool: string;
  readonly asRoot: boolean;
  /** Each is a way of its own, in steps that must all succeed; the next is tried where one fails. */
  readonly ways: readonly (readonly string[])[];
};

const APT = 'env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=60';
const APT_INSTALL = `${APT} install -y --no-install-recommends redis-server`;

const PACKAGE_MANAGERS: readonly PackageManager[] = [
  // Updating the lists is slow and a fresh image needs it, a lived-in machine rarely.
  { tool: 'apt-get', asRoot: true, ways: [[APT_INSTALL], [`${APT} update`, APT_INSTALL]] },
  { tool: 'apk', asRoot: true, ways: [['apk add --no-cache redis'], ['apk add --no-cache valkey']] },
  // Fedora 41 and later have Valkey in Redis's place.
  { tool: 'dnf', asRoot: true, ways: [['dnf install -y redis'], ['dnf install -y valkey']] },
  { tool: 'brew', asRoot: false, ways: [['brew install redis']] },
];

/** Answers what stood in the way, if anything did. */
export async function installRedis(say: (line: string) => void): Promise<string | undefined> {
  const manager = await installedManager();
  if (manager === undefined) return 'there is no apt-get, apk, dnf or brew to install one with';
  const prefix = manager.asRoot ? await rootPrefix() : '';
  if (prefix === undefined) return `installing one with ${manager.tool} takes root or a sudo that asks for no password`;

  say(`No Redis server is installed. Installing one with ${manager.tool}; this happens once …`);
  let obstacle = '';
  for (const steps of manager.ways) {
    try {
      for (const step of steps) await run(`${prefix}${step}`);
      if (manager.tool === 'apt-get') await endSystemService(prefix);
      return undefined;
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      obstacle = `${prefix}${steps.at(-1)} failed: ${stderr.trim().split('\n').at(-1) || message}`;
    }
  }
  return obstacle;
}

async function installedManager(): Promise<PackageManager | undefined> {
  for (const manager of PACKAGE_MANAGERS) {
    if ((await onPath(manager.tool)).length > 0) return manager;
  }
  return undefined;
}

/** What to put before a command so that it runs as root, if that is possible without a question. */
async function rootPrefix(): Promise<string | undefined> {
  if (process.getuid?.() === 0) return '';
  return run('sudo -n true').then(
    () => 'sudo -n ',
    () => undefined,
  );
}

/**
 * Debian starts a service along with the package. There was no Redis here before, so nobody relies on it; an open port
 * that nobody asked for is not left behind.
 */
async function endSystemService(prefix: string): Promise<void> {
  const steps = existsSync('/run/systemd/system')
    ? ['systemctl disable --now redis-server']
    : ['service redis-server stop', 'update-rc.d redis-server disable'];
  for (const step of steps) await run(`${prefix}${step}`).catch(() => {});
}

async function run(commandLine: string): Promise<void> {
  const [command = '', ...args] = commandLine.split(' ');
  await exec(command, args, { timeout: INSTALL_LIMIT_MS });
}
