declare module 'wawoff2' {
  /** WOFF2 in, TrueType out. Rejects when the bytes are no WOFF2. */
  export function decompress(woff2: Uint8Array): Promise<Uint8Array>;
}
