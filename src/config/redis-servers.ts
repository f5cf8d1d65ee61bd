/** The Redis servers of a URL: a single server, a cluster, or a primary behind sentinels. */
export type RedisServers =
  | { readonly url: string }
  | (Access & { readonly cluster: readonly Endpoint[] })
  | (Access & { readonly sentinels: readonly Endpoint[]; readonly primaryName: string });

type Endpoint = { readonly host: string; readonly port: number };
type Access = { readonly tls: boolean; readonly username?: string; readonly password?: string };

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
const PORT_MAX = 65_535;
/** Node's URL parser accepts one host only. */
const SEVERAL = /^(rediss?)\+(cluster|sentinel):\/\/(?:([^@/]*)@)?([^@/?#]*)(?:\/([^/?#]*))?$/;
const ENDPOINT = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;

/**
 * Reads a Redis URL; `rediss` means TLS.
 * - `redis://user:password@host:6379/0`: a single server
 * - `redis+cluster://user:password@host:6379,host:6379`: some nodes of a cluster
 * - `redis+sentinel://user:password@host:26379,host:26379/primary-name`: the sentinels; user and password are those of
 *   the primary
 *
 * @throws TypeError which says what is wrong, without the password
 */
export function redisServersOf(url: string): RedisServers {
  if (/^rediss?:\/\//.test(url)) {
    if (!URL.canParse(url)) throw new TypeError('must be a URL such as redis://:password@host:6379');
    return { url };
  }
  const [, scheme, kind, userInfo = '', hosts = '', path = ''] = SEVERAL.exec(url) ?? [];
  if (kind === undefined) {
    throw new TypeError(
      'must be redis://host:port, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/primary-name; rediss for TLS',
    );
  }
  const access = { tls: scheme === 'rediss', ...credentials(userInfo) };
  if (kind === 'cluster') {
    if (path !== '') throw new TypeError('must not have a path after the hosts of a cluster');
    return { ...access, cluster: endpoints(hosts, REDIS_PORT) };
  }
  if (path === '')
    throw new TypeError('must name the primary after the sentinels: redis+sentinel://host:port/primary-name');
  return { ...access, sentinels: endpoints(hosts, SENTINEL_PORT), primaryName: decoded(path) };
}

function credentials(userInfo: string): Pick<Access, 'username' | 'password'> {
  const [username = '', ...rest] = userInfo.split(':');
  const password = rest.join(':');
  return {
    ...(username === '' ? {} : { username: decoded(username) }),
    ...(password === '' ? {} : { password: decoded(password) }),
  };
}

function endpoints(hosts: string, defaultPort: number): Endpoint[] {
  return hosts.split(',').map((text) => {
    const [, host, port = String(defaultPort)] = ENDPOINT.exec(text.trim()) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > PORT_MAX) {
      throw new TypeError('must have hosts as host:port, separated by commas');
    }
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('must percent-encode all characters but letters and digits');
  }
}
