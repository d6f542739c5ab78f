/** Every credential of a family with its state: the logs' account of it, and IAM's. */
import type { Artifact } from '#src/contracts/artifact.ts';
import { UserError } from '#src/contracts/errors.ts';
import type { InvestigationContext } from '#src/contracts/investigation.ts';
import {
  type AliveItem,
  type Denial,
  longTermState,
  type OwnerTag,
  type Remedy,
  sessionState,
} from '#src/domain/alive.ts';
import type { ConsoleLogin, Family, Maker, Member, SessionSeen } from '#src/domain/family.ts';
import type { Looked } from '#src/domain/looked.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { nameKeyOfArn, nameOfArn, parseArn, roleArnOfSession, sessionOf } from '#src/domain/principal.ts';
import type { SessionLine } from '#src/domain/session-chains.ts';
import { roleCredentials, type UserCredentials, userCredentials } from './credentials.ts';
import { look } from './look.ts';
import { openedRole } from './opened-role.ts';

export interface Checked {
  readonly items: readonly AliveItem[];
  readonly gaps: readonly string[];
  readonly tags: readonly OwnerTag[];
}

const consoleHours = 12;
const roleHours = 12;
/** GetSessionToken and GetFederationToken. */
const userHours = 36;
const gone = { state: 'dead', because: 'IAM says that it does not exist' } as const;

/** Asks IAM about each member. Nothing here throws for what AWS refuses: it is a gap, and its items cannot be told. */
export async function checkFamily(
  seeds: readonly Artifact[],
  family: Family,
  ctx: InvestigationContext,
): Promise<Checked> {
  const check = new Check(family, ctx);
  for (const member of family.members) {
    ctx.progress(`Asking IAM about ${labelOf(member.id)}`);
    if (member.kind === 'user') await check.user(member);
    else if (member.kind === 'role') await check.role(member, seeds);
    else check.root(member);
  }
  for (const session of family.minted) check.minted(session);
  for (const session of family.seen) check.seen(session);
  for (const login of family.logins) check.login(login);
  for (const { id, made } of family.things) {
    if (!/:instance-profile\//.test(id)) continue;
    check.items.push({
      ...{ kind: 'thing', id, of: id, state: 'unknown', madeBy: labelOf(made.by) },
      because: 'it was made, and is not looked at here',
    });
  }
  return { items: check.items, gaps: check.gaps, tags: check.tags };
}

class Check {
  readonly items: AliveItem[] = [];
  readonly gaps: string[] = [];
  readonly tags: OwnerTag[] = [];
  readonly #family: Family;
  readonly #ctx: InvestigationContext;
  readonly #denials = new Map<string, readonly Denial[] | undefined>();
  /** ARNs as IAM has them, by account and name: those of sessions lack the path. */
  readonly #arns = new Map<string, string>();

  constructor(family: Family, ctx: InvestigationContext) {
    this.#family = family;
    this.#ctx = ctx;
  }

  async user(member: Member): Promise<void> {
    const { id: arn, made } = member;
    const reader = await this.#reader(arn);
    const by = byWhom(made);
    if (!reader.ok) {
      this.items.push({ kind: 'user', id: arn, of: arn, state: 'unknown', because: reader.reason, ...by });
      this.gaps.push(`the credentials of ${arn} (${reader.reason})`);
      return;
    }
    const found = await userCredentials(reader.value, nameOfArn(arn), this.#ctx.signal);
    const denials = this.#noteDenials(arn, found.denials);
    this.#noteKnown(arn, found.user);
    for (const [what, looked] of Object.entries(found) as [string, Looked<unknown>][]) {
      if (!looked.ok) this.gaps.push(`${what} of ${arn} (${looked.reason})`);
    }
    if (found.user.ok && found.user.value === undefined) {
      this.items.push({ kind: 'user', id: arn, of: arn, ...gone, ...by });
      return;
    }
    const deny = this.#step('deny-all', [arn]);
    if (made !== undefined || !found.user.ok) {
      const judged = found.user.ok
        ? longTermState(denials, 'it exists')
        : { state: 'unknown' as const, because: found.user.reason };
      this.items.push({ kind: 'user', id: arn, of: arn, ...judged, ...by, ...deny });
    }
    this.#keys(arn, found.keys, denials, made);
    if (!found.password.ok) this.#untold('console password', arn, found.password.reason, {});
    else if (found.password.value) {
      const judged = longTermState(denials, 'the user has a console password');
      this.items.push({
        ...{ kind: 'console password', id: labelOf(arn), of: arn, ...judged, ...byWhom(made ?? member.password) },
        ...this.#step('remove-console-access', [arn], deny.step),
      });
    }
    if (!found.devices.ok) this.#untold('MFA device', arn, found.devices.reason, {});
    const from = this.#ctx.evidence.coverage().from;
    for (const { serial, since } of found.devices.ok ? found.devices.value : []) {
      // A device of before the window protects its owner; one that was added in it lets somebody in.
      if (since !== '' && since < from) continue;
      const judged = longTermState(denials, `it was added ${since === '' ? 'at an unknown time' : `at ${since}`}`);
      const step = this.#step('deactivate-mfa-device', [arn, serial]);
      this.items.push({ kind: 'MFA device', id: serial, of: arn, ...judged, ...step });
    }
    if (!found.others.ok) this.#untold('service credential', arn, found.others.reason, {});
    for (const { id, what, status } of found.others.ok ? found.others.value : []) {
      const judged =
        status === 'Active'
          ? longTermState(denials, `${what}, Active`)
          : { state: 'dead' as const, because: `${what}, ${status}` };
      const step = this.#step('disable-service-credentials', [arn], deny.step);
      this.items.push({ kind: 'service credential', id, of: arn, ...judged, ...step });
    }
  }

  #keys(
    arn: string,
    keys: Looked<readonly { readonly id: string; readonly status: string }[]>,
    denials: readonly Denial[] | undefined,
    made: Maker | undefined,
  ): void {
    if (!keys.ok) this.#untold('access key', arn, keys.reason, byWhom(made));
    for (const { id, status } of keys.ok ? keys.value : []) {
      const judged =
        status === 'Active'
          ? longTermState(denials, 'Active')
          : { state: 'dead' as const, because: `IAM reads ${status}` };
      const by = byWhom(made ?? this.#family.keys.get(id));
      this.items.push({ kind: 'access key', id, of: arn, ...judged, ...by, ...this.#step('disable-access-key', [id]) });
    }
  }

  async role(member: Member, seeds: readonly Artifact[]): Promise<void> {
    const { id: arn, made, opened, isShared } = member;
    const reader = await this.#reader(arn);
    const by = byWhom(made);
    if (!reader.ok) {
      this.gaps.push(`the role ${arn} (${reader.reason})`);
      if (made !== undefined) this.#untold('role', arn, reader.reason, by);
      return;
    }
    const found = await roleCredentials(reader.value, nameOfArn(arn), this.#ctx.signal);
    const denials = this.#noteDenials(arn, found.denials);
    this.#noteKnown(arn, found.role);
    for (const [what, looked] of Object.entries(found) as [string, Looked<unknown>][]) {
      if (!looked.ok) this.gaps.push(`${what} of ${arn} (${looked.reason})`);
    }
    if (opened !== undefined && found.role.ok && found.role.value !== undefined) {
      this.items.push(openedRole(found.role.value.arn || arn, opened, found.role.value.trust, denials));
    }
    // What others use as well is no credential of this family: only its sessions are.
    const isOwn = !isShared || seeds.some(({ id }) => nameKeyOfArn(id) === nameKeyOfArn(arn));
    if (!isOwn) return;
    const deny = this.#step('deny-all', [arn]);
    if (found.role.ok && found.role.value === undefined) {
      this.items.push({ kind: 'role', id: arn, of: arn, ...gone, ...by });
      return;
    }
    if (!found.role.ok) this.#untold('role', arn, found.role.reason, by);
    else if (made !== undefined) {
      this.items.push({ kind: 'role', id: arn, of: arn, ...longTermState(denials, 'it exists'), ...by, ...deny });
    }
    if (!found.profiles.ok) this.#untold('instance profile', arn, found.profiles.reason, {});
    for (const id of found.profiles.ok ? found.profiles.value : []) {
      const judged = longTermState(
        denials,
        'instances that have it are given new sessions of the role again and again',
      );
      this.items.push({ kind: 'instance profile', id, of: arn, ...judged, ...deny });
    }
  }

  root({ id }: Member): void {
    const because = 'keys and password of the root user are not to be read from here; only the root user can end them';
    this.items.push({ kind: 'root', id, of: id, state: 'unknown', because });
    this.gaps.push(`credentials of the root user ${id}`);
  }

  minted(session: SessionLine): void {
    const { identity, accessKey, eventTime, aliveUntil, eventName, by, role } = session;
    const ofRole = role ?? (identity ? roleArnOfSession(identity) : undefined);
    const isRoles = eventName.startsWith('Assume') && ofRole !== undefined;
    // The permissions of what a user minted for himself are the user's own (DOMAIN.md 5.2).
    const of = isRoles ? ofRole : by;
    const name = identity === undefined ? undefined : sessionOf(identity)?.session;
    const judged = sessionState({ issuedAt: eventTime, until: aliveUntil, name }, this.#denialsOf(of), this.#ctx.now());
    const step = isRoles ? this.#roleStep(identity, ofRole) : this.#step('revoke-user-sessions', [of]);
    this.items.push({
      ...{ kind: 'session', id: accessKey ?? identity ?? session.eventId, of, ...judged },
      ...{ until: aliveUntil, madeBy: `${labelOf(by)} by ${eventName}` },
      ...step,
    });
  }

  seen({ identity, accessKey, createdAt, lastUsed }: SessionSeen): void {
    const role = roleArnOfSession(identity);
    const of = role ?? identity;
    // How long it was asked for is not in the logs: the longest that there is. What acted after that began later than it says.
    const livesMs = (role === undefined ? userHours : roleHours) * 3_600_000;
    const from = [createdAt, lastUsed].find((at) => Date.parse(at) + livesMs >= Date.parse(lastUsed)) ?? lastUsed;
    const until = new Date(Date.parse(from) + livesMs).toISOString();
    const name = sessionOf(identity)?.session;
    const about = { issuedAt: createdAt === '' ? undefined : createdAt, until, name };
    const judged = sessionState(about, this.#denialsOf(of), this.#ctx.now());
    const id = accessKey === '' ? identity : accessKey;
    const step = role === undefined ? this.#step('revoke-user-sessions', [of]) : this.#roleStep(identity, of);
    this.items.push({ kind: 'session', id, of, ...judged, until, ...step });
  }

  login({ principal, at }: ConsoleLogin): void {
    const role = roleArnOfSession(principal);
    const of = role ?? principal;
    const until = new Date(Date.parse(at) + consoleHours * 3_600_000).toISOString();
    const name = sessionOf(principal)?.session;
    const judged = sessionState({ issuedAt: at, until, name }, this.#denialsOf(of), this.#ctx.now());
    const step = role === undefined ? this.#step('revoke-user-sessions', [of]) : this.#roleStep(principal, role);
    this.items.push({ kind: 'console session', id: `${labelOf(principal)} at ${at}`, of, ...judged, until, ...step });
  }

  /** One session where there is one; all of the role's where it has several names. */
  #roleStep(identity: string | undefined, role: string): { step?: Remedy } {
    const names = new Set(
      [...this.#family.minted, ...this.#family.seen].flatMap(({ identity: one }) =>
        one !== undefined && roleArnOfSession(one) === roleArnOfSession(identity ?? '') ? [one] : [],
      ),
    );
    const all = this.#step('revoke-role-sessions', [role]).step;
    return names.size === 1 && identity !== undefined
      ? this.#step('revoke-session', [identity], all)
      : this.#step('revoke-role-sessions', [role]);
  }

  #step(action: string, named: readonly string[], otherwise?: Remedy): { step?: Remedy } {
    const words = named.map((word) => this.#arns.get(nameKeyOfArn(word) ?? '') ?? word);
    const offers = this.#ctx.offers?.(action, words) ?? false;
    if (offers) return { step: { action, words } };
    return otherwise === undefined ? {} : { step: otherwise };
  }

  #untold(kind: AliveItem['kind'], arn: string, reason: string, by: { readonly madeBy?: string }): void {
    this.items.push({
      kind,
      id: labelOf(arn),
      of: arn,
      state: 'unknown',
      because: `it could not be read (${reason})`,
      ...by,
    });
  }

  #noteDenials(arn: string, looked: Looked<readonly Denial[]>): readonly Denial[] | undefined {
    const denials = looked.ok ? looked.value : undefined;
    this.#denials.set(nameKeyOfArn(arn) ?? arn, denials);
    return denials;
  }

  #denialsOf(arn: string): readonly Denial[] | undefined {
    return this.#denials.get(nameKeyOfArn(arn) ?? arn);
  }

  #noteKnown(arn: string, looked: UserCredentials['user']): void {
    if (looked.ok && looked.value?.arn) this.#arns.set(nameKeyOfArn(looked.value.arn) ?? '', looked.value.arn);
    for (const { key, value } of (looked.ok && looked.value?.tags) || []) {
      if (!/owner|team|contact|service|app/i.test(key)) continue;
      const set = this.#family.tagged.find(
        (tag) => tag.key === key.toLowerCase() && nameKeyOfArn(tag.id) === nameKeyOfArn(arn),
      );
      this.tags.push({ id: arn, key, value, setBy: set?.made.by ?? '' });
    }
  }

  #reader(arn: string) {
    return look(async () => {
      const accountId = parseArn(arn)?.accountId ?? '';
      const { aws } = this.#ctx;
      if (aws === undefined) throw new UserError('no AWS was asked');
      return aws.reader(accountId);
    }, this.#ctx.signal);
  }
}

/** What was there before the family came has an owner of its own: only what it made is said to be its. */
function byWhom(maker: Maker | undefined): { readonly madeBy?: string } {
  return maker === undefined ? {} : { madeBy: labelOf(maker.by) };
}
