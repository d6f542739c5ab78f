/** One request from bytes to answer: who, which operation, may it, do it, write it down. */
import { randomUUID } from 'node:crypto';
import { account } from './account.ts';
import { athena } from './athena.ts';
import { autoScaling } from './auto-scaling.ts';
import { cloudtrail } from './cloudtrail.ts';
import { ecs, lambda, lightsail, sagemaker } from './compute-services.ts';
import { config } from './config.ts';
import { ec2 } from './ec2.ts';
import { AwsError, accessDenied, credentialError, internalError, throttled } from './errors.ts';
import type { FailRules } from './failures.ts';
import { guardduty } from './guardduty.ts';
import { iam } from './iam.ts';
import type { Random } from './ids.ts';
import { loadBalancing } from './load-balancing.ts';
import { organizations } from './organizations.ts';
import { route53resolver, serviceQuotas, ses, support } from './other-services.ts';
import { authenticate, authorize, type Principal } from './principal.ts';
import { type Input, readRequest, type Wire, writeError, writeResponse } from './protocols.ts';
import { recordedRegion, recordsOf } from './record.ts';
import type { Outcome, Service } from './service.ts';
import type { SignedRequest } from './sigv4.ts';
import { sns } from './sns.ts';
import { sqs } from './sqs.ts';
import { ssm } from './ssm.ts';
import type { State } from './state.ts';
import { sts } from './sts.ts';
import type { Trail } from './trail.ts';

/** A call as tests look back on it. `error` is the code that the caller got. */
export interface LoggedCall {
  readonly time: string;
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  /** `iam:UpdateAccessKey` */
  readonly action: string;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly principalArn: string | undefined;
  readonly input: Input;
  readonly error: string | undefined;
}

type HookedCall = Omit<LoggedCall, 'time' | 'error'> & { readonly phase: 'before' | 'after' };

/** May return a promise, which is awaited. In phase `before`, the answer `drop` cuts the connection as if the request had been lost on its way. */
export type Hook = (call: HookedCall) => unknown;

export interface World {
  readonly state: State;
  readonly trail: Trail;
  readonly calls: LoggedCall[];
  readonly random: Random;
  readonly rules: FailRules;
  readonly hooks: Set<Hook>;
  readonly trailDelayMs: number;
  now(): Date;
  lookupAllowed(lane: string): boolean;
}

const known: readonly Service[] = [
  ...[sts, iam, ec2, cloudtrail, account, guardduty, sqs, sns, autoScaling, organizations, athena, config, ssm],
  ...[ecs, lambda, lightsail, sagemaker, route53resolver, serviceQuotas, ses, support],
];
const services: ReadonlyMap<string, Service> = new Map(known.map((service) => [service.name, service]));
const callsKept = 20_000;
const htmlPage =
  '<!DOCTYPE html>\n<html><head><title>Access Denied</title></head><body><h1>Your request was blocked</h1><p>Contact the proxy administrator.</p></body></html>';

/** What a service says of an operation that it does not have here. */
function unknownOperation(service: Service, operation: string): AwsError {
  if (service.protocol === 'ec2') {
    const message = `The action ${operation} is not valid for this web service.`;
    return new AwsError('InvalidAction', 400, message, 'Client.InvalidAction');
  }
  if (service.protocol === 'query') {
    return new AwsError(
      'InvalidAction',
      400,
      `Could not find operation ${operation} for version ${service.apiVersion}`,
    );
  }
  return new AwsError(
    'UnknownOperationException',
    service.protocol === 'rest' ? 404 : 400,
    `Unknown operation ${operation}`,
  );
}

interface Asked {
  readonly service: Service;
  readonly operation: string;
  readonly input: Input | undefined;
  readonly region: string;
  readonly requestId: string;
}

function perform(world: World, asked: Asked, principal: Principal, at: Date): Outcome {
  const { service, operation, input, region, requestId } = asked;
  const { protocol } = service;
  const definition = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
  if (definition === undefined) throw unknownOperation(service, operation);
  if (input === undefined) throw new AwsError('SerializationException', 400, 'The body is not valid.');
  // Temporary credentials of GetSessionToken, got without MFA, may not call IAM, nor STS but for these two.
  const barred = service.name === 'iam' || !['AssumeRole', 'GetCallerIdentity'].includes(operation);
  if (
    principal.user !== undefined &&
    principal.session !== undefined &&
    ['iam', 'sts'].includes(service.name) &&
    barred
  ) {
    throw credentialError(protocol, 'unknownKey');
  }
  const lane = `${principal.account.id}/${region}`;
  if (operation === 'LookupEvents' && !world.lookupAllowed(lane)) throw throttled(protocol);
  return definition.run({
    operation,
    region,
    input,
    principal,
    requestId,
    now: at,
    state: world.state,
    trail: world.trail,
    random: world.random,
    may(action, resource = '*', shown, context = {}) {
      const full = { ...context, 'aws:requestedregion': [recordedRegion(service, region)] };
      authorize(protocol, principal, { action, resource, context: full }, shown);
    },
  });
}

function attempt(work: () => Outcome): Outcome | AwsError {
  try {
    return work();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

/**
 * Answers one request. `hang`: never answer; `close`: cut the connection. Throws only for faults of this server.
 */
export async function handle(
  world: World,
  request: SignedRequest,
  gone: () => boolean = () => false,
): Promise<Wire | 'hang' | 'close'> {
  const at = world.now();
  const requestId = randomUUID();
  const who = authenticate(world.state, request, at);
  const { scope } = who;
  const body = request.body.toString('utf8');
  const service =
    scope?.service === 'elasticloadbalancing' ? loadBalancing(body) : services.get(scope?.service ?? 'sts');
  if (service === undefined) {
    const error = new AwsError(
      'UnknownOperationException',
      404,
      `The service ${scope?.service} is not part of this world.`,
    );
    return writeError('rest', error, requestId, '');
  }
  const { protocol, namespace } = service;
  const target = request.headers['x-amz-target'];
  const read = readRequest(
    protocol,
    { method: request.method, url: request.url, body, target: typeof target === 'string' ? target : undefined },
    service.routes,
  );
  const { operation } = read;
  const input = read.input ?? {};
  const region = scope?.region ?? 'us-east-1';
  const asked: Asked = { service, operation, input: read.input, region, requestId };
  const principal = 'principal' in who ? who.principal : undefined;
  const facts = {
    requestId,
    service: service.name,
    operation,
    action: `${service.name}:${operation}`,
    region,
    accessKeyId: scope?.accessKeyId,
    principalArn: principal?.arn,
    input,
  };
  for (const hook of world.hooks) {
    if ((await hook({ ...facts, phase: 'before' })) === 'drop') return 'close';
  }

  const rule = world.rules.take(facts);
  function log(error: string | undefined): void {
    world.calls.push({ time: at.toISOString(), ...facts, error });
    if (world.calls.length > callsKept) world.calls.shift();
  }
  if (rule?.how === 'html' || rule?.how === 'hang' || rule?.how === 'close') {
    log(rule.how);
    if (rule.how !== 'html') return rule.how;
    return { status: rule.status ?? 403, headers: { 'content-type': 'text/html' }, body: htmlPage };
  }

  if ('principal' in who && rule === undefined && read.input !== undefined) {
    const definition = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
    await definition?.wait?.(world.state, read.input, gone);
    // Nothing may be handed out to a client that has gone.
    if (gone()) return 'close';
  }
  const outcome = attempt(() => {
    if ('trouble' in who) throw credentialError(protocol, who.trouble);
    const status = who.principal.account.regions.get(region);
    // Keys are not known in Regions that the account has not enabled.
    if (status === undefined || status === 'DISABLED') throw credentialError(protocol, 'unknownKey');
    if (rule?.how === 'throttle') throw throttled(protocol);
    if (rule?.how === '500') throw internalError(protocol);
    if (rule?.how === 'accessDenied') {
      const sentence = `User: ${who.principal.arn} is not authorized to perform: ${facts.action}`;
      throw accessDenied(protocol, `${sentence} with an explicit deny in a service control policy`);
    }
    return perform(world, asked, who.principal, at);
  });
  const failed = outcome instanceof AwsError;
  log(failed ? outcome.code : undefined);
  if (principal !== undefined && service.unrecorded !== true && Object.hasOwn(service.operations, operation)) {
    const sourceIp = request.headers['x-demo-source-ip'];
    const records = recordsOf({
      ...{ service, operation, region, input, principal, requestId, at, outcome },
      sourceIp: typeof sourceIp === 'string' ? sourceIp : principal.sourceIp,
      userAgent: request.headers['user-agent'] ?? '',
    });
    for (const record of records) world.trail.add(record, at.getTime() + world.trailDelayMs);
  }
  for (const hook of world.hooks) await hook({ ...facts, phase: 'after' });
  if (rule?.how === 'applyThenClose') return 'close';
  return failed
    ? writeError(protocol, outcome, requestId, namespace)
    : writeResponse(protocol, {
        ...{ operation, namespace, requestId, output: outcome.output },
        jsonVersion: service.jsonVersion,
      });
}
