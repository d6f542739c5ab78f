/** The metadata service of machines: the credentials that they get by their instance profile. */
import { associationOf, roleOfProfile } from './evidence.ts';
import { newSecret, uniqueId } from './ids.ts';
import type { State } from './state.ts';

const lifeMs = 6 * 3_600_000;

export interface InstanceCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** What 169.254.169.254 gives on this machine. Throws RangeError where it has no profile: there it answers 404. */
export function metadataCredentials(state: State, instanceId: string, now: Date = new Date()): InstanceCredentials {
  for (const account of state.accounts.values()) {
    const instance = account.instances.find(({ id }) => id === instanceId);
    const role = roleOfProfile(account, (instance && associationOf(instance))?.profileArn ?? '');
    if (instance === undefined || role === undefined) continue;
    const session = {
      ...{ accessKeyId: uniqueId('ASIA', account.id), secret: newSecret(), accountId: account.id },
      token: `IQoJb3JpZ2luX2Vj${newSecret()}${newSecret()}`,
      issuedAt: new Date(Math.floor(now.getTime() / 1000) * 1000),
      expiresAt: new Date(now.getTime() + lifeMs),
      sourceIp: instance.publicIp ?? instance.privateIp,
      of: { role, sessionName: instanceId },
      tags: [],
      instanceArn: `arn:aws:ec2:${instance.region}:${account.id}:instance/${instanceId}`,
    };
    state.sessions.set(session.accessKeyId, session);
    return { accessKeyId: session.accessKeyId, secretAccessKey: session.secret, sessionToken: session.token };
  }
  throw new RangeError(`instance ${instanceId} has no profile`);
}
