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
  /** Only from a database that the operator configured. */
  readonly city?: string | undefined;
  /** AWS's own address range that holds it (`ip-ranges.json`), the narrowest. */
  readonly awsRange?:
    | { readonly prefix: string; readonly services: readonly string[]; readonly region: string }
    | undefined;
  /** True or false where a list is configured; undefined where nobody knows. */
  readonly torExit?: boolean | undefined;
  /** The operator's own word for its network: office, vpn, nat, ... */
  readonly network?: { readonly name: string; readonly kind: string; readonly range: string } | undefined;
  /** What was not looked up and why, one sentence each: `no ASN database is configured`. */
  readonly missing?: readonly string[] | undefined;
}
export interface AddressBook {
  /** Undefined where the text is no IP address. */
  lookUp(ip: string): AddressFacts | undefined;
}
