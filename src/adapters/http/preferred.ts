/**
 * The media type that an Accept header prefers: the largest q, then the first one named; the first one offered if none is
 * named. (RFC 9110, 12.5.1. A range like `text/*` expresses no preference.)
 */
export function preferred<Media extends string>(
  accept: string | undefined,
  offered: readonly [Media, ...Media[]],
): Media {
  let [best, bestQ]: [Media, number] = [offered[0], 0];
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim());
    const media = offered.find((one) => one === name);
    const q = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (media !== undefined && q > bestQ) [best, bestQ] = [media, q];
  }
  return best;
}
