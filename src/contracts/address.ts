/** What is known of an address. `undefined` means no data, never a guess. */
export interface AddressFacts {
  readonly ip: string;
  /** public, private, loopback, carrierGradeNat, linkLocal, reserved, ... */
  readonly range: string;
  /** ISO 3166-1 alpha-2 or the finding's own country name. */
  readonly country?: string | undefined;
  readonly asn?: string | undefined;
  readonly organization?: string | undefined;
  /** Where each came from: `finding`, `country database (June 2026)`, ... */
  readonly from: readonly string[];
}
export interface AddressBook {
  /** Undefined where the text is no IP address. */
  lookUp(ip: string): AddressFacts | undefined;
}
