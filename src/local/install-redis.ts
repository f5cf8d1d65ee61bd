import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { onPath } from './on-path.ts';

const exec = promisify(execFile);

/** Limits the installation: longer than a slow mirror needs. */
const INSTALL_LIMIT_MS = 300_000;

type PackageManager = {
  readonly tool: string;
  readonly asRoot: boolean;
  /** Alternatives, each with steps that must all succeed. */
  readonly ways: readonly (readonly string[])[];
};

const APT = 'env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=60';
const APT_INSTALL = `${APT} install -y --no-install-recommends redis-server`;

const PACKAGE_MANAGERS: readonly PackageManager[] = [
  // Updates the package lists only if the first way fails: slow, and mostly needed on a fresh image.
  { tool: 'apt-get', asRoot: true, ways: [[APT_INSTALL], [`${APT} update`, APT_INSTALL]] },
  { tool: 'apk', asRoot: true, ways: [['apk add --no-cache redis'], ['apk add --no-cache valkey']] },
  // Fedora 41 and later have Valkey instead of Redis.
  { tool: 'dnf', asRoot: true, ways: [['dnf install -y redis'], ['dnf install -y valkey']] },
  { tool: 'brew', asRoot: false, ways: [['brew install redis']] },
];

/** Returns why it failed, or undefined. */
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

/** The prefix that runs a command as root without a question, if there is one. */
async function rootPrefix(): Promise<string | undefined> {
  if (process.getuid?.() === 0) return '';
  return run('sudo -n true').then(
    () => 'sudo -n ',
    () => undefined,
  );
}

/**
 * Debian starts a service with the package. There was no Redis before, so nothing uses it, and an open port must not
 * stay.
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
