// Loaded into an instance before anything else (NODE_OPTIONS=--import): its clock is off by CLOCK_OFF_MS.
const offMs = Number(process.env.CLOCK_OFF_MS);
const now = Date.now;

globalThis.Date = new Proxy(Date, {
  construct: (date, args, made) => Reflect.construct(date, args.length === 0 ? [now() + offMs] : args, made),
  apply: () => new Date(now() + offMs).toString(),
  get: (date, name) => (name === 'now' ? () => now() + offMs : Reflect.get(date, name)),
});
