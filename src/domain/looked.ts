/** An answer, or why there is none: what was refused is never an empty answer. */
export type Looked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };
