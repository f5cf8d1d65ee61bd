/** A page of a list, newest first. `after` is the id of the last item already seen. */
export type PageRequest = { readonly limit: number; readonly after?: string | undefined };

/** `next` is the `after` of the next page; undefined at the end. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string | undefined };
