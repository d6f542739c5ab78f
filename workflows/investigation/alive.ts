/** What of an actor's credential family still works: keys, passwords, sessions, and all identities that he made. */
import { z } from 'zod';
import type { Artifact } from '#src/contracts/artifact.ts';
import type { Coverage } from '#src/contracts/evidence.ts';
import { defineInvestigation, type InvestigationContext, type Report } from '#src/contracts/investigation.ts';
import { type AliveItem, aliveHeadline, aliveParts, leftOf, remediesOf } from '#src/domain/alive.ts';
import { jsonFile, withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { type Family, familyOf } from '#src/domain/family.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { nodeOfArn } from '#src/domain/principal.ts';
import { credentialReads, ownerOfKey } from '../account-state/credentials.ts';
import { type Checked, checkFamily } from '../account-state/family-state.ts';

export interface AliveAnswer {
  readonly seed: Artifact;
  readonly headline: string;
  readonly items: readonly AliveItem[];
  /** Alive, or not to be told. */
  readonly left: number;
  /** Only where everything was looked at and nothing works. */
  readonly nothingLeft: boolean;
  /** What the accounts say of who owns the identities, one entry per tag. */
  readonly tags: Checked['tags'];
  readonly coverage: Coverage;
}

export const alive = defineInvestigation({
  name: 'alive',
  title: 'Still alive',
  target: z.object({
    artifact: z.string().min(1),
    /** Further artifacts of the same actor. */
    also: z.array(z.string().min(1)).max(50).default([]),
  }),
  permissions: ['cloudtrail:LookupEvents', ...credentialReads],

  async run({ artifact, also }, ctx): Promise<Report<AliveAnswer>> {
    const seed = classify(artifact).artifact;
    const gaps: string[] = [];
    const seeds: Artifact[] = [];
    for (const word of [artifact, ...also]) seeds.push(...(await startsOf(classify(word).artifact, ctx, gaps)));
    ctx.progress('Following what was minted and made');
    const family: Family = await familyOf(seeds, ctx);
    const checked = await checkFamily(seeds, family, ctx);
    const coverage = withGaps(ctx.evidence.coverage(), [...gaps, ...family.cutShort, ...checked.gaps]);
    const left = leftOf(checked.items);
    const headline = aliveHeadline(labelOf(seed.id), checked.items, coverage.complete);
    const answer: AliveAnswer = {
      seed,
      headline,
      items: checked.items,
      left: left.length,
      nothingLeft: left.length === 0 && coverage.complete,
      tags: checked.tags,
      coverage,
    };
    const offered = remediesOf(checked.items);
    return {
      headline,
      parts: aliveParts(checked.items),
      coverage,
      answer,
      pictures: [],
      next: [
        ...offered.slice(0, 3).map((step) => `/ir contain ${step.action} ${step.words.join(' ')}`),
        ...(left.length > 0 ? [`/ir alive ${artifact}`] : []),
      ],
      proposals: offered,
      shownProposals: 10,
      files: [jsonFile('alive', answer, checked.items.length > 20)],
    };
  },
});

/** An identity, key, session or instance as it is; the owner of a long-term key beside it, since his other keys are family. */
async function startsOf(artifact: Artifact, ctx: InvestigationContext, gaps: string[]): Promise<readonly Artifact[]> {
  if (artifact.kind === 'ip' || artifact.kind === 'account' || artifact.kind === 'event') {
    gaps.push(`${artifact.id} is no identity, key, session or instance, and an address may be shared by many`);
    return [];
  }
  if (artifact.kind !== 'accessKey' || !artifact.id.startsWith('AKIA') || ctx.aws === undefined) return [artifact];
  const owner = await ownerOfKey(artifact.id, ctx.aws, ctx.signal);
  if (!owner.ok) gaps.push(`the owner of ${artifact.id} could not be asked for (${owner.reason})`);
  const node = owner.ok && owner.value !== undefined ? nodeOfArn(owner.value) : undefined;
  return node === undefined ? [artifact] : [artifact, node];
}
