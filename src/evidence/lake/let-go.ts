/** Gives memory back before the garbage collector would. */

const ownMemory = 64 * 1024;

/** Nobody may look at the bytes after that. Small ones, which share their memory with others, are left alone. */
export function letGo({ buffer, length }: Buffer): void {
  if (length >= ownMemory && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
