/**
 * Which of these media types an Accept header prefers: the largest q, and of several the one that it names first; the first
 * of them where it names none. (RFC 9110, 12.5.1; ranges like `text/*` are taken for a client that does not mind.)
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
