/** The whole story of one artifact: who, from where, what else, what is still alive. */
import { z } from 'zod';
import { type Artifact, nodeKinds } from '#src/contracts/artifact.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import type { Coverage } from '#src/contracts/evidence.ts';
import { defineInvestigation, type InvestigationContext, type Report } from '#src/contracts/investigation.ts';
import type { PersonLine } from '#src/contracts/network.ts';
import type { PivotAnswer, PivotNode } from '#src/contracts/pivot.ts';
import { accessKeyId } from '#src/domain/access-key.ts';
import { classify } from '#src/domain/artifact.ts';
import { pivotFiles } from '#src/domain/exports/pivot-files.ts';
import { expansionsOf, neighbourParts, neighboursIn } from '#src/domain/likeness.ts';
import { peopleBetween, peopleParts } from '#src/domain/people-words.ts';
import { actorsOf } from '#src/domain/pivot-actors.ts';
import { type Made, madeIn } from '#src/domain/pivot-created.ts';
import { runPivot } from '#src/domain/pivot-engine.ts';
import { coreThings, headlineOf, mainThings, type Story, summary } from '#src/domain/pivot-story.ts';
import { type KeyState, partsOf, picturesOf } from '#src/domain/pivot-wording.ts';
import { type GraphNode, nameOfArn, parseArn, principalOf } from '#src/domain/principal.ts';
import { sightingsOf } from '#src/domain/sightings.ts';
import { over90Days } from '#src/domain/window.ts';
import { techniques } from '../../detections/techniques.ts';
import { LiveCheck } from '../reading/live-check.ts';

const Target = z.object({
  artifact: z.string().min(1),
  /** Where the caller knows what the artifact is; told from its form otherwise. */
  kind: z.enum([...nodeKinds, 'event']).optional(),
  /** Further artifacts to start from: the other keys, identities and addresses of an attack sequence or a report. */
  also: z.array(z.string().min(1)).max(50).default([]),
  /** Hops from the seed. DOMAIN.md 4.1 stops session chains at 6; a hop here is a link, and a session is two or three links away. */
  depth: z.int().min(0).max(100).default(18),
  hubLimit: z.int().min(0).optional(),
  maxNodes: z.int().min(1).default(20_000),
  maxEvents: z.int().min(1).default(500_000),
  /** Ids to follow although a rule holds them back. */
  expand: z.array(z.string()).default([]),
  hubs: z
    .object({
      maxPrincipalsPerIp: z.int().min(0).default(20),
      egress: z.array(z.string()).readonly().default([]),
      principals: z.array(z.string()).readonly().default([]),
    })
    .default({ maxPrincipalsPerIp: 20, egress: [], principals: [] }),
});
type Asked = z.output<typeof Target>;

export const pivot = defineInvestigation({
  name: 'pivot',
  title: 'Pivot',
  target: Target,
  permissions: ['cloudtrail:LookupEvents', 'ec2:DescribeInstances', 'iam:GetRole', 'iam:GetUser', 'iam:ListAccessKeys'],

  async run(target, ctx): Promise<Report<PivotAnswer>> {
    const { artifact: seed, takenFor } = target.kind
      ? { artifact: { kind: target.kind, id: target.artifact }, takenFor: target.kind }
      : classify(target.artifact);
    const others = target.also.map((text) => classify(text).artifact);
    const starts = await Promise.all([seed, ...others].map((artifact) => startsOf(artifact, ctx)));
    const seeds = [...new Map(starts.flat().map((node) => [node.id, node])).values()];
    const graph = await runPivot({
      seeds,
      evidence: ctx.evidence,
      limits: {
        maxDepth: target.depth,
        hubLimit: target.hubLimit ?? target.hubs.maxPrincipalsPerIp,
        maxNodes: target.maxNodes,
        maxEvents: target.maxEvents,
      },
      hubs: target.hubs,
      expandAlso: target.expand,
      progress: (step) => ctx.progress(step),
      signal: ctx.signal,
    });
    const actors = actorsOf(graph, seeds);
    const live = new LiveCheck(ctx);
    const made = await live.statesOf(madeIn(graph, ctx.aws ? 'no live check of this kind' : 'no AWS was asked'));
    // Records of what was made name outsiders too (who listed it); what those did is not part of the story.
    const known = new Set(['', ...graph.nodes.map((node) => node.id)]);
    const ranked = sightingsOf(graph.records, techniques).filter(({ sighting }) => known.has(sighting.principal));
    const coverage = coverageOf(ctx, [...graph.cutShort, ...((await ctx.other?.people.gaps()) ?? [])]);
    const story: Story = { seed, takenFor, graph, actors, made, sightings: ranked, complete: coverage.complete };
    const keys = await keysOf(story, made, live);
    const headline = headlineOf(story);
    const neighbours = neighboursIn(story);
    const people = await peopleOf(graph.nodes, ctx);
    const answer: PivotAnswer = {
      seed,
      nodes: graph.nodes,
      edges: graph.edges,
      events: graph.records.length,
      coverage,
      findings: ranked.map(({ sighting }) => sighting),
      created: made,
      neighbours,
      people,
      headline,
      takenFor,
    };
    return {
      headline,
      parts: [...partsOf(story, keys), ...peopleParts(people), ...neighbourParts(neighbours)],
      coverage,
      answer,
      files: pivotFiles(story, answer, techniques),
      expansions: expansionsOf(neighbours),
      pictures: picturesOf(story),
      next: nextOf(story, keys, target, coverage.from, ctx.now()),
      proposals: keys
        .filter((key) => key.isSuspect)
        .map((key) => ({ action: 'disable-access-key', words: [key.id], why: key.why })),
    };
  },
});

const uniqueId = /^A(IDA|ROA)[A-Z0-9]+(:|$)/;

/** Where to start: the artifact itself; for an event, whoever made the call; for a unique id, whoever bears it. */
async function startsOf(seed: Artifact, ctx: InvestigationContext): Promise<readonly GraphNode[]> {
  const own = seed.kind === 'event' ? [] : [{ kind: seed.kind, id: seed.id }];
  if (seed.kind === 'resource' && uniqueId.test(seed.id)) {
    ctx.progress(`Looking for who bears ${seed.id}`);
    const bearers = (await ctx.evidence.recordsOf(seed)).flatMap((record) => bearerOf(record, seed.id) ?? []);
    return [...own, ...new Map(bearers.map((bearer) => [bearer.id, bearer])).values()];
  }
  if (seed.kind !== 'event') return own;
  ctx.progress(`Looking for the event ${seed.id}`);
  const actors = (await ctx.evidence.recordsOf(seed)).flatMap((record) => principalOf(record) ?? []);
  return [...new Map(actors.map((actor) => [actor.id, actor])).values()];
}

/** The user or session whose id it is, or whose role's. */
function bearerOf(record: CloudTrailRecord, id: string): GraphNode | undefined {
  const principalId = record.userIdentity.principalId ?? '';
  const actor = principalId === id || principalId.startsWith(`${id}:`) ? principalOf(record) : undefined;
  return actor?.kind === 'account' ? undefined : actor;
}

/** Whom the operator's sign-in logs put behind the addresses of the graph, in the time in which these were used. */
async function peopleOf(nodes: readonly PivotNode[], { other }: InvestigationContext): Promise<readonly PersonLine[]> {
  const addresses = nodes.filter((node) => node.kind === 'ip');
  const sightings = (await other?.people.at(addresses.map((node) => node.id))) ?? [];
  return addresses.flatMap((node) => peopleBetween(sightings, node.id, node.firstSeen ?? '', node.lastSeen ?? ''));
}

function coverageOf({ evidence }: InvestigationContext, cutShort: readonly string[]): Coverage {
  const coverage = evidence.coverage();
  if (cutShort.length === 0) return coverage;
  return { ...coverage, complete: false, notLookedAt: [...coverage.notLookedAt, ...cutShort] };
}

interface SuspectKey extends KeyState {
  /** Tied to the seed and able to act: worth proposing to disable. */
  readonly isSuspect: boolean;
  readonly why: string;
}

const maxKeys = 10;

/** Long-term keys that the seed's identities used or made, and whether they still work. */
async function keysOf(
  { graph, actors }: Story,
  made: readonly Made[],
  live: LiveCheck,
): Promise<readonly SuspectKey[]> {
  const core = actors.filter((actor) => actor.isCore);
  const isCoreThing = coreThings(actors);
  const keys = new Map<string, SuspectKey>();
  for (const thing of made) {
    if (thing.kind !== 'accessKey' || !thing.id.startsWith('AKIA') || !isCoreThing(thing)) continue;
    const why = 'an identity of this story made the key';
    keys.set(thing.id, {
      id: thing.id,
      user: thing.createdBy,
      state: `${thing.state}, ${thing.because}`,
      // Root's keys are for root alone to disable.
      isSuspect: thing.state !== 'gone' && !(thing.owner === undefined && thing.createdBy.endsWith(':root')),
      why,
    });
  }
  for (const edge of graph.edges.filter(({ kind, to }) => kind === 'used-key' && to.startsWith('AKIA'))) {
    const actor = core.find(
      (candidate) => candidate.keys.includes(edge.to) && candidate.nodes.some((node) => node.id === edge.from),
    );
    if (!actor || keys.size >= maxKeys) continue;
    const { state, because } = await live.keyState(edge.to, parseArn(edge.from)?.accountId ?? '', nameOfArn(edge.from));
    const makes = mainThings(made.filter((thing) => thing.createdBy === edge.from));
    // A key of somebody who bore the name before was deleted with him.
    const bearers = actor.nodes.flatMap(({ uniqueIds }) => uniqueIds ?? []);
    const isEarlier = actor.uniqueId !== undefined && bearers.at(-1) !== actor.uniqueId;
    const isSuspect =
      state !== 'gone' &&
      !isEarlier &&
      !edge.from.endsWith(':root') &&
      (makes.length > 0 || keys.has(edge.to) || actor.nodes.some((node) => node.depth <= 1));
    const why = makes.length > 0 ? `${actor.label} created ${summary(makes)}` : `${actor.label} used it`;
    keys.set(edge.to, { id: edge.to, user: edge.from, state: `${state}, ${because}`, isSuspect, why });
  }
  return [...keys.values()]
    .slice(0, maxKeys)
    .map((key) => ({ ...key, isSuspect: key.isSuspect && accessKeyId.test(key.id) }));
}

function nextOf(story: Story, keys: readonly SuspectKey[], target: Asked, from: string, now: Date): readonly string[] {
  const held = story.graph.nodes.filter(
    (node) => node.notExpandedBecause && !/^(service|account)$/.test(node.kind) && !/\s/.test(node.id),
  );
  const next = keys
    .filter((key) => key.isSuspect)
    .slice(0, 3)
    .map((key) => `/ir contain disable-access-key ${key.id}`);
  next.push(...held.slice(0, 3).map((node) => `/ir pivot ${node.id}`));
  if (story.graph.records.length === 0) next.push(...over90Days(`/ir pivot ${target.artifact}`, from, now));
  return next;
}
