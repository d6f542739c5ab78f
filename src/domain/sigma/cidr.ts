/** Networks in Sigma's `cidr` modifier. */
import ipaddr from 'ipaddr.js';
import { parseIp } from '../address.ts';

export function isNetwork(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

/** The test whether a text is an address in the network; IPv4 in IPv6 clothes counts as IPv4. */
export function networkMatcher(network: string): (text: string) => boolean {
  const [range, bits] = ipaddr.parseCIDR(network);
  return (text) => {
    const canonical = parseIp(text);
    if (canonical === undefined) return false;
    const address = ipaddr.process(canonical);
    return address.kind() === range.kind() && address.match(range, bits);
  };
}
