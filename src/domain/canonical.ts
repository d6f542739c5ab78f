/** One text for one value, whatever the order of its keys: what is hashed. */
import canonicalize from 'canonicalize';

/** RFC 8785 canonical JSON. Throws for what JSON cannot hold. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('the value has no JSON form');
  return text;
}
