/**
 * How bad a case is, explained: finding severity x environment x data class x what the identity can do x what it did (DOMAIN.md
 * 6.4). Pure. A factor that nobody knows counts as 1 and is named as unknown; nothing is guessed.
 */
import type { Deed, Privilege } from '../contracts/investigation.ts';
import { inert } from './inert.ts';
import { type SeverityWord, severityRank, severityWord } from './severity.ts';

export interface CaseSeverityInput {
  /** GuardDuty's scale; 0 where the finding gave none. */
  readonly findingSeverity: number;
  readonly environment: string | undefined;
  readonly dataClass: readonly string[] | undefined;
  /** Undefined: not known. */
  readonly privilege: Privilege | undefined;
  /** Undefined: not looked at. */
  readonly did: Deed | undefined;
}

export interface CaseSeverity {
  readonly word: SeverityWord;
  /** 0 to 10. */
  readonly score: number;
  readonly factors: readonly {
    readonly name: string;
    readonly says: string;
    readonly factor: number;
    readonly known: boolean;
  }[];
  /** One line. */
  readonly line: string;
}

/** Operators' own words for environments, by what they begin with. */
const environments: readonly (readonly [RegExp, number])[] = [
  [/^(prod|live|main)/i, 1.2],
  [/^(stag|pre|uat|qa|test)/i, 1],
  [/^(dev|build|ci)/i, 0.9],
  [/^(sand|play|lab|show|train)/i, 0.8],
];
const sensitive = /^(pii|pci|phi|fin|gdpr|hipaa|secret|confidential|restricted|sensitive|personal)/i;
const harmless = /^(none|public|open|no)\b/i;

const privilegeFactors: Readonly<Record<Privilege, readonly [number, string]>> = {
  admin: [1.25, 'administrator'],
  escalation: [1.15, 'can make itself more'],
  data: [1.1, 'can read data'],
  compute: [1.05, 'can run machines or code'],
  read: [0.9, 'can only look'],
  none: [0.85, 'no rights found'],
};
const deedFactors = [1, 1, 1, 1.1, 1.2, 1.3] as const;

export function caseSeverity(input: CaseSeverityInput): CaseSeverity {
  const base = input.findingSeverity > 0 ? Math.min(input.findingSeverity, 10) : 7;
  const factors = [
    environmentFactor(input.environment),
    dataFactor(input.dataClass),
    privilegeFactor(input.privilege),
    deedFactor(input.did),
  ];
  const product = Math.min(
    10,
    factors.reduce((score, { factor }) => score * factor, base),
  );
  // Context never takes more than one step off what the finding says: a quiet environment is no reason to look away.
  const floor = [0, 0, 4, 7][severityRank(input.findingSeverity)] ?? 0;
  const score = Math.round(Math.max(product, floor, 0.1) * 10) / 10;
  const word = severityWord(score);
  const finding = `finding ${severityWord(input.findingSeverity)}${input.findingSeverity > 0 ? ` ${input.findingSeverity.toFixed(1)}` : ' (no severity given)'}`;
  const words = [finding, ...factors.map(({ says }) => says)].join(' × ');
  const capital = word.charAt(0).toUpperCase() + word.slice(1);
  return { word, score, factors, line: `${capital} ${score.toFixed(1)} = ${words}` };
}

type Factor = CaseSeverity['factors'][number];

function environmentFactor(environment: string | undefined): Factor {
  const name = 'environment';
  if (environment === undefined) return { name, says: 'environment unknown', factor: 1, known: false };
  const factor = environments.find(([pattern]) => pattern.test(environment))?.[1];
  return { name, says: inert(environment, 40), factor: factor ?? 1, known: factor !== undefined };
}

function dataFactor(classes: readonly string[] | undefined): Factor {
  const name = 'data class';
  if (classes === undefined || classes.length === 0)
    return { name, says: 'data class unknown', factor: 1, known: false };
  const says = `data ${inert(classes.join(', '), 60)}`;
  if (classes.some((one) => sensitive.test(one))) return { name, says, factor: 1.15, known: true };
  return { name, says, factor: classes.every((one) => harmless.test(one)) ? 0.9 : 1, known: true };
}

function privilegeFactor(privilege: Privilege | undefined): Factor {
  const name = 'privilege';
  if (privilege === undefined) return { name, says: 'rights unknown', factor: 1, known: false };
  const [factor, says] = privilegeFactors[privilege];
  return { name, says, factor, known: true };
}

function deedFactor(did: Deed | undefined): Factor {
  const name = 'deed';
  if (did === undefined) return { name, says: 'deeds not looked at', factor: 1, known: false };
  if (did.weight > 0) return { name, says: inert(did.says, 100), factor: deedFactors[did.weight], known: true };
  return did.complete
    ? { name, says: 'nothing telling seen', factor: 0.9, known: true }
    : { name, says: 'nothing telling seen in what was looked at', factor: 1, known: false };
}
