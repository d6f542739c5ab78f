/** What a service of the server is: its protocol and its operations. One file per service. */
import type { Protocol } from './errors.ts';
import type { Random } from './ids.ts';
import type { Principal } from './principal.ts';
import type { Input, Route, Value } from './protocols.ts';
import type { State } from './state.ts';
import type { Trail, TrailResource } from './trail.ts';

/** One authenticated call of one operation. */
export interface Call {
  readonly operation: string;
  readonly region: string;
  readonly input: Input;
  readonly principal: Principal;
  readonly state: State;
  readonly trail: Trail;
  readonly now: Date;
  readonly requestId: string;
  readonly random: Random;
  /** Throws the service's denial unless the caller may. `shown` is the resource as the message names it. */
  may(action: string, resource?: string, shown?: string, context?: Readonly<Record<string, readonly string[]>>): void;
}

export interface Outcome {
  readonly output: { readonly [name: string]: Value };
  /** What CloudTrail keeps of the answer; absent for reads. */
  readonly responseElements?: Readonly<Record<string, unknown>>;
  readonly resources?: readonly TrailResource[];
  /** The account that gets a copy of the record, in which the caller is only an account. */
  readonly alsoRecordIn?: string;
}

export interface Operation {
  readonly readOnly: boolean;
  /** CloudTrail's requestParameters; by default the input with lower first letters. */
  parameters?(input: Input): Readonly<Record<string, unknown>> | undefined;
  /** Throws AwsError. */
  run(call: Call): Outcome;
  /** Awaited before the call is judged (long polling). `gone`: the client has hung up. */
  wait?(state: State, input: Input, gone: () => boolean): Promise<void>;
}

export interface Service {
  readonly name: string;
  readonly protocol: Protocol;
  /** Of the protocol `json`; 1.1 where absent. */
  readonly jsonVersion?: '1.0';
  /** Of the protocol `rest`, where the path is not the operation's name. Named groups become part of the input. */
  readonly routes?: readonly Route[];
  /** True where CloudTrail has the calls as data events only. */
  readonly unrecorded?: boolean;
  readonly namespace: string;
  readonly apiVersion: string;
  readonly eventSource: string;
  /** Global services are recorded in us-east-1, whatever Region the request was signed for. */
  readonly global: boolean;
  readonly operations: Readonly<Record<string, Operation>>;
}

/** A text field of the input; undefined where it is absent or no text. */
export function text(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
}

/** A list of texts of the input, empty where absent. */
export function texts(input: Input, name: string): readonly string[] {
  const value = input[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** A list of objects of the input, empty where absent. */
export function objects(input: Input, name: string): readonly Input[] {
  const value = input[name];
  return Array.isArray(value)
    ? value.filter((one): one is Input => typeof one === 'object' && one !== null && !Array.isArray(one))
    : [];
}

function lowerKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key.charAt(0).toLowerCase() + key.slice(1), lowerKeys(child)]),
  );
}

/** The input as most services' records keep it: same names, lower first letter. Null where there is nothing. */
export function lowerCamel(input: Input): Readonly<Record<string, unknown>> | null {
  const lowered = lowerKeys(input) as Readonly<Record<string, unknown>>;
  return Object.keys(lowered).length === 0 ? null : lowered;
}
