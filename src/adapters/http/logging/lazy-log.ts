import type { FastifyBaseLogger } from 'fastify';

type Child = FastifyBaseLogger['child'];
type Said = Parameters<FastifyBaseLogger['info']>;

/**
 * A log whose children are created when they log. Fastify asks for a child per request, which costs a tenth of a bare
 * request, and most requests log nothing through it.
 */
export function lazyLog(parent: FastifyBaseLogger): FastifyBaseLogger {
  return new LazyLog(parent, {});
}

class LazyLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger;
  readonly #named: Parameters<Child>;
  #child: FastifyBaseLogger | undefined;

  constructor(parent: FastifyBaseLogger, ...named: Parameters<Child>) {
    this.#parent = parent;
    this.#named = named;
  }

  get #made(): FastifyBaseLogger {
    this.#child ??= this.#parent.child(...this.#named);
    return this.#child;
  }

  get level() {
    return this.#made.level;
  }

  fatal(...said: Said) {
    this.#made.fatal(...said);
  }
  error(...said: Said) {
    this.#made.error(...said);
  }
  warn(...said: Said) {
    this.#made.warn(...said);
  }
  info(...said: Said) {
    this.#made.info(...said);
  }
  debug(...said: Said) {
    this.#made.debug(...said);
  }
  trace(...said: Said) {
    this.#made.trace(...said);
  }
  silent(...said: Said) {
    this.#made.silent(...said);
  }
  child(...named: Parameters<Child>) {
    return new LazyLog(this.#made, ...named);
  }
}
